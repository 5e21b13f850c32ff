//! Rules about numbers.

use serde_json::{Number, Value};

use super::Node;
use super::format::Format;
use super::outcome::{Outcome, Place};
use crate::status::{FieldError, FieldErrorKind};

/// Checks a number against bounds and against the range of its format.
pub(super) fn check(node: &Node, place: Place<'_>, number: &Number) -> Outcome {
    let mut outcome = Outcome::default();
    if let Some(expected) = out_of_range(node, number) {
        let message = format!("Checked value must be of type {expected} in {}", place.path);
        outcome.add(place.unplaced(message));
    }
    let Some(value) = number.as_f64() else { return outcome };
    let bounds = &node.bounds;
    // A number without a fraction is compared with the bound without its fraction.
    let comparable = |bound: f64| if is_integer(number) { bound.trunc() } else { bound };
    let mut refuse = |rule: String| {
        outcome.add(place.error(FieldErrorKind::Invalid, &Value::Number(number.clone()), &rule));
    };
    if let Some(minimum) = bounds.minimum.map(comparable) {
        if bounds.exclusive_minimum && value <= minimum {
            refuse(format!("should be greater than {minimum}"));
        } else if value < minimum {
            refuse(format!("should be greater than or equal to {minimum}"));
        }
    }
    if let Some(maximum) = bounds.maximum.map(comparable) {
        if bounds.exclusive_maximum && value >= maximum {
            refuse(format!("should be less than {maximum}"));
        } else if value > maximum {
            refuse(format!("should be less than or equal to {maximum}"));
        }
    }
    match bounds.multiple_of.map(comparable) {
        // What is left of a factor below 1.
        Some(0.0) => {
            let message =
                format!("factor MultipleOf declared for {} must be positive: 0", place.path);
            let kind = FieldErrorKind::Invalid;
            outcome.add(FieldError::new(kind, place.field(), 0, message));
        }
        Some(factor) if !is_multiple(number, factor) => {
            refuse(format!("should be a multiple of {factor}"));
        }
        _ => {}
    }
    outcome.count();
    outcome
}

/// The type and format that the number is too large for.
fn out_of_range(node: &Node, number: &Number) -> Option<&'static str> {
    match (node.types.as_slice(), node.format) {
        (["integer"], Some(Format::Int32)) => {
            let fits = as_integer(number).is_some_and(|integer| i32::try_from(integer).is_ok());
            (!fits).then_some("integer with format int32")
        }
        (["integer"], Some(Format::Int64)) => {
            as_integer(number).is_none().then_some("integer with format int64")
        }
        (["integer"], _) => as_integer(number).is_none().then_some("integer (default format)"),
        (["number"], Some(Format::Float)) => {
            let fits = number.as_f64().is_some_and(|value| value.abs() <= f64::from(f32::MAX));
            (!fits).then_some("number with format float")
        }
        _ => None,
    }
}

/// The number, if it is whole: written so, or with a fraction of nothing.
pub(super) fn as_integer(number: &Number) -> Option<i64> {
    /// The largest number up to which every whole number is one of 64 bits with a fraction.
    const EXACT: f64 = 9_007_199_254_740_991.0;
    if let Some(integer) = number.as_i64() {
        return Some(integer);
    }
    let value = number.as_f64()?;
    let whole = number.is_f64() && value.fract() == 0.0 && value.abs() <= EXACT;
    whole.then(|| format!("{value:.0}").parse().ok()).flatten()
}

/// Whether the server reads the number as one without a fraction.
pub(super) fn is_integer(number: &Number) -> bool {
    number.is_i64()
}

fn is_multiple(number: &Number, factor: f64) -> bool {
    let whole = Number::from_f64(factor).and_then(|factor| as_integer(&factor));
    if let (Some(value), Some(factor)) = (number.as_i64(), whole) {
        return value % factor == 0;
    }
    let Some(value) = number.as_f64() else { return false };
    let quotient = if factor < 1.0 { 1.0 / factor * value } else { value / factor };
    (quotient - quotient.round()).abs() < 1e-9
}
