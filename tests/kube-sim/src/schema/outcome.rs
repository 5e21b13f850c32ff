//! What checking a value comes to.

use serde_json::Value;

use crate::status::{FieldError, FieldErrorKind};

/// Broken rules, and how much was checked: of several schemas of which one must hold, the server tells of the one
/// against which it checked most.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) errors: Vec<FieldError>,
    pub(super) checks: usize,
}

impl Outcome {
    pub(super) const fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    /// Counts one more check.
    pub(super) const fn count(&mut self) {
        self.checks += 1;
    }

    /// Adds an error that is not there yet.
    pub(super) fn add(&mut self, error: FieldError) {
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.checks += other.checks;
        for error in other.errors {
            self.add(error);
        }
    }
}

/// A place in an object. Errors name fields from the object's root; their messages name them from the root of the
/// schema, which for a status is the status.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The field that the schema is of; empty for the whole object.
    pub(super) base: &'a str,
    /// The path below it; empty for itself.
    pub(super) path: &'a str,
    /// Whether the checks are counted, because one of several schemas is to be told of. Elsewhere, what has not
    /// changed is not looked at again.
    pub(super) counted: bool,
}

impl Place<'_> {
    /// An error about the value at the place. `rule` follows "PATH in body".
    pub(super) fn error(self, kind: FieldErrorKind, value: &Value, rule: &str) -> FieldError {
        FieldError::new(kind, self.field(), value.clone(), format!("{} in body {rule}", self.path))
    }

    /// An error of which the server keeps the field to itself.
    pub(super) fn unplaced(self, message: String) -> FieldError {
        let place = Place { path: "", ..self };
        FieldError::new(FieldErrorKind::Invalid, place.field(), "", message)
    }

    pub(super) fn field(self) -> String {
        match (self.base, self.path) {
            ("", "") => "<nil>".into(),
            (base, "") => base.into(),
            (base, path) => super::member(base, path),
        }
    }
}
