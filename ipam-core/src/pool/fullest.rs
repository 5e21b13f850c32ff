//! Which CIDR the next address comes from.

use alloc::vec;
use alloc::vec::Vec;

/// The entry with the highest rank, the first one of equals: a tournament tree.
///
/// A change of rank walks from its leaf towards the root and stops where the winner stays the same;
/// asking walks back down. Both are a step a level, 12 at 4,096 entries.
#[derive(Debug, Clone)]
pub(super) struct Fullest {
    /// Node 1 is the root, `n` has the children `2 * n` and `2 * n + 1` and the higher rank of both;
    /// the leaves are the second half.
    ranks: Vec<u32>,
}

impl Fullest {
    /// A tree of `entries` entries, all of rank 0.
    pub(super) fn new(entries: usize) -> Self {
        Self { ranks: vec![0; entries.next_power_of_two() * 2] }
    }

    /// The first entry of the highest rank; none while every rank is 0.
    pub(super) fn best(&self) -> Option<usize> {
        let leaves = self.ranks.len() / 2;
        let highest = self.ranks[1];
        let mut node = 1;
        while node < leaves {
            let left = node * 2;
            node = left + usize::from(self.ranks[left] != highest);
        }
        (highest != 0).then_some(node - leaves)
    }

    /// Changes the rank of an entry.
    pub(super) fn set(&mut self, entry: usize, rank: u32) {
        let mut node = self.ranks.len() / 2 + entry;
        let mut winner = rank;
        while node > 0 && self.ranks[node] != winner {
            self.ranks[node] = winner;
            winner = winner.max(self.ranks[node ^ 1]);
            node /= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_a_search() {
        for entries in [1, 2, 3, 7, 100, 1600] {
            let (mut tree, mut ranks) = (Fullest::new(entries), vec![0; entries]);
            for step in 0..entries * 8 {
                let entry = (step * 2_654_435_761) % entries;
                let rank = u32::try_from(step * 40_503 % 19).unwrap();
                tree.set(entry, rank);
                ranks[entry] = rank;
                let highest = ranks.iter().max().filter(|rank| **rank > 0);
                let expected = highest.and_then(|best| ranks.iter().position(|rank| rank == best));
                assert_eq!(tree.best(), expected, "step {step} of {entries}");
            }
        }
    }

    #[test]
    fn an_empty_tree_has_no_best() {
        assert_eq!(Fullest::new(0).best(), None);
    }
}
