//! Custom resources: a column for each entry of `additionalPrinterColumns`.

use jiff::Timestamp;
use serde_json::{Number, Value};

use super::{Heading, Layout, age, name};
use crate::json_path::JsonPath;
use crate::resource::Column;

pub(super) fn layout(columns: &[Column], now: Timestamp) -> Layout<'_> {
    let headings = std::iter::once(Heading::name(0)).chain(columns.iter().map(heading));
    // The server refuses definitions with bad paths, so that there is always something to look for.
    let paths: Vec<Option<JsonPath>> =
        columns.iter().map(|column| JsonPath::parse(&column.json_path).ok()).collect();
    let cells = move |object: &Value| {
        let cell = |(column, path): (&Column, &Option<JsonPath>)| {
            let found = path.as_ref()?.find(object);
            found.first().and_then(|value| cell(&column.kind, value, now))
        };
        let cells = columns.iter().zip(&paths).map(|column| cell(column).unwrap_or_default());
        std::iter::once(name(object)).chain(cells).collect()
    };
    Layout { headings: headings.collect(), cells: Box::new(cells) }
}

fn heading(column: &Column) -> Heading {
    let description = if column.description.is_empty() {
        format!("Custom resource definition column (in JSONPath format): {}", column.json_path)
    } else {
        column.description.clone()
    };
    Heading {
        name: column.name.clone(),
        kind: column.kind.clone(),
        format: column.format.clone(),
        description,
        priority: column.priority,
    }
}

/// A value in a column of the type; none where it does not fit.
fn cell(kind: &str, value: &Value, now: Timestamp) -> Option<Value> {
    match (kind, value) {
        ("string", Value::Null) => None,
        ("string", Value::String(text)) => Some(text.as_str().into()),
        ("string", other) => Some(other.to_string().into()),
        ("integer", Value::Number(number)) => integer(number),
        ("number", Value::Number(number)) => number.as_f64().map(Into::into),
        ("boolean", Value::Bool(truth)) => Some((*truth).into()),
        ("date", Value::String(_)) => Some(age::since(value, now).into()),
        _ => None,
    }
}

/// The number without its fraction.
fn integer(number: &Number) -> Option<Value> {
    let whole = || format!("{:.0}", number.as_f64()?.trunc()).parse::<i64>().ok();
    number.as_i64().or_else(whole).map(Into::into)
}
