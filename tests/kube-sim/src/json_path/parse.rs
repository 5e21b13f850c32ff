//! Reads paths.

use serde_json::Value;

use super::{Comparison, Filter, JsonPath, Step};

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonPathError {
    /// A path starts with a dot or a bracket, and so does each of its steps.
    #[error("{0:?} starts with neither '.' nor '['")]
    NoStep(String),
    /// A bracket or quotation mark is opened and not closed.
    #[error("{0:?} is not closed")]
    NotClosed(String),
    /// What stands between brackets is not understood.
    #[error("{0:?} is no index, name, wildcard or filter")]
    BadBracket(String),
    /// What stands after `?` is not understood.
    #[error("{0:?} is no filter like ?(@.a==\"b\")")]
    BadFilter(String),
    /// A part of the language that printer columns hardly use.
    #[error("{0} is not implemented")]
    NotImplemented(&'static str),
}

/// The comparisons, the longer ones first.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

pub(super) fn path(text: &str) -> Result<JsonPath, JsonPathError> {
    let mut rest = text.trim();
    rest = rest.strip_prefix('$').unwrap_or(rest);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if rest.starts_with("..") {
            return Err(JsonPathError::NotImplemented("descent (..)"));
        }
        if let Some(after) = rest.strip_prefix('.') {
            let (step, after) = member(after);
            steps.extend(step);
            rest = after;
        } else if rest.starts_with('[') {
            let (content, after) = bracket(rest)?;
            steps.push(bracketed(content)?);
            rest = after;
        } else {
            return Err(JsonPathError::NoStep(rest.into()));
        }
    }
    Ok(JsonPath { steps })
}

/// The name up to the next step, and what follows. A backslash takes the meaning from a dot or bracket.
fn member(text: &str) -> (Option<Step>, &str) {
    let mut name = String::new();
    let mut characters = text.char_indices();
    let mut end = text.len();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => name.extend(characters.next().map(|(_, escaped)| escaped)),
            '.' | '[' => {
                end = at;
                break;
            }
            plain => name.push(plain),
        }
    }
    let step = match name.as_str() {
        // `.[0]` is `[0]`, and a path of one dot is the whole object.
        "" => None,
        "*" => Some(Step::All),
        _ => Some(Step::Member(name)),
    };
    (step, &text[end..])
}

/// What stands between the bracket that the text starts with and the one that closes it, and what follows.
fn bracket(text: &str) -> Result<(&str, &str), JsonPathError> {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, '[') => depth += 1,
            (None, ']') => {
                depth -= 1;
                if depth == 0 {
                    return Ok((text[1..at].trim(), &text[at + 1..]));
                }
            }
            _ => {}
        }
    }
    Err(JsonPathError::NotClosed(text.into()))
}

fn bracketed(content: &str) -> Result<Step, JsonPathError> {
    if content == "*" {
        return Ok(Step::All);
    }
    if let Some(name) = quoted(content) {
        return Ok(Step::Member(name.into()));
    }
    if let Some(condition) = content.strip_prefix('?') {
        return filter(condition.trim()).map(Step::Filter);
    }
    match content.parse() {
        Ok(index) => Ok(Step::Index(index)),
        Err(_) if content.contains([':', ',']) => {
            Err(JsonPathError::NotImplemented("more than one index in brackets"))
        }
        Err(_) => Err(JsonPathError::BadBracket(content.into())),
    }
}

/// What stands between two marks of the same kind.
fn quoted(text: &str) -> Option<&str> {
    let mark = text.chars().next().filter(|mark| matches!(mark, '\'' | '"'))?;
    text[1..].strip_suffix(mark)
}

fn filter(text: &str) -> Result<Filter, JsonPathError> {
    let bad = || JsonPathError::BadFilter(text.into());
    let condition = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let condition = condition.ok_or_else(bad)?.trim();
    let from_item = condition.strip_prefix('@').ok_or_else(bad)?;
    let found = COMPARISONS
        .iter()
        .filter_map(|(sign, comparison)| Some((from_item.find(sign)?, *sign, *comparison)));
    // Of two signs at one place the longer one stands first in the table.
    let Some((at, sign, comparison)) = found.min_by_key(|(at, ..)| *at) else {
        return Ok(Filter { path: path(from_item)?, test: None });
    };
    let literal = from_item[at + sign.len()..].trim();
    let value = match quoted(literal) {
        Some(text) => Value::from(text),
        None => serde_json::from_str(literal).map_err(|_| bad())?,
    };
    Ok(Filter { path: path(&from_item[..at])?, test: Some((comparison, value)) })
}
