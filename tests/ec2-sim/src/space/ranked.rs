//! A set of small numbers that knows its members by rank.

/// How many words share one count.
const GROUP: usize = 32;

/// A set of numbers below a bound. The member of any rank, and the rank of any number, are found by looking at some sixty words and
/// counts at most for 65,536 numbers, however full the set is.
#[derive(Debug, Clone)]
pub(super) struct Ranked {
    words: Vec<u64>,
    /// Members in each [`GROUP`] of words.
    groups: Vec<u32>,
    total: u32,
}

impl Ranked {
    /// The empty set of numbers below `bound`.
    pub(super) fn new(bound: usize) -> Self {
        let words = bound.div_ceil(64);
        Self { words: vec![0; words], groups: vec![0; words.div_ceil(GROUP)], total: 0 }
    }

    /// How many members it has.
    pub(super) const fn total(&self) -> u32 {
        self.total
    }

    /// Makes `number` a member, or not.
    pub(super) fn put(&mut self, number: usize, member: bool) {
        let bit = 1 << (number % 64);
        let word = self.words[number / 64];
        self.write(number / 64, if member { word | bit } else { word & !bit });
    }

    /// Says for the sixteen numbers from `16 * lane` on which are members.
    pub(super) fn put_lane(&mut self, lane: usize, members: u16) {
        let shift = 16 * (lane % 4);
        let word = self.words[lane / 4] & !(0xffff << shift);
        self.write(lane / 4, word | u64::from(members) << shift);
    }

    fn write(&mut self, at: usize, word: u64) {
        let before = std::mem::replace(&mut self.words[at], word).count_ones();
        let group = &mut self.groups[at / GROUP];
        *group = *group + word.count_ones() - before;
        self.total = self.total + word.count_ones() - before;
    }

    /// How many members are below `number`.
    pub(super) fn rank(&self, number: usize) -> u32 {
        let word = number / 64;
        let group = (word / GROUP).min(self.groups.len());
        let groups: u32 = self.groups[..group].iter().sum();
        let end = word.min(self.words.len());
        let words: u32 = self.words[group * GROUP..end].iter().map(|word| word.count_ones()).sum();
        let below = (1_u64 << (number % 64)) - 1;
        groups + words + self.words.get(word).map_or(0, |word| (word & below).count_ones())
    }

    /// The member below which there are `rank` others.
    pub(super) fn select(&self, mut rank: u32) -> Option<usize> {
        let group = self.groups.iter().position(|count| stands_below(&mut rank, *count))?;
        let words = &self.words[group * GROUP..];
        let word = words.iter().position(|word| stands_below(&mut rank, word.count_ones()))?;
        let mut rest = words[word];
        for _ in 0..rank {
            rest &= rest - 1;
        }
        Some((group * GROUP + word) * 64 + rest.trailing_zeros() as usize)
    }
}

/// Whether a part with so many members has the one of that rank; if not, the rank is what is left behind the part.
const fn stands_below(rank: &mut u32, count: u32) -> bool {
    let found = *rank < count;
    if !found {
        *rank -= count;
    }
    found
}
