//! Page tokens: opaque to callers, good for one query of one account, and for some time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::{Context, Query};
use crate::assumption::Assumption;
use crate::error::ApiError;
use crate::request::Action;
use crate::time::Moment;

/// Digits of each of the three numbers at the beginning of a token.
const DIGITS: usize = 16;

/// Digits by value.
const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";

/// What a token says.
#[derive(Debug, PartialEq, Eq)]
struct Token<'a> {
    issued: Moment,
    /// Of which query of which account.
    query: u64,
    /// Behind which item the page begins; empty for the first page.
    after: &'a str,
}

impl Token<'_> {
    fn seal(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.issued, self.query, self.after).hash(&mut hasher);
        hasher.finish()
    }
}

/// Identifies a query, its page aside.
pub(super) fn fingerprint(action: Action, query: &Query<'_>, account: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (action.name(), account).hash(&mut hasher);
    for id in &query.about {
        id.to_string().hash(&mut hasher);
    }
    for filter in query.filters {
        (&filter.name, &filter.values).hash(&mut hasher);
    }
    hasher.finish()
}

/// A token for the page behind the item `after`.
pub(super) fn encode(now: Moment, query: u64, after: &str) -> String {
    let token = Token { issued: now, query, after };
    let (issued, seal) = (now.as_micros(), token.seal());
    let mut text = format!("{issued:016x}{query:016x}{seal:016x}");
    for byte in after.bytes() {
        text.extend(
            [byte >> 4, byte & 15].map(|digit| char::from(HEXADECIMAL[usize::from(digit)])),
        );
    }
    text
}

/// Behind which item the page begins.
///
/// # Errors
///
/// A token that was never given out or for another query, and one that is too old.
pub(super) fn decode(text: &str, query: u64, context: &Context<'_>) -> Result<String, ApiError> {
    let (issued, after) = read(text, query).ok_or_else(ApiError::invalid_next_token)?;
    let lifetime: Duration = context.assumptions.duration(Assumption::PaginationTokenLifetime);
    if context.now > issued + lifetime || context.fired.expires_token() {
        return Err(ApiError::expired_token());
    }
    Ok(after)
}

fn read(text: &str, query: u64) -> Option<(Moment, String)> {
    let number = |at: usize| {
        let digits = text.get(at * DIGITS..(at + 1) * DIGITS)?;
        u64::from_str_radix(digits, 16).ok()
    };
    let issued = Moment::from_micros(number(0)?);
    let seal = number(2)?;
    let rest = text.get(3 * DIGITS..)?.as_bytes();
    let byte = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = rest.chunks(2).map(byte).collect();
    let after = String::from_utf8(bytes?).ok()?;
    let token = Token { issued, query, after: &after };
    let sound = number(1)? == query && token.seal() == seal;
    sound.then_some((issued, after))
}
