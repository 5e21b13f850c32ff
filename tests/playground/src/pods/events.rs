//! How often it may be said that a pod has no address: an event is an object in the API, and nobody takes it away again.

use std::collections::BTreeMap;
use std::time::Duration;

/// The same of the same pod is said again after this time.
const APART: Duration = Duration::from_mins(1);

/// Events in a row, of all pods.
const AT_ONCE: u32 = 20;

/// How long it takes until one more may be said.
const REFILL: Duration = Duration::from_millis(200);

/// What was said of whom, and when.
#[derive(Debug)]
pub(super) struct EventLimit {
    said: BTreeMap<String, (Duration, String)>,
    left: u32,
    filled: Duration,
}

impl Default for EventLimit {
    fn default() -> Self {
        Self { said: BTreeMap::new(), left: AT_ONCE, filled: Duration::ZERO }
    }
}

impl EventLimit {
    /// Whether `text` may be said of `pod` at `now`, a time since some start. It counts as said then.
    pub(super) fn admit(&mut self, now: Duration, pod: &str, text: &str) -> bool {
        let before = self.said.get(pod);
        if before.is_some_and(|(at, said)| said == text && now.saturating_sub(*at) < APART) {
            return false;
        }
        self.refill(now);
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        self.said.retain(|_, (at, _)| now.saturating_sub(*at) < APART);
        self.said.insert(pod.to_owned(), (now, text.to_owned()));
        true
    }

    fn refill(&mut self, now: Duration) {
        while self.left < AT_ONCE && self.filled + REFILL <= now {
            self.filled += REFILL;
            self.left += 1;
        }
        if self.left == AT_ONCE {
            self.filled = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_says_the_same_once_a_minute() {
        let mut limit = EventLimit::default();
        let mut check = |seconds: u64, pod: &str, text: &str, expected: bool| {
            let found = limit.admit(Duration::from_secs(seconds), pod, text);
            assert_eq!(found, expected, "{seconds} {pod} {text}");
        };
        check(0, "a", "no address", true);
        check(5, "a", "no address", false);
        check(5, "b", "no address", true);
        check(6, "a", "the agent is away", true);
        check(59, "a", "the agent is away", false);
        check(66, "a", "the agent is away", true);
    }

    #[test]
    fn all_pods_together_say_five_a_second_after_a_start() {
        let mut limit = EventLimit::default();
        let mut said = [0; 10];
        for (second, said) in (0..).zip(&mut said) {
            for pod in 0..100 {
                let now = Duration::from_millis(second * 1000 + pod * 10);
                *said += u32::from(limit.admit(now, &format!("{second}-{pod}"), "no address"));
            }
        }
        assert_eq!(said, [24, 5, 5, 5, 5, 5, 5, 5, 5, 5]);
    }
}
