//! Ages as Kubernetes prints them: `45s`, `5m10s`, `2d3h`.
//!
//! Source: k8s.io/apimachinery v0.36, package `util/duration`.

use jiff::Timestamp;
use serde_json::Value;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// The age of an object.
pub(super) fn of(object: &Value, now: Timestamp) -> Value {
    since(&object["metadata"]["creationTimestamp"], now).into()
}

/// How long ago a point in time is: `<unknown>` when there is none, `<invalid>` when it is no time or in the future.
pub(super) fn since(time: &Value, now: Timestamp) -> String {
    match time.as_str().unwrap_or_default() {
        "" | "null" => "<unknown>".into(),
        text => match text.parse::<Timestamp>() {
            Ok(time) => human(now.duration_since(time).as_secs()),
            Err(_) => "<invalid>".into(),
        },
    }
}

/// A number of seconds in one or two units, which get coarser with age. Two seconds of the future are let pass,
/// because clocks differ.
pub(super) fn human(seconds: i64) -> String {
    match seconds {
        ..=-2 => "<invalid>".into(),
        -1 => "0s".into(),
        _ if seconds < 2 * MINUTE => format!("{seconds}s"),
        _ if seconds < 10 * MINUTE => two((seconds, MINUTE, "m"), (1, "s")),
        _ if seconds < 3 * HOUR => one(seconds, MINUTE, "m"),
        _ if seconds < 8 * HOUR => two((seconds, HOUR, "h"), (MINUTE, "m")),
        _ if seconds < 2 * DAY => one(seconds, HOUR, "h"),
        _ if seconds < 8 * DAY => two((seconds, DAY, "d"), (HOUR, "h")),
        _ if seconds < 2 * YEAR => one(seconds, DAY, "d"),
        _ if seconds < 8 * YEAR => two((seconds, YEAR, "y"), (DAY, "d")),
        _ => one(seconds, YEAR, "y"),
    }
}

fn one(seconds: i64, unit: i64, letter: &str) -> String {
    format!("{}{letter}", seconds / unit)
}

/// In a unit and a smaller one, of which there may be none.
fn two((seconds, unit, letter): (i64, i64, &str), (small, small_letter): (i64, &str)) -> String {
    match seconds % unit / small {
        0 => one(seconds, unit, letter),
        rest => format!("{}{rest}{small_letter}", one(seconds, unit, letter)),
    }
}
