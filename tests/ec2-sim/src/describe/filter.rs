//! Filters: names that a listing knows, and values with wildcards.

use super::Context;
use crate::error::ApiError;
use crate::model::Tags;
use crate::request::Filter;

/// The most values that all filters of a call may have together (EC2 user guide, "List and filter your resources").
const VALUES: usize = 200;

/// Asks whether a value is one of those that match.
pub(super) type Test<'a> = &'a mut dyn FnMut(&str) -> bool;

/// Gives the values that an item has for a filter's name to the test, until it says yes.
pub(super) type Field<Item> = fn(&Item, &Context<'_>, Test<'_>) -> bool;

/// What a listing can be filtered by.
pub(super) struct Fields<Item: 'static> {
    /// Names and what they stand for.
    pub(super) named: &'static [(&'static str, Field<Item>)],
    /// Its tags, for `tag:KEY`, `tag-key` and `tag-value`; none for what has none.
    pub(super) tags: Option<fn(&Item) -> &Tags>,
}

/// Filters whose names are known and whose values are read.
pub(super) struct Filters<Item: 'static>(Vec<(By<Item>, Vec<Pattern>)>);

/// By what a filter chooses.
enum By<Item: 'static> {
    Field(Field<Item>),
    Tag(fn(&Item) -> &Tags, String),
    TagKey(fn(&Item) -> &Tags),
    TagValue(fn(&Item) -> &Tags),
}

impl<Item> Filters<Item> {
    /// Reads the filters of a call.
    ///
    /// # Errors
    ///
    /// A name that the listing does not know, a filter without values, and too many values.
    pub(super) fn read(filters: &[Filter], fields: &Fields<Item>) -> Result<Self, ApiError> {
        let values: usize = filters.iter().map(|filter| filter.values.len()).sum();
        if values > VALUES {
            return Err(ApiError::filter_limit(VALUES));
        }
        let read = |filter: &Filter| {
            let unknown = || ApiError::unknown_filter(&filter.name);
            let by = fields.find(&filter.name).ok_or_else(unknown)?;
            if filter.values.is_empty() {
                return Err(ApiError::empty_filter(&filter.name));
            }
            Ok((by, filter.values.iter().map(|value| Pattern::read(value)).collect()))
        };
        filters.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether an item matches all of them.
    pub(super) fn match_item(&self, item: &Item, context: &Context<'_>) -> bool {
        self.0.iter().all(|(by, patterns)| {
            let mut test = |value: &str| patterns.iter().any(|pattern| pattern.matches(value));
            match by {
                By::Field(field) => field(item, context, &mut test),
                By::Tag(tags, key) => tags(item).get(key).is_some_and(|value| test(value)),
                By::TagKey(tags) => tags(item).keys().any(|key| test(key)),
                By::TagValue(tags) => tags(item).values().any(|value| test(value)),
            }
        })
    }
}

impl<Item> Fields<Item> {
    fn find(&self, name: &str) -> Option<By<Item>> {
        if let Some((_, field)) = self.named.iter().find(|(known, _)| *known == name) {
            return Some(By::Field(*field));
        }
        let tags = self.tags?;
        match name {
            "tag-key" => Some(By::TagKey(tags)),
            "tag-value" => Some(By::TagValue(tags)),
            _ => Some(By::Tag(tags, name.strip_prefix("tag:")?.to_owned())),
        }
    }
}

/// The one value of a filter of that name, if that is what the filters say, and it has no wildcards: what an index can look up.
pub(super) fn exact(filters: &[Filter], name: &str) -> Option<String> {
    let filter = filters.iter().find(|filter| filter.name == name)?;
    let [value] = filter.values.as_slice() else { return None };
    match Pattern::read(value) {
        Pattern::Exact(text) => Some(text),
        Pattern::Wild(_) => None,
    }
}

/// A value of a filter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Without wildcards.
    Exact(String),
    /// With some.
    Wild(Vec<Part>),
}

/// A part of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// This character.
    One(char),
    /// `?`: any character.
    Any,
    /// `*`: any characters, or none.
    Many,
}

impl Pattern {
    /// Reads a value: a backslash takes the meaning from the character behind it.
    pub(super) fn read(value: &str) -> Self {
        let mut parts = Vec::new();
        let mut characters = value.chars();
        while let Some(character) = characters.next() {
            parts.push(match character {
                '*' => Part::Many,
                '?' => Part::Any,
                '\\' => Part::One(characters.next().unwrap_or('\\')),
                other => Part::One(other),
            });
        }
        let literal = |part: &Part| match part {
            Part::One(character) => Some(*character),
            Part::Any | Part::Many => None,
        };
        let exact: Option<String> = parts.iter().map(literal).collect();
        exact.map_or(Self::Wild(parts), Self::Exact)
    }

    /// Whether a text matches all of it. Upper and lower case differ.
    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == text,
            Self::Wild(parts) => wild(parts, text),
        }
    }
}

/// Goes back to the latest `*` alone, so that it takes at most as many steps as the product of both lengths.
fn wild(parts: &[Part], text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let (mut part, mut at) = (0, 0);
    let mut retry = None;
    while at < characters.len() {
        match parts.get(part) {
            Some(Part::Many) => {
                part += 1;
                retry = Some((part, at));
            }
            Some(Part::Any) => (part, at) = (part + 1, at + 1),
            Some(Part::One(one)) if *one == characters[at] => (part, at) = (part + 1, at + 1),
            _ => {
                let Some((behind, from)) = retry else { return false };
                retry = Some((behind, from + 1));
                (part, at) = (behind, from + 1);
            }
        }
    }
    parts[part..].iter().all(|part| *part == Part::Many)
}
