//! Decides whether the pages that EC2 answered with are whole and credible.

use crate::described::{Described, InstanceType, Refused};
use std::collections::{BTreeMap, BTreeSet};

/// At 100 types per page this is seven times what EC2 had in November 2026. A server that always has
/// one more page must not be listened to for ever.
pub const PAGES_MAX: usize = 100;

/// The pages of one region read so far.
#[derive(Debug, Default)]
pub struct Pages {
    count: usize,
    tokens: BTreeSet<String>,
    types: BTreeMap<String, InstanceType>,
}

impl Pages {
    /// Adds the next page: what it describes, and the token it gives for the page after it.
    ///
    /// # Errors
    /// A description that cannot be used or that repeats a type, a token that an earlier page gave, or
    /// one page too many.
    pub fn accept(&mut self, page: &[Described], next: Option<&str>) -> Result<(), PageError> {
        self.count += 1;
        let page_number = self.count;
        for described in page {
            let checked = described.checked();
            self.add(checked.map_err(|source| PageError::Type { page: page_number, source })?)?;
        }
        if next.is_some_and(|token| !self.tokens.insert(token.to_owned())) {
            return Err(PageError::RepeatedToken { page: page_number });
        }
        if next.is_some() && page_number == PAGES_MAX {
            return Err(PageError::TooMany);
        }
        Ok(())
    }

    fn add(&mut self, described: InstanceType) -> Result<(), PageError> {
        if self.types.contains_key(&described.name) {
            return Err(PageError::RepeatedType { page: self.count, name: described.name });
        }
        self.types.insert(described.name.clone(), described);
        Ok(())
    }

    /// How many pages have been read.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many types they described.
    #[must_use]
    pub fn types(&self) -> usize {
        self.types.len()
    }

    /// Every type of every page, by name, after the last one.
    ///
    /// # Errors
    /// No types at all.
    pub fn finish(self) -> Result<BTreeMap<String, InstanceType>, PageError> {
        if self.types.is_empty() {
            return Err(PageError::NoTypes);
        }
        Ok(self.types)
    }
}

/// Why the pages of a region are not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// EC2 describes a type incompletely.
    #[error("page {page} of DescribeInstanceTypes")]
    Type {
        /// The page, counted from 1.
        page: usize,
        /// The type and what is wrong with it.
        source: Refused,
    },
    /// EC2 describes a type a second time.
    #[error("page {page} of DescribeInstanceTypes describes {name} a second time")]
    RepeatedType {
        /// The page, counted from 1.
        page: usize,
        /// The type.
        name: String,
    },
    /// Following the tokens would go round in a circle.
    #[error("page {page} of DescribeInstanceTypes gives a next page that was already read")]
    RepeatedToken {
        /// The page, counted from 1.
        page: usize,
    },
    /// There is always one more page.
    #[error("DescribeInstanceTypes does not end after {PAGES_MAX} pages")]
    TooMany,
    /// Every page is empty.
    #[error("DescribeInstanceTypes describes no instance types")]
    NoTypes,
}
