//! Checks objects against schemas, in the order and words of the server.

use serde_json::{Map, Value};

use super::number::{self, as_integer, is_integer};
use super::outcome::{Outcome, Place};
use super::{Additional, ListType, Node, lists, member};
use crate::status::{FieldError, FieldErrorKind};

/// The rules that a value breaks. `base` is the field that the schema is of, empty for a whole object.
pub(super) fn errors(
    node: &Node,
    base: &str,
    value: &Value,
    old: Option<&Value>,
) -> Vec<FieldError> {
    check(node, Place { base, path: "", counted: false }, value, old).errors
}

/// Checks a value, and forgives it everything if it was the same before.
fn check(node: &Node, place: Place<'_>, value: &Value, old: Option<&Value>) -> Outcome {
    let mut outcome = check_anew(node, place, value, old);
    if !outcome.is_valid() && old == Some(value) {
        outcome.errors.clear();
    }
    outcome
}

fn check_anew(node: &Node, place: Place<'_>, value: &Value, old: Option<&Value>) -> Outcome {
    let mut outcome = Outcome::default();
    if value.is_null() {
        outcome.merge(check_null(node, place));
        outcome.merge(check_allowed(node, place, value));
        return outcome;
    }
    let mut take = |checked: Outcome| {
        outcome.merge(checked);
        outcome.count();
    };
    if !node.types.is_empty() || node.format.is_some() {
        take(check_type(node, place, value));
    }
    take(check_combinations(node, place, value, old));
    match value {
        Value::String(text) => {
            take(check_text(node, place, text));
            if node.format.is_some() {
                take(check_format(node, place, text));
            }
        }
        Value::Number(number) => take(number::check(node, place, number)),
        Value::Array(items) => take(check_items(node, place, items, old)),
        _ => {}
    }
    take(check_allowed(node, place, value));
    if let Value::Object(members) = value {
        take(check_members(node, place, members, old));
    }
    outcome.count();
    outcome
}

fn check_null(node: &Node, place: Place<'_>) -> Outcome {
    if node.types.is_empty() || node.nullable {
        let mut outcome = Outcome::default();
        outcome.count();
        return outcome;
    }
    wrong_type(place, &node.types.join(","), "null")
}

fn wrong_type(place: Place<'_>, expected: &str, found: &str) -> Outcome {
    let rule = format!("must be of type {expected}: {found:?}");
    let error = place.error(FieldErrorKind::TypeInvalid, &found.into(), &rule);
    Outcome { errors: vec![error], checks: 0 }
}

fn check_type(node: &Node, place: Place<'_>, value: &Value) -> Outcome {
    let (found, native) = match value {
        Value::Null => ("null", ""),
        Value::Bool(_) => ("boolean", ""),
        Value::Number(number) if is_integer(number) => ("integer", "int64"),
        Value::Number(_) => ("number", "float64"),
        Value::String(_) => ("string", ""),
        Value::Array(_) => ("array", ""),
        Value::Object(_) => ("object", ""),
    };
    let allows = |kind: &str| node.types.contains(&kind);
    let fits = match value {
        Value::Number(number) => {
            allows(found)
                || (found == "number" && as_integer(number).is_some() && allows("integer"))
                || (found == "integer" && allows("number"))
        }
        _ => allows(found),
    };
    let is_numeric = allows("number") || allows("integer");
    match node.format {
        // The server leaves texts and lists to the check of the format, which does not look at lists.
        Some(_) if matches!(value, Value::String(_) | Value::Array(_)) && !is_numeric => {}
        Some(format)
            if !fits
                && native != format.name()
                && !matches!(value, Value::String(_) | Value::Array(_)) =>
        {
            return wrong_type(place, format.name(), native);
        }
        _ if !fits => return wrong_type(place, &node.types.join(","), found),
        _ => {}
    }
    Outcome { errors: Vec::new(), checks: 1 }
}

fn check_text(node: &Node, place: Place<'_>, text: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    let bounds = &node.bounds;
    if let Some(most) = bounds.max_length.filter(|most| length > *most) {
        let unit = if most == 1 { "byte" } else { "bytes" };
        let rule = format!("may not be more than {most} {unit}");
        outcome.add(FieldError::new(FieldErrorKind::TooLong, place.field(), text, rule));
    } else if let Some(least) = bounds.min_length.filter(|least| length < *least) {
        let rule = format!("should be at least {least} chars long");
        outcome.add(place.error(FieldErrorKind::Invalid, &text.into(), &rule));
    } else if let Some(pattern) =
        node.pattern.as_ref().filter(|pattern| !pattern.expression.is_match(text))
    {
        let rule = format!("should match '{}'", pattern.written);
        outcome.add(place.error(FieldErrorKind::Invalid, &text.into(), &rule));
    }
    outcome
}

fn check_format(node: &Node, place: Place<'_>, text: &str) -> Outcome {
    match node.format {
        Some(format) if !format.holds(text) => wrong_type(place, format.name(), text),
        _ => Outcome::default(),
    }
}

fn check_allowed(node: &Node, place: Place<'_>, value: &Value) -> Outcome {
    let same = |allowed: &Value| match (allowed, value) {
        (Value::Number(allowed), Value::Number(value)) => allowed.as_f64() == value.as_f64(),
        (allowed, value) => !value.is_null() && allowed == value,
    };
    if node.allowed.is_empty() || node.allowed.iter().any(same) {
        return Outcome::default();
    }
    let shown = |allowed: &Value| match allowed {
        Value::String(text) => format!("{text:?}"),
        other => format!("{:?}", other.to_string()),
    };
    let supported: Vec<String> = node.allowed.iter().map(shown).collect();
    let detail = format!("supported values: {}", supported.join(", "));
    let error = FieldError::new(FieldErrorKind::NotSupported, place.field(), value.clone(), detail);
    Outcome { errors: vec![error], checks: 0 }
}

fn check_items(node: &Node, place: Place<'_>, items: &[Value], old: Option<&Value>) -> Outcome {
    let mut outcome = Outcome::default();
    if let Some(below) = &node.items {
        let before = Before::new(node, old);
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}[{index}]", place.path);
            outcome.merge(check(below, Place { path: &path, ..place }, item, before.item(item)));
        }
    }
    let size = items.len();
    if let Some(least) = node.bounds.min_items.filter(|least| count(size) < *least) {
        let rule = format!("should have at least {least} items");
        outcome.add(place.error(FieldErrorKind::Invalid, &size.into(), &rule));
    }
    if let Some(most) = node.bounds.max_items.filter(|most| count(size) > *most) {
        outcome.add(too_many(place, size, most));
    }
    outcome.count();
    outcome
}

/// The items of a list as it was. Only the items of a list that is a map are known again.
struct Before<'a> {
    keys: &'a [String],
    items: &'a [Value],
}

impl<'a> Before<'a> {
    fn new(node: &'a Node, old: Option<&'a Value>) -> Self {
        match (&node.list, old.and_then(Value::as_array)) {
            (ListType::Map(keys), Some(items)) => Self { keys, items },
            _ => Self { keys: &[], items: &[] },
        }
    }

    fn item(&self, item: &Value) -> Option<&'a Value> {
        let key = lists::key(self.keys, item);
        self.items.iter().find(|old| lists::key(self.keys, old) == key)
    }
}

fn check_members(
    node: &Node,
    place: Place<'_>,
    members: &Map<String, Value>,
    old: Option<&Value>,
) -> Outcome {
    let mut outcome = Outcome::default();
    let size = members.len();
    if let Some(least) = node.bounds.min_properties.filter(|least| count(size) < *least) {
        let rule = format!("should have at least {least} properties");
        outcome.add(place.error(FieldErrorKind::Invalid, &size.into(), &rule));
    }
    if let Some(most) = node.bounds.max_properties.filter(|most| count(size) > *most) {
        outcome.add(too_many(place, size, most));
    }
    for (name, value) in members {
        let below = match (node.properties.get(name), &node.additional) {
            (Some(property), _) => property,
            (None, Some(Additional::Described(below))) => below,
            (None, _) => continue,
        };
        let old = old.and_then(|old| old.get(name));
        if old == Some(value) && !place.counted {
            continue;
        }
        let path = member(place.path, name);
        outcome.merge(check(below, Place { path: &path, ..place }, value, old));
    }
    for name in node.required.iter().filter(|name| !members.contains_key(*name)) {
        let path = member(place.path, name);
        let field = Place { path: &path, ..place }.field();
        outcome.add(FieldError::new(FieldErrorKind::Required, field, "", ""));
    }
    outcome
}

fn count(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

fn too_many(place: Place<'_>, size: usize, most: u64) -> FieldError {
    let unit = if most == 1 { "item" } else { "items" };
    let rule = format!("must have at most {most} {unit}");
    FieldError::new(FieldErrorKind::TooMany, place.field(), size, rule)
}

fn check_combinations(
    node: &Node,
    place: Place<'_>,
    value: &Value,
    old: Option<&Value>,
) -> Outcome {
    let mut outcome = Outcome::default();
    let path = place.path;
    let place = Place { counted: true, ..place };
    let check_one = |node: &Node| check_anew(node, place, value, old);
    outcome.merge(check_any_of(node, place, value, old));
    outcome.merge(check_one_of(node, place, value, old));
    let all: Vec<Outcome> = node.all_of.iter().map(check_one).collect();
    let valid = all.iter().filter(|checked| checked.is_valid()).count();
    for checked in all {
        outcome.merge(checked);
    }
    if valid != node.all_of.len() {
        let held = if valid == 0 { ". None validated" } else { "" };
        let message = format!("{path:?} must validate all the schemas (allOf){held}");
        outcome.add(place.unplaced(message));
    }
    if node.not.as_ref().is_some_and(|not| check_one(not).is_valid()) {
        let message = format!("{path:?} must not validate the schema (not)");
        outcome.add(place.unplaced(message));
    }
    outcome.count();
    outcome
}

fn check_any_of(node: &Node, place: Place<'_>, value: &Value, old: Option<&Value>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut best: Option<Outcome> = None;
    for choice in &node.any_of {
        let checked = check_anew(choice, place, value, old);
        if checked.is_valid() {
            return checked;
        }
        best = Some(better(best, checked));
    }
    if let Some(best) = best {
        let message = format!("{:?} must validate at least one schema (anyOf)", place.path);
        outcome.add(place.unplaced(message));
        outcome.merge(best);
    }
    outcome
}

fn check_one_of(node: &Node, place: Place<'_>, value: &Value, old: Option<&Value>) -> Outcome {
    if node.one_of.is_empty() {
        return Outcome::default();
    }
    let checked = node.one_of.iter().map(|choice| check_anew(choice, place, value, old));
    let (mut valid, broken): (Vec<_>, Vec<_>) = checked.partition(Outcome::is_valid);
    let found = match valid.len() {
        1 => return valid.remove(0),
        0 => "Found none valid".to_owned(),
        several => format!("Found {several} valid alternatives"),
    };
    let mut outcome = Outcome::default();
    let path = place.path;
    let message = format!("{path:?} must validate one and only one schema (oneOf). {found}");
    outcome.add(place.unplaced(message));
    if valid.is_empty() {
        let best = broken.into_iter().reduce(|best, next| better(Some(best), next));
        outcome.merge(best.unwrap_or_default());
    }
    outcome
}

/// The failure of the two that the server tells of.
fn better(best: Option<Outcome>, next: Outcome) -> Outcome {
    match best {
        Some(best) if best.checks >= next.checks => best,
        _ => next,
    }
}
