//! What the rules that fired at a call have to say to whoever carries the call out.

use std::time::Duration;

use super::{Drop, Effect, ForeignAct, Timing};
use crate::error::{ApiError, usual_text};
use crate::reply::Delivery;

/// The effects of the rules that fired at a call, in the order of the rules. Where two exclude each other, the first counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fired {
    effects: Vec<Effect>,
}

/// What is said in a page of HTML.
const HTML: &str = "<html><head><title>Service Unavailable</title></head><body>The service is not available.</body></html>";

impl Fired {
    pub(super) fn add(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Whether nothing fired.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.effects.is_empty()
    }

    /// All effects.
    #[must_use]
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// What somebody else does before or after the call's own effect.
    pub fn foreign(&self, when: Timing) -> impl Iterator<Item = &ForeignAct> {
        self.effects.iter().filter_map(move |effect| match effect {
            Effect::Foreign { act, timing } if *timing == when => Some(act),
            _ => None,
        })
    }

    /// What is answered instead of carrying the call out, and how that reaches the caller.
    #[must_use]
    pub fn instead(&self) -> Option<(ApiError, Delivery)> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Error { code, message, status } => {
                let mut error = ApiError::new(code.as_str(), message.clone());
                if error.message.is_empty() {
                    error.message = usual_text(code.as_str());
                }
                error.status = status.unwrap_or(error.status);
                Some((error, Delivery::Whole))
            }
            Effect::DropBeforeCommit(drop) => Some(lost(*drop)),
            _ => None,
        })
    }

    /// What becomes of the answer after the call was carried out: another one in its place if there is one, and how it is delivered.
    #[must_use]
    pub fn afterwards(&self) -> Option<(Option<ApiError>, Delivery)> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::CommitThenDrop(Drop::Cut) => Some((None, Delivery::Cut)),
            Effect::CommitThenDrop(drop) => {
                let (error, delivery) = lost(*drop);
                Some((Some(error), delivery))
            }
            Effect::MalformedXml(bytes) => Some((None, Delivery::Truncated { bytes: *bytes })),
            Effect::Html(status) => {
                Some((None, Delivery::Replaced { status: *status, body: HTML.to_owned() }))
            }
            _ => None,
        })
    }

    /// How much longer the answer takes.
    #[must_use]
    pub fn delay(&self) -> Duration {
        let delays = self.effects.iter().map(|effect| match effect {
            Effect::Delay(milliseconds) => Duration::from_millis(*milliseconds),
            _ => Duration::ZERO,
        });
        delays.fold(Duration::ZERO, Duration::saturating_add)
    }

    /// How old the world is that a read is shown.
    #[must_use]
    pub fn stale_for(&self) -> Duration {
        self.effects.iter().map(Effect::stale_for).max().unwrap_or_default()
    }

    /// To how many items a page is cut.
    #[must_use]
    pub fn page_cut(&self) -> Option<usize> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::TruncatedPage(items) => Some(*items),
            _ => None,
        })
    }

    /// Whether the token that comes with a page leads to the same page again.
    #[must_use]
    pub fn repeats_page(&self) -> bool {
        self.effects.contains(&Effect::RepeatedPage)
    }

    /// Whether the call's page token has expired.
    #[must_use]
    pub fn expires_token(&self) -> bool {
        self.effects.contains(&Effect::TokenExpired)
    }

    /// Whether the action's bucket is emptied.
    #[must_use]
    pub fn empties_bucket(&self) -> bool {
        self.effects.contains(&Effect::ThrottleBurst)
    }
}

fn lost(drop: Drop) -> (ApiError, Delivery) {
    match drop {
        Drop::Cut => (ApiError::internal_error(), Delivery::Cut),
        Drop::InternalError => (ApiError::internal_error(), Delivery::Whole),
        Drop::Unavailable => (ApiError::unavailable(), Delivery::Whole),
    }
}
