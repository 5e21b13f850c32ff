//! Refusals, as clients see them: a code and a text by which some are told apart, and an HTTP status.
//!
//! Each refusal stands once, in one of the tables below, as a constructor of [`ApiError`]. Codes are those of the EC2 API reference
//! ("Error codes for the Amazon EC2 API"). Texts by which clients tell causes apart are those that EC2 is known to send; the
//! other texts say the same in their place. The parameter `…ids` of a missing resource may be several ids, joined by `, `.

mod address;
mod attachment;
mod identity;
mod parameter;
mod service;

#[cfg(test)]
mod tests;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// Such as `InvalidParameterValue`.
    pub code: &'static str,
    /// What a person reads.
    pub message: String,
    /// The HTTP status: 400 for most.
    pub status: u16,
}

impl ApiError {
    /// The refusal of that code and text, with the code's HTTP status.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), status: status(code) }
    }

    /// The same for a code that comes from outside, such as a fault rule's; none when no table has it.
    #[must_use]
    pub fn from_code(code: &str, message: impl Into<String>) -> Option<Self> {
        let known = codes().find(|known| *known == code)?;
        Some(Self::new(known, message))
    }
}

/// The HTTP status that goes with a code (EC2 API reference, error codes).
#[must_use]
pub fn status(code: &str) -> u16 {
    match code {
        "AuthFailure" => 401,
        "UnauthorizedOperation" => 403,
        "DryRunOperation" => 412,
        "InternalError" | "InternalFailure" => 500,
        "RequestLimitExceeded" | "ServiceUnavailable" | "Unavailable" => 503,
        _ => 400,
    }
}

/// Every code that the machine can answer with. Some appear several times, for there are several texts.
pub fn codes() -> impl Iterator<Item = &'static str> {
    texts().map(|(code, _)| code)
}

/// What a code says when nothing is known of what it is about: its first text that speaks of nothing in particular, else the first of
/// all, in which the names of what it speaks of stand for themselves. Empty for a code that no table has.
#[must_use]
pub fn usual_text(code: &str) -> String {
    let of_code = || texts().filter(|(known, _)| *known == code).map(|(_, text)| text);
    let plain = of_code().find(|text| !text.contains('{'));
    plain.or_else(|| of_code().next()).unwrap_or_default().replace(['{', '}'], "")
}

/// Each code with each of its texts.
fn texts() -> impl Iterator<Item = (&'static str, &'static str)> {
    let tables =
        [service::TEXTS, parameter::TEXTS, identity::TEXTS, address::TEXTS, attachment::TEXTS];
    tables.into_iter().flatten().copied()
}

/// A table of refusals: a name with what the text speaks of, the code, and the text.
macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $name:ident($($argument:ident: $kind:ty),*) $code:literal $text:literal;)+) => {
        impl $crate::error::ApiError {
            $(
                $(#[doc = $doc])+
                #[must_use]
                pub fn $name($($argument: $kind),*) -> Self {
                    Self::new($code, format!($text))
                }
            )+
        }

        /// The codes of this table, and their texts.
        pub(super) const TEXTS: &[(&str, &str)] = &[$(($code, $text)),+];
    };
}
use refusals;
