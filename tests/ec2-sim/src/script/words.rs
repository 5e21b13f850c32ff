//! The words of a line: a verb, then words by position, then `name=value`.

use std::str::FromStr;

pub(super) struct Words<'a> {
    pub(super) verb: &'a str,
    positional: Vec<&'a str>,
    named: Vec<(&'a str, &'a str)>,
    /// All that stands behind the verb.
    pub(super) rest: &'a str,
}

impl<'a> Words<'a> {
    pub(super) fn parse(line: &'a str) -> Self {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut words = Self { verb, positional: Vec::new(), named: Vec::new(), rest: rest.trim() };
        for word in rest.split_whitespace() {
            match word.split_once('=') {
                Some(named) => words.named.push(named),
                None => words.positional.push(word),
            }
        }
        words
    }

    pub(super) fn at(&self, position: usize) -> &'a str {
        self.positional.get(position).copied().unwrap_or_default()
    }

    pub(super) fn number(&self, position: usize) -> u64 {
        self.at(position).parse().expect("a number")
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.positional.contains(&word)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.named.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    pub(super) fn value<Value: FromStr>(&self, name: &str) -> Option<Value> {
        self.get(name).map(|text| text.parse().ok().expect("a value of its kind"))
    }

    pub(super) fn list<Value: FromStr>(&self, name: &str) -> Vec<Value> {
        let texts = self.get(name).into_iter().flat_map(|text| text.split(','));
        let texts = texts.filter(|text| !text.is_empty());
        texts.map(|text| text.parse().ok().expect("values of their kind")).collect()
    }

    pub(super) fn named(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.named.iter().copied()
    }
}
