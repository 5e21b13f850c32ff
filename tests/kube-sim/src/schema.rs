//! Structural schemas of `CustomResourceDefinitions`: what they fill in, what they cut off, what they refuse.
//!
//! Rules of the expression language (`x-kubernetes-validations`) are read past: they are not evaluated.
//!
//! Source: Kubernetes, extend the API with `CustomResourceDefinitions`; k8s.io/apiextensions-apiserver v0.36 and
//! k8s.io/kube-openapi, package `validation/validate`, for what is checked in which words.

mod check;
mod fill;
mod format;
mod lists;
mod number;
mod outcome;
mod parse;
mod pattern;
mod prune;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use crate::status::FieldError;
use format::Format;

pub use parse::SchemaError;

/// The schema of one version of a custom resource.
#[derive(Debug, Clone)]
pub struct Schema {
    root: Node,
}

/// A schema or a part of one.
#[derive(Debug, Clone, Default)]
struct Node {
    /// The JSON types that are allowed; any, if empty.
    types: Vec<&'static str>,
    nullable: bool,
    format: Option<Format>,
    default: Option<Value>,
    properties: BTreeMap<String, Node>,
    additional: Option<Additional>,
    items: Option<Box<Node>>,
    /// `x-kubernetes-preserve-unknown-fields`.
    preserve: bool,
    /// `x-kubernetes-embedded-resource`.
    embedded: bool,
    list: ListType,
    required: Vec<String>,
    bounds: Bounds,
    pattern: Option<Pattern>,
    allowed: Vec<Value>,
    all_of: Vec<Node>,
    any_of: Vec<Node>,
    one_of: Vec<Node>,
    not: Option<Box<Node>>,
}

/// `additionalProperties`.
#[derive(Debug, Clone)]
enum Additional {
    /// `true`: values are not described.
    Any,
    Described(Box<Node>),
}

/// `x-kubernetes-list-type`.
#[derive(Debug, Clone, Default)]
enum ListType {
    #[default]
    Atomic,
    Set,
    /// With the members that make an item's key.
    Map(Vec<String>),
}

/// Limits of numbers, lengths and counts.
#[derive(Debug, Clone, Default)]
struct Bounds {
    minimum: Option<f64>,
    exclusive_minimum: bool,
    maximum: Option<f64>,
    exclusive_maximum: bool,
    multiple_of: Option<f64>,
    min_length: Option<u64>,
    max_length: Option<u64>,
    min_items: Option<u64>,
    max_items: Option<u64>,
    min_properties: Option<u64>,
    max_properties: Option<u64>,
}

/// A regular expression, and how the schema writes it.
#[derive(Debug, Clone)]
struct Pattern {
    written: String,
    expression: Regex,
}

impl Schema {
    /// Reads the value of `openAPIV3Schema`.
    ///
    /// # Errors
    ///
    /// The schema is not structural, or uses what is not implemented here. The first fault is told.
    pub fn parse(written: &Value) -> Result<Self, SchemaError> {
        parse::root(written).map(|root| Self { root })
    }

    /// Drops nulls that may not be, then fills in defaults. An update gives the object as it was, filled already.
    pub fn fill(&self, object: &mut Value, old: Option<&Value>) {
        fill::drop_nulls(object, old, Some(&self.root));
        fill::defaults(object, old, &self.root);
    }

    /// Cuts off what the schema does not describe, and gives the paths of what was cut off, sorted. An update gives the
    /// object as it was, pruned already.
    pub fn prune(&self, object: &mut Value, old: Option<&Value>) -> Vec<String> {
        prune::resource(object, old, &self.root)
    }

    /// The rules that an object breaks. An update gives the object as it was: a part that has not changed breaks no
    /// rule.
    #[must_use]
    pub fn validate(&self, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        let mut errors = check::errors(&self.root, "", object, old);
        errors.extend(self.list_errors(object, old));
        errors
    }

    /// What is there twice. An object that had such before is forgiven everything.
    fn list_errors(&self, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        let mut errors = lists::errors(&self.root, "", object, old);
        if !errors.is_empty()
            && old.is_some_and(|old| !lists::errors(&self.root, "", old, None).is_empty())
        {
            errors.clear();
        }
        errors
    }

    /// The rules that the status of an object breaks, for a write to the subresource `status`. The server checks
    /// lists of the whole object there, too.
    #[must_use]
    pub fn validate_status(&self, object: &Value, old: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if let (Some(node), Some(status)) =
            (self.root.properties.get("status"), object.get("status"))
        {
            errors = check::errors(node, "status", status, old.get("status"));
        }
        errors.extend(self.list_errors(object, Some(old)));
        errors
    }
}

/// The messages for fields that [`Schema::prune`] has cut off: what a client is warned of when it asks for
/// `fieldValidation=Warn`, one warning each.
#[must_use]
pub fn unknown_field_warnings(paths: &[String]) -> Vec<String> {
    paths.iter().map(|path| format!("unknown field \"{path}\"")).collect()
}

/// The message for fields that [`Schema::prune`] has cut off when the client asks for `fieldValidation=Strict`. None
/// when there are none.
#[must_use]
pub fn strict_decoding_error(paths: &[String]) -> Option<String> {
    let faults = unknown_field_warnings(paths).join(", ");
    (!faults.is_empty()).then(|| format!("strict decoding error: {faults}"))
}

/// The path of a member.
fn member(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
