//! What a member of an object says, in 16 bytes.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Members that schemas and agents before Cilium 1.20 do not know, and therefore drop from what they write back.
const NEWER: [&str; 1] = ["ipv6-prefixes"];

/// A hash of JSON that does not depend on the order of members, nor on that of a list.
///
/// Every list in what the operator publishes is a set (addresses, prefixes, groups, CIDRs), and EC2 lists none in a
/// promised order: a list in another order is no reason to write. A member that is `null` counts as absent, as
/// API servers have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    full: u64,
    without_newer: u64,
}

impl Digest {
    /// Of what a value would be written as; `None` when it has no JSON form.
    #[must_use]
    pub fn of<T: Serialize>(value: &T) -> Option<Self> {
        serde_json::to_string(value).ok().map(|text| Self::of_text(&text))
    }

    /// Of JSON. A text that cannot be followed, such as one of more than 128 levels, counts letter by letter.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self::both(&(b'?', text)))
    }

    /// Whether both are the same but for members that older schemas and agents drop.
    #[must_use]
    pub const fn is_same_to_older(self, other: Self) -> bool {
        self.without_newer == other.without_newer
    }

    fn both(value: &impl Hash) -> Self {
        let full = hash(value);
        Self { full, without_newer: full }
    }

    /// Adds an entry of a list or of a map, in any order.
    const fn add(self, entry: Self) -> Self {
        Self {
            full: self.full.wrapping_add(entry.full),
            without_newer: self.without_newer.wrapping_add(entry.without_newer),
        }
    }

    /// Puts a mark around it, so that a list, a map and an entry of one differ.
    fn marked(self, mark: &impl Hash) -> Self {
        Self { full: hash(&(mark, self.full)), without_newer: hash(&(mark, self.without_newer)) }
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

const NOTHING: Digest = Digest { full: 0, without_newer: 0 };

/// Also without copying: a node's members are digested while the object is read.
impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DigestVisitor)
    }
}

struct DigestVisitor;

impl<'de> Visitor<'de> for DigestVisitor {
    type Value = Digest;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Digest, E> {
        Ok(Digest::both(&(b'b', value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Digest, E> {
        Ok(Digest::both(&(b'n', i128::from(value))))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Digest, E> {
        Ok(Digest::both(&(b'n', i128::from(value))))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Digest, E> {
        Ok(Digest::both(&(b'f', value.to_bits())))
    }

    fn visit_str<E>(self, value: &str) -> Result<Digest, E> {
        Ok(Digest::both(&(b's', value)))
    }

    fn visit_unit<E>(self) -> Result<Digest, E> {
        Ok(Digest::both(&b'0'))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Digest, A::Error> {
        let mut sum = NOTHING;
        while let Some(item) = items.next_element::<Digest>()? {
            sum = sum.add(item.marked(&b'i'));
        }
        Ok(sum.marked(&b'l'))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Digest, A::Error> {
        let mut sum = NOTHING;
        while let Some(name) = members.next_key::<String>()? {
            let Some(value) = members.next_value::<Option<Digest>>()? else { continue };
            let mut entry = value.marked(&name);
            if NEWER.contains(&name.as_str()) {
                entry.without_newer = 0;
            }
            sum = sum.add(entry);
        }
        Ok(sum.marked(&b'm'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One door: two texts, and whether they say the same, to all or to those who know no newer members.
    fn check(one: &str, other: &str, expected: &str) {
        let (left, right) = (Digest::of_text(one), Digest::of_text(other));
        let found = match (left == right, left.is_same_to_older(right)) {
            (true, true) => "same",
            (false, true) => "same to older",
            _ => "different",
        };
        assert_eq!(found, expected, "{one} and {other}");
    }

    #[test]
    fn order_and_nulls_do_not_count() {
        check(r#"{"a": 1, "b": [1, 2]}"#, r#"{"b": [2, 1], "a": 1, "c": null}"#, "same");
        check("{}", r#"{"a": null}"#, "same");
    }

    #[test]
    fn everything_else_counts() {
        for (one, other) in [
            ("{}", r#"{"a": {}}"#),
            ("[]", "{}"),
            ("[1]", "[1, 1]"),
            ("[[1], [2]]", "[[1, 2]]"),
            (r#"{"a": 1}"#, r#"{"a": "1"}"#),
            (r#"{"a": 1}"#, r#"{"a": 1.5}"#),
            (r#"{"a": {"b": 1}}"#, r#"{"b": {"a": 1}}"#),
            (r#"{"a": 1, "b": 2}"#, r#"{"a": 2, "b": 1}"#),
            ("true", "false"),
            ("-1", "1"),
        ] {
            check(one, other, "different");
        }
    }

    #[test]
    fn newer_members_are_told_apart() {
        check(r#"{"ip": "1", "ipv6-prefixes": ["a"]}"#, r#"{"ip": "1"}"#, "same to older");
        check(r#"{"ip": "1", "ipv6-prefixes": ["a"]}"#, r#"{"ip": "2"}"#, "different");
    }

    #[test]
    fn what_cannot_be_followed_counts_letter_by_letter() {
        let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(200), "]".repeat(200));
        check(&deep("1"), &deep("1"), "same");
        check(&deep("1"), &deep("2"), "different");
    }

    #[test]
    fn a_value_and_its_text_have_the_same_digest() {
        let value = serde_json::json!({"a": [1, "x"], "b": {"c": true}});
        assert_eq!(Digest::of(&value), Some(Digest::of_text(&value.to_string())));
    }
}
