//! Which addresses of a CIDR are free, lowest first, without a search.

use alloc::vec;
use alloc::vec::Vec;

/// Bits in a word.
const WORD: usize = 64;

/// A set of small numbers whose least member is found in two steps.
#[derive(Debug, Clone)]
pub(super) struct FreeSet {
    /// The members themselves while they fit into one word, otherwise which `words` are not zero.
    top: u64,
    /// 64 members each; empty while `top` is enough.
    words: Vec<u64>,
}

const _: () = assert!(
    super::cidr::ADDRESSES_PER_CIDR_MAX <= WORD * WORD,
    "two levels must be enough for a CIDR"
);

impl FreeSet {
    /// An empty set for numbers below `length`, at most 4,096.
    pub(super) fn new(length: usize) -> Self {
        let words = if length <= WORD { Vec::new() } else { vec![0; length.div_ceil(WORD)] };
        Self { top: 0, words }
    }

    /// The least member.
    pub(super) fn first(&self) -> Option<usize> {
        let top = lowest(self.top)?;
        match self.words.get(top) {
            Some(&word) => Some(top * WORD + lowest(word)?),
            None => Some(top),
        }
    }

    pub(super) fn insert(&mut self, member: usize) {
        match self.words.get_mut(member / WORD) {
            Some(word) => {
                *word |= 1 << (member % WORD);
                self.top |= 1 << (member / WORD);
            }
            None => self.top |= 1 << member,
        }
    }

    pub(super) fn remove(&mut self, member: usize) {
        match self.words.get_mut(member / WORD) {
            Some(word) => {
                *word &= !(1 << (member % WORD));
                if *word == 0 {
                    self.top &= !(1 << (member / WORD));
                }
            }
            None => self.top &= !(1 << member),
        }
    }
}

/// The index of the lowest set bit.
fn lowest(word: u64) -> Option<usize> {
    (word != 0).then(|| word.trailing_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    #[test]
    fn agrees_with_an_ordinary_set() {
        for length in [1, 2, 16, 64, 128, 4096] {
            let (mut set, mut expected) = (FreeSet::new(length), BTreeSet::new());
            for step in 0..length * 4 {
                // 2,654,435,761 is odd, so that every number is met, in no order.
                let member = (step * 2_654_435_761) % length;
                if step % 3 == 0 {
                    set.remove(member);
                    expected.remove(&member);
                } else {
                    set.insert(member);
                    expected.insert(member);
                }
                assert_eq!(set.first(), expected.first().copied(), "step {step} of {length}");
            }
        }
    }
}
