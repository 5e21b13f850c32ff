//! The own object as it was seen last.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

/// What is known of the own object.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Sight {
    /// Nothing yet.
    #[default]
    Unknown,
    /// There is none.
    Absent,
    /// It is there, as it stands.
    There(Arc<Value>),
}

impl Sight {
    pub(super) const fn object(&self) -> Option<&Arc<Value>> {
        match self {
            Self::There(object) => Some(object),
            Self::Unknown | Self::Absent => None,
        }
    }
}

/// The own object as it was seen last, by the watch or in the answer to a write. Clones are the same one.
#[derive(Debug, Clone)]
pub(super) struct Board(watch::Sender<Sight>);

impl Default for Board {
    fn default() -> Self {
        Self(watch::channel(Sight::Unknown).0)
    }
}

impl Board {
    /// Hears of each change from now on; what was seen before counts as one.
    pub(super) fn subscribe(&self) -> watch::Receiver<Sight> {
        let mut receiver = self.0.subscribe();
        receiver.mark_changed();
        receiver
    }

    /// What was seen last.
    pub(super) fn sight(&self) -> Sight {
        self.0.borrow().clone()
    }

    /// What a listing or a read shows counts, whatever was seen `before` it was asked for. What was seen since then may be later.
    pub(super) fn listed(&self, before: &Sight, object: Option<Value>) {
        let sight = object.map_or(Sight::Absent, |object| Sight::There(Arc::new(object)));
        self.0.send_if_modified(|seen| {
            let is_late =
                seen != before && sight.object().is_some_and(|listed| is_overtaken(seen, listed));
            !is_late && replace(seen, sight)
        });
    }

    /// A state of the object that may have been overtaken by another one meanwhile.
    pub(super) fn offer(&self, object: Value) {
        self.0.send_if_modified(|seen| {
            !is_overtaken(seen, &object) && replace(seen, Sight::There(Arc::new(object)))
        });
    }

    /// The last state of an object that is gone.
    pub(super) fn gone(&self, object: &Value) {
        self.0.send_if_modified(|seen| !is_overtaken(seen, object) && replace(seen, Sight::Absent));
    }
}

fn replace(seen: &mut Sight, sight: Sight) -> bool {
    let is_new = *seen != sight;
    if is_new {
        *seen = sight;
    }
    is_new
}

/// Whether something later than `object` was seen. Versions are numbers that grow (Kubernetes API conventions, since 1.35); where one is none, nothing
/// is overtaken.
fn is_overtaken(seen: &Sight, object: &Value) -> bool {
    let seen = seen.object().and_then(|seen| version(seen));
    seen.zip(version(object)).is_some_and(|(seen, offered)| offered < seen)
}

fn version(object: &Value) -> Option<u64> {
    object.pointer("/metadata/resourceVersion")?.as_str()?.parse().ok()
}

/// The uid of an object; empty where it has none.
pub(super) fn uid(object: &Value) -> &str {
    object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(version: &str) -> Value {
        json!({"metadata": {"uid": "u", "resourceVersion": version}})
    }

    fn seen(board: &Board) -> String {
        match board.sight() {
            Sight::Unknown => "unknown".to_owned(),
            Sight::Absent => "absent".to_owned(),
            Sight::There(object) => object["metadata"]["resourceVersion"].to_string(),
        }
    }

    #[test]
    fn the_latest_counts() {
        let board = Board::default();
        assert_eq!(seen(&board), "unknown");
        board.offer(object("7"));
        board.offer(object("5"));
        assert_eq!(seen(&board), r#""7""#, "an answer that the watch was faster than");
        board.gone(&object("6"));
        assert_eq!(seen(&board), r#""7""#);
        board.offer(object("10"));
        assert_eq!(seen(&board), r#""10""#, "numbers, not texts");
        board.gone(&object("11"));
        assert_eq!(seen(&board), "absent");
    }

    #[test]
    fn a_listing_counts_whatever_was_seen() {
        let board = Board::default();
        board.offer(object("7"));
        board.listed(&board.sight(), Some(object("3")));
        assert_eq!(seen(&board), r#""3""#, "a cluster that was restored from a copy");
        board.listed(&board.sight(), None);
        assert_eq!(seen(&board), "absent");
    }

    #[test]
    fn what_was_seen_since_a_listing_was_asked_for_is_later() {
        let board = Board::default();
        board.offer(object("7"));
        let before = board.sight();
        board.offer(object("9"));
        board.listed(&before, Some(object("8")));
        assert_eq!(seen(&board), r#""9""#, "a listing that was on its way for long");
        board.listed(&before, Some(object("10")));
        assert_eq!(seen(&board), r#""10""#);
    }
}
