//! What somebody else undoes again and again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use ipam_core::ids::EniId;
use tokio::time::Instant;

/// So many repairs of the same thing within [`WINDOW`] are no accident.
const MANY: usize = 5;

/// See [`MANY`]. A repair is made at least every 4 s, so that somebody who undoes each is noticed.
const WINDOW: Duration = Duration::from_mins(1);

/// So many things are remembered; with more in dispute than that, it is known well enough that there is one.
const REMEMBERED: usize = 256;

/// What was repaired of late.
#[derive(Default)]
pub(super) struct Disputes(BTreeMap<String, Repairs>);

struct Repairs {
    enis: BTreeSet<EniId>,
    /// The last of them, [`MANY`] at most.
    when: VecDeque<Instant>,
}

impl Disputes {
    /// Something was repaired.
    pub(super) fn note(&mut self, now: Instant, what: String, enis: &BTreeSet<EniId>) {
        if self.0.len() >= REMEMBERED && !self.0.contains_key(&what) {
            return;
        }
        let new = || Repairs { enis: enis.clone(), when: VecDeque::new() };
        let repairs = self.0.entry(what).or_insert_with(new);
        repairs.when.push_back(now);
        if repairs.when.len() > MANY {
            repairs.when.pop_front();
        }
    }

    /// What is in dispute, by interface. Forgets what is over.
    pub(super) fn standing(&mut self, now: Instant) -> BTreeMap<EniId, String> {
        self.0.retain(|_, repairs| repairs.when.back().is_some_and(|last| now - *last < WINDOW));
        let disputed = self
            .0
            .iter()
            .filter(|(_, repairs)| repairs.when.len() == MANY && now - repairs.when[0] < WINDOW);
        let mut standing = BTreeMap::new();
        for (what, repairs) in disputed {
            for eni in &repairs.enis {
                let text =
                    || format!("something else on the host undoes this again and again: {what}");
                standing.entry(eni.clone()).or_insert_with(text);
            }
        }
        standing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_repairs_within_a_minute_are_a_dispute() {
        let eni: EniId = "eni-00000000000000001".parse().unwrap();
        let enis = BTreeSet::from([eni.clone()]);
        let (start, mut disputes) = (Instant::now(), Disputes::default());
        let at = |seconds| start + Duration::from_secs(seconds);
        for second in [0, 10, 20, 30] {
            disputes.note(at(second), "add rule".to_owned(), &enis);
            assert!(disputes.standing(at(second)).is_empty());
        }
        disputes.note(at(61), "add rule".to_owned(), &enis);
        assert_eq!(disputes.standing(at(61)).len(), 0, "the first is too long ago");
        disputes.note(at(62), "add rule".to_owned(), &enis);
        let standing = disputes.standing(at(62));
        assert!(standing[&eni].ends_with("again and again: add rule"), "{standing:?}");
        assert!(disputes.standing(at(90)).is_empty(), "it has stopped");
        assert!(disputes.standing(at(130)).is_empty() && disputes.0.is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let mut disputes = Disputes::default();
        for number in 0..10 * REMEMBERED {
            disputes.note(Instant::now(), number.to_string(), &BTreeSet::new());
            disputes.note(Instant::now(), "0".to_owned(), &BTreeSet::new());
        }
        assert_eq!((disputes.0.len(), disputes.0["0"].when.len()), (REMEMBERED, MANY));
    }
}
