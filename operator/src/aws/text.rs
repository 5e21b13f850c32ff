//! Members of EC2's answers, parsed.

use std::fmt::Display;
use std::str::FromStr;

use aws_sdk_ec2::types::Tag;
use ipam_core::call::{Page, PageToken};
use ipam_core::view::Tags;

/// Why an item of an answer cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// A member that every such item has is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A member is not what it should be.
    #[error("{member} is {text:?}: {problem}")]
    Malformed {
        /// The member, as the API calls it.
        member: &'static str,
        /// What stands there.
        text: String,
        /// What was expected.
        problem: String,
    },
}

/// A member that must be there.
pub(super) fn required<T>(member: &'static str, text: Option<&str>) -> Result<T, Unreadable>
where
    T: FromStr<Err: Display>,
{
    parsed(member, text.ok_or(Unreadable::Missing(member))?)
}

/// A member that may be missing, but not be wrong.
pub(super) fn optional<T>(member: &'static str, text: Option<&str>) -> Result<Option<T>, Unreadable>
where
    T: FromStr<Err: Display>,
{
    text.map(|text| parsed(member, text)).transpose()
}

/// Entries of a list, none of which may be wrong.
pub(super) fn all<'a, T>(
    member: &'static str,
    texts: impl IntoIterator<Item = Option<&'a str>>,
) -> Result<Vec<T>, Unreadable>
where
    T: FromStr<Err: Display>,
{
    texts.into_iter().map(|text| required(member, text)).collect()
}

fn parsed<T: FromStr<Err: Display>>(member: &'static str, text: &str) -> Result<T, Unreadable> {
    text.parse().map_err(|problem: T::Err| Unreadable::Malformed {
        member,
        text: text.to_owned(),
        problem: problem.to_string(),
    })
}

/// A number that must be there and fit.
pub(super) fn number<T: TryFrom<i32>>(
    member: &'static str,
    value: Option<i32>,
) -> Result<T, Unreadable> {
    let value = value.ok_or(Unreadable::Missing(member))?;
    T::try_from(value).map_err(|_| Unreadable::Malformed {
        member,
        text: value.to_string(),
        problem: "the number is out of range".to_owned(),
    })
}

/// Tags by key.
pub(super) fn tags(tags: &[Tag]) -> Tags {
    let pair = |tag: &Tag| {
        let value = tag.value().unwrap_or_default();
        tag.key().map(|key| (key.to_owned(), value.to_owned()))
    };
    tags.iter().filter_map(pair).collect()
}

/// What of a page can be used. What cannot is named, and costs nothing but itself.
pub(super) fn page<Item, Read>(
    items: &[Item],
    next: Option<&str>,
    name: impl Fn(&Item) -> Option<&str>,
    read: impl Fn(&Item) -> Result<Read, Unreadable>,
) -> Page<Read> {
    let next = next.filter(|token| !token.is_empty()).map(|token| PageToken(token.to_owned()));
    let mut page = Page { items: Vec::with_capacity(items.len()), unreadable: Vec::new(), next };
    for item in items {
        match read(item) {
            Ok(read) => page.items.push(read),
            Err(problem) => {
                let name = name(item).unwrap_or("an item without an id");
                page.unreadable.push(format!("{name}: {problem}"));
            }
        }
    }
    page
}
