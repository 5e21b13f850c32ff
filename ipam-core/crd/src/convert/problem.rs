//! What is wrong with an object, and where.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipam_core::ids::InvalidId;

use crate::{Misfit, Misfits};

/// One member of an object that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {fault}")]
pub struct Problem {
    /// Where it is, as one would write it in code: `status.eni.enis["eni-1"].prefixes[2]`.
    pub path: String,
    /// What was expected there.
    pub fault: Fault,
}

/// What is wrong with a member.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is not there.
    #[error("missing: expected {expected}")]
    Missing {
        /// What was expected, with its article: `an IPv4 address`.
        expected: &'static str,
    },
    /// It is something else.
    #[error("not {expected}")]
    Not {
        /// What was expected, with its article.
        expected: &'static str,
    },
    /// It is not an identifier of the kind that belongs there.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// It is a number that makes no sense.
    #[error("{value} is out of range: expected {least} to {most}")]
    OutOfRange {
        /// The number.
        value: i64,
        /// The least that makes sense.
        least: i64,
        /// The most that makes sense.
        most: i64,
    },
    /// It says again, or says otherwise, what another place says.
    #[error("in conflict with {other}")]
    Conflict {
        /// The other place, which counts.
        other: String,
    },
}

/// Something that cannot be used, and is noted as a problem already.
pub(super) struct Unusable;

/// The problems met so far. Paths are written out only when there is one.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn into_vec(self) -> Vec<Problem> {
        self.0
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Notes one.
    pub(super) fn note(&mut self, path: fmt::Arguments<'_>, fault: impl Into<Fault>) {
        self.0.push(Problem { path: path.to_string(), fault: fault.into() });
    }

    /// Notes each misfit, in place of what was found wrong with what stands in for it.
    pub(super) fn replace_by(&mut self, misfits: &Misfits) {
        let paths: BTreeSet<String> = misfits.iter().map(Misfit::path).collect();
        self.0.retain(|Problem { path, .. }| {
            let mut ends = path.match_indices(['.', '[']).map(|(at, _)| at).chain([path.len()]);
            !ends.any(|end| paths.contains(&path[..end]))
        });
        for misfit in misfits.iter() {
            let expected = misfit.expected();
            self.note(format_args!("{}", misfit.path()), Fault::Not { expected });
        }
    }

    /// `text` as an address or prefix.
    pub(super) fn parse<T: FromStr>(
        &mut self,
        text: &str,
        expected: &'static str,
        path: fmt::Arguments<'_>,
    ) -> Option<T> {
        let value = text.parse().ok();
        if value.is_none() {
            self.note(path, Fault::Not { expected });
        }
        value
    }

    /// `text`, if there is one, as an identifier.
    pub(super) fn id<T: FromStr<Err = InvalidId>>(
        &mut self,
        text: &str,
        path: fmt::Arguments<'_>,
    ) -> Option<T> {
        text.parse().map_err(|invalid: InvalidId| self.note(path, invalid)).ok()
    }

    /// `text`, which must be there, as an identifier.
    pub(super) fn required<T: FromStr<Err = InvalidId>>(
        &mut self,
        text: Option<&str>,
        expected: &'static str,
        path: fmt::Arguments<'_>,
    ) -> Option<T> {
        if text.is_none() {
            self.note(path, Fault::Missing { expected });
        }
        self.id(text?, path)
    }

    /// `value`, if there is one, as a number within `range`.
    pub(super) fn number<T: TryFrom<i64>>(
        &mut self,
        value: Option<i64>,
        range: RangeInclusive<i64>,
        path: fmt::Arguments<'_>,
    ) -> Result<Option<T>, Unusable> {
        let Some(value) = value else { return Ok(None) };
        let number = T::try_from(value).ok().filter(|_| range.contains(&value));
        if number.is_none() {
            let (least, most) = range.into_inner();
            self.note(path, Fault::OutOfRange { value, least, most });
        }
        number.map(Some).ok_or(Unusable)
    }
}
