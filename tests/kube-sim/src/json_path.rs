//! The part of Kubernetes' `JSONPath` that printer columns use.
//!
//! Source: Kubernetes reference, kubectl, `JSONPath` support.

mod parse;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use parse::JsonPathError;

/// A path into an object.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// `.name` or `['name']`.
    Member(String),
    /// `[0]`; a negative index counts from the end.
    Index(i64),
    /// `[*]` or `.*`.
    All,
    /// `[?(@.type=="Ready")]`.
    Filter(Filter),
}

/// A condition on the items of a list.
#[derive(Debug, Clone, PartialEq)]
struct Filter {
    /// From the item.
    path: JsonPath,
    /// None asks for the path to lead somewhere.
    test: Option<(Comparison, Value)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl JsonPath {
    /// Reads a path like `.status.conditions[?(@.type=="Ready")].status`.
    ///
    /// # Errors
    ///
    /// The text is no path, or one that is not implemented here.
    pub fn parse(text: &str) -> Result<Self, JsonPathError> {
        parse::path(text)
    }

    /// All values that the path leads to, in the order of the object. None when something on the way is missing.
    #[must_use]
    pub fn find<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![value];
        for step in &self.steps {
            found = found.into_iter().flat_map(|value| step.find(value)).collect();
        }
        found
    }
}

impl Step {
    fn find<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match (self, value) {
            (Self::Member(name), value) => value.get(name).into_iter().collect(),
            (Self::Index(index), Value::Array(items)) => item(items, *index).into_iter().collect(),
            (Self::All, Value::Array(items)) => items.iter().collect(),
            (Self::All, Value::Object(members)) => members.values().collect(),
            (Self::Filter(filter), Value::Array(items)) => {
                items.iter().filter(|item| filter.holds(item)).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn item(items: &[Value], index: i64) -> Option<&Value> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    let place = if index < 0 { items.len().checked_sub(distance)? } else { distance };
    items.get(place)
}

impl Filter {
    fn holds(&self, item: &Value) -> bool {
        let found = self.path.find(item);
        let (Some(found), Some((comparison, expected))) = (found.first(), &self.test) else {
            return !found.is_empty();
        };
        let order = match (found, expected) {
            (Value::Number(found), Value::Number(expected)) => {
                found.as_f64().partial_cmp(&expected.as_f64())
            }
            (Value::String(found), Value::String(expected)) => Some(found.cmp(expected)),
            (Value::Bool(found), Value::Bool(expected)) => Some(found.cmp(expected)),
            _ => None,
        };
        match comparison {
            Comparison::Equal => order.is_some_and(std::cmp::Ordering::is_eq),
            Comparison::NotEqual => order.is_some_and(std::cmp::Ordering::is_ne),
            Comparison::Less => order.is_some_and(std::cmp::Ordering::is_lt),
            Comparison::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
            Comparison::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
            Comparison::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
        }
    }
}
