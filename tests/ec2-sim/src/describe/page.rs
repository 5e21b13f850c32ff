//! Pages of a listing.

use std::ops::RangeInclusive;

use super::filter::{Fields, Filters};
use super::{Context, Query, token};
use crate::error::ApiError;
use crate::reply::Listed;
use crate::request::Action;

/// What is listed, and how.
pub(super) struct Subject<Item: 'static> {
    /// By which action.
    pub(super) action: Action,
    /// How many items a page may be asked to have.
    pub(super) sizes: RangeInclusive<i64>,
    /// How many it has when nothing is asked; none for all.
    pub(super) size: Option<usize>,
    /// Whether ids and a page size exclude each other.
    pub(super) ids_or_pages: bool,
    /// By what items are ordered, each having its own.
    pub(super) key: fn(&Item) -> String,
    /// By what they can be filtered.
    pub(super) fields: Fields<Item>,
}

/// A listing whose parameters were found sound.
pub(super) struct Scan<'a, Item: 'static> {
    subject: &'static Subject<Item>,
    context: &'a Context<'a>,
    filters: Filters<Item>,
    /// Which query it is.
    query: u64,
    size: Option<usize>,
    /// Behind which item the page begins; empty for the first page.
    pub(super) after: String,
}

impl<'a, Item> Scan<'a, Item> {
    /// Checks page, token and filters.
    ///
    /// # Errors
    ///
    /// A page size out of range or beside ids, a token that is no good, filters that are no good.
    pub(super) fn new(
        subject: &'static Subject<Item>,
        query: &Query<'_>,
        context: &'a Context<'a>,
    ) -> Result<Self, ApiError> {
        let filters = Filters::read(query.filters, &subject.fields)?;
        let size = size(subject, query)?;
        let number = token::fingerprint(subject.action, query, context.caller_account);
        let after = match &query.page.next_token {
            Some(text) => token::decode(text, number, context)?,
            None => String::new(),
        };
        Ok(Self { subject, context, filters, query: number, size, after })
    }

    /// The page of these items, which are ordered by key; those up to [`Scan::after`] may be left out already.
    pub(super) fn page(self, items: impl IntoIterator<Item = Item>) -> Listed<Item> {
        let key = self.subject.key;
        let behind = |item: &Item| self.after.is_empty() || key(item) > self.after;
        let mut matching = items
            .into_iter()
            .filter(behind)
            .filter(|item| self.filters.match_item(item, self.context));
        let mut page: Vec<Item> = match self.size {
            Some(size) => matching.by_ref().take(size).collect(),
            None => matching.by_ref().collect(),
        };
        let more = self.size.is_some() && matching.next().is_some();
        let fired = self.context.fired;
        let last = page.last().filter(|_| more).map(key);
        let after = if fired.repeats_page() { last.map(|_| self.after.clone()) } else { last };
        page.truncate(fired.page_cut().unwrap_or(usize::MAX));
        let next_token = after.map(|after| token::encode(self.context.now, self.query, &after));
        Listed { items: page, next_token }
    }
}

fn size<Item>(subject: &Subject<Item>, query: &Query<'_>) -> Result<Option<usize>, ApiError> {
    let Some(asked) = query.page.max_results else {
        return Ok(subject.size.filter(|_| !query.by_id));
    };
    let (low, high) = (*subject.sizes.start(), *subject.sizes.end());
    if subject.ids_or_pages && query.by_id {
        return Err(ApiError::ids_with_max_results("ids"));
    }
    let size = usize::try_from(asked).ok().filter(|_| subject.sizes.contains(&asked));
    size.map(Some).ok_or_else(|| ApiError::max_results(asked, low, high))
}
