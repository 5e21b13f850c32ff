//! Field selectors: `metadata.name=a,status.phase!=Running`.
//!
//! Source: Kubernetes concepts, field selectors; k8s.io/apimachinery v0.36, package `fields`, for the messages.

use serde_json::Value;

use super::SelectorError;
use crate::resource::Resource;

/// Terms that an object's fields all meet. Without any, every object is selected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSelector {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    field: String,
    equal: bool,
    value: String,
}

/// Fields that pods can be selected by.
const POD_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "spec.hostNetwork",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.phase",
    "status.podIP",
];

/// Fields that events can be selected by.
const EVENT_FIELDS: [&str; 12] = [
    "involvedObject.apiVersion",
    "involvedObject.fieldPath",
    "involvedObject.kind",
    "involvedObject.name",
    "involvedObject.namespace",
    "involvedObject.resourceVersion",
    "involvedObject.uid",
    "metadata.name",
    "metadata.namespace",
    "reason",
    "reportingComponent",
    "type",
];

/// Fields whose absence is the value `false`.
const BOOLEANS: [&str; 2] = ["spec.hostNetwork", "spec.unschedulable"];

impl FieldSelector {
    /// Reads the parameter `fieldSelector`. An empty text selects everything.
    ///
    /// # Errors
    ///
    /// The text is no selector, or the resource has no such field to select by.
    pub fn parse(text: &str, resource: &Resource) -> Result<Self, SelectorError> {
        let mut terms = Vec::new();
        for term in split_terms(text).into_iter().filter(|term| !term.is_empty()) {
            let term = Term::parse(term, text)?;
            if !selectable(resource).contains(&term.field.as_str()) {
                return Err(unsupported(&term.field, resource));
            }
            terms.push(term);
        }
        Ok(Self { terms })
    }

    /// Whether the object's fields are as required.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        self.terms.iter().all(|term| term.matches(object))
    }

    /// The value that a field must have for an object to be selected, where there is just one.
    #[must_use]
    pub fn required(&self, field: &str) -> Option<&str> {
        let term = self.terms.iter().find(|term| term.equal && term.field == field);
        term.map(|term| term.value.as_str())
    }

    /// Whether every object is selected.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

impl Term {
    /// Reads one term; the whole selector is there for the message.
    fn parse(term: &str, selector: &str) -> Result<Self, SelectorError> {
        let Some(at) = term.find(['=', '!']).filter(|at| operator_at(&term[*at..]).is_some())
        else {
            return Err(SelectorError(format!(
                "invalid selector: '{selector}'; can't understand '{term}'"
            )));
        };
        let operator = operator_at(&term[at..]).unwrap_or_default();
        let value = unescape(&term[at + operator.len()..])?;
        Ok(Self { field: term[..at].to_owned(), equal: operator != "!=", value })
    }

    fn matches(&self, object: &Value) -> bool {
        let found = self.field.split('.').try_fold(object, |value, member| value.get(member));
        let equal = match found {
            Some(Value::String(text)) => *text == self.value,
            Some(Value::Bool(truth)) => truth.to_string() == self.value,
            _ if BOOLEANS.contains(&self.field.as_str()) => self.value == "false",
            _ => self.value.is_empty(),
        };
        equal == self.equal
    }
}

fn operator_at(text: &str) -> Option<&'static str> {
    ["!=", "==", "="].into_iter().find(|operator| text.starts_with(operator))
}

/// What stands between commas that no backslash precedes.
fn split_terms(text: &str) -> Vec<&str> {
    let mut escaped = false;
    let separator = |character: char| {
        let separates = character == ',' && !escaped;
        escaped = character == '\\' && !escaped;
        separates
    };
    text.split(separator).collect()
}

/// Takes the backslashes away.
fn unescape(text: &str) -> Result<String, SelectorError> {
    let bad = |sequence: &str| {
        SelectorError(format!("invalid field selector: invalid escape sequence: {sequence}"))
    };
    let mut value = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => value.push(escaped),
                Some(other) => return Err(bad(&format!("\\{other}"))),
                None => return Err(bad("\\")),
            },
            // The server prints the number of the character.
            ',' | '=' => {
                let number = u32::from(character);
                return Err(SelectorError(format!(
                    "invalid field selector: unescaped character in value: {number}"
                )));
            }
            plain => value.push(plain),
        }
    }
    Ok(value)
}

/// The fields that objects of the resource can be selected by.
fn selectable(resource: &Resource) -> &'static [&'static str] {
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "Pod") => &POD_FIELDS,
        ("", "Event") => &EVENT_FIELDS,
        ("", "Node") => &["metadata.name", "spec.unschedulable"],
        ("", "Namespace") => &["metadata.name", "status.phase"],
        _ if !resource.namespaced && resource.schema.is_some() => &["metadata.name"],
        _ => &["metadata.name", "metadata.namespace"],
    }
}

fn unsupported(field: &str, resource: &Resource) -> SelectorError {
    // Built-in kinds outside the core group know no fields of their own and say it in other words.
    if resource.schema.is_none() && !resource.group.is_empty() {
        return SelectorError(format!(
            "{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        ));
    }
    SelectorError(format!("field label not supported: {field}"))
}
