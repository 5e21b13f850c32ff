//! A call as a line of text: the action, and its parameters under the names that the EC2 API has for them.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};

/// Names that stand for identifiers, in scripts and in what is printed.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<String, String>);

impl Names {
    /// From now on, `name` stands for `id`.
    pub(crate) fn learn(&mut self, name: &str, id: &str) {
        self.0.insert(name.to_owned(), id.to_owned());
    }

    /// The identifier of that name; a text that is no name stands for itself.
    pub(crate) fn id(&self, name: &str) -> String {
        self.0.get(name).map_or_else(|| name.to_owned(), Clone::clone)
    }

    /// `text` with names in place of identifiers.
    pub(crate) fn replace(&self, text: &str) -> String {
        let mut known: Vec<_> = self.0.iter().collect();
        // An instance's id is a part of an interface's: `i-1` of `eni-1`.
        known.sort_by_key(|(_, id)| std::cmp::Reverse(id.len()));
        known.into_iter().fold(text.to_owned(), |text, (name, id)| text.replace(id, name))
    }
}

/// The parameters of one call. Every one that was given must be taken.
#[derive(Debug)]
pub(crate) struct Parameters<'a> {
    names: &'a Names,
    given: BTreeMap<&'a str, &'a str>,
}

impl<'a> Parameters<'a> {
    /// Reads `Name=value` words.
    pub(crate) fn read(names: &'a Names, words: &'a str) -> Self {
        let given = words.split_whitespace().map(|word| word.split_once('=').expect("Name=value"));
        Self { names, given: given.collect() }
    }

    /// A value: a name of an identifier, or a text.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.given.remove(name).map(|value| self.names.id(value))
    }

    /// A number.
    pub(crate) fn number(&mut self, name: &str) -> Option<i32> {
        self.given.remove(name).map(|value| value.parse().expect("a number"))
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        self.given.remove(name).map(|value| value.parse().expect("true or false"))
    }

    /// Values with commas between them.
    pub(crate) fn list(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.given.remove(name)?;
        Some(value.split(',').map(|item| self.names.id(item)).collect())
    }

    /// The same, each made into something else.
    pub(crate) fn list_of<T>(&mut self, name: &str, make: impl Fn(String) -> T) -> Option<Vec<T>> {
        Some(self.list(name)?.into_iter().map(make).collect())
    }

    /// `key:value,key:value`.
    pub(crate) fn tags(&mut self, name: &str) -> Option<Vec<Tag>> {
        let pairs = self.given.remove(name)?.split(',');
        let tag = |pair: &str| {
            let (key, value) = pair.split_once(':').expect("key:value");
            Tag::builder().key(key).value(value).build()
        };
        Some(pairs.map(tag).collect())
    }

    /// The tags of what is made, which is of that kind.
    pub(crate) fn specification(&mut self, kind: ResourceType) -> Option<Vec<TagSpecification>> {
        let tags = self.tags("TagSpecification")?;
        Some(vec![TagSpecification::builder().resource_type(kind).set_tags(Some(tags)).build()])
    }

    /// `Filter=name=value,value;name=value`.
    pub(crate) fn filters(&mut self) -> Option<Vec<Filter>> {
        let filters = self.given.remove("Filter")?.split(';');
        let filter = |text: &str| {
            let (name, values) = text.split_once('=').expect("name=value");
            let values = values.split(',').map(|value| self.names.id(value)).collect();
            Filter::builder().name(name).set_values(Some(values)).build()
        };
        Some(filters.map(filter).collect())
    }

    /// Fails when something was given that the action does not take.
    #[track_caller]
    pub(crate) fn finish(self) {
        assert!(self.given.is_empty(), "not taken: {:?}", self.given);
    }
}
