//! Axes: how far they go, and where they have labels.

use std::ops::Range;
use std::time::Duration;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;

use super::unit;

/// An axis that begins at zero.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) end: f64,
    /// Where there is a label, and what it says.
    pub(super) labels: Vec<(f64, String)>,
}

/// Labels of an axis of amounts, at most.
const AMOUNTS: f64 = 5.0;

/// Seconds between two labels of an axis of time.
const STEPS: [u32; 15] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400];

impl Axis {
    /// For whole numbers of things up to `most`, which gets some air above it.
    pub(super) fn of_counts(most: f64) -> Self {
        Self::of_amounts(most.max(3.0), 1.0)
    }

    /// For rates up to `most`, which gets some air above it.
    pub(super) fn of_rates(most: f64) -> Self {
        Self::of_amounts(most.max(0.05), 0.01)
    }

    fn of_amounts(most: f64, least_step: f64) -> Self {
        let end = most * 1.08;
        let rough = (end / AMOUNTS).max(least_step);
        let magnitude = 10_f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude);
        let step = steps.into_iter().find(|step| *step >= rough).unwrap_or(rough);
        Self { end, labels: labels(end, step, unit::number) }
    }

    /// For the time since the start, with no more labels than `most`.
    pub(super) fn of_time(end: Duration, most: u32) -> Self {
        let seconds = end.as_secs_f64();
        let fits = |step: &f64| seconds / step < f64::from(most);
        let longest = (seconds / f64::from(most) / 86_400.0).ceil().max(1.0) * 86_400.0;
        let step = STEPS.map(f64::from).into_iter().find(fits).unwrap_or(longest);
        // One unit for all: labels have little room.
        let units = [(3_600.0, "h"), (60.0, "min"), (1.0, "s")];
        let unit = units.into_iter().find(|(unit, _)| step % unit == 0.0);
        let (unit, name) = unit.unwrap_or((1.0, "s"));
        let said = |second: f64| {
            let name = if second == 0.0 { "" } else { name };
            format!("{} {name}", unit::number(second / unit)).trim_end().to_owned()
        };
        Self { end: seconds, labels: labels(seconds, step, said) }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        RangedCoordf64::from(self.range()).map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Light points are lines without labels, of which there are none.
        let labels = if hint.weight().allow_light_points() { &[] } else { &*self.labels };
        labels.iter().map(|(place, _)| *place).collect()
    }

    fn range(&self) -> Range<f64> {
        0.0..self.end
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let found = self.labels.iter().find(|(place, _)| (place - value).abs() < 1e-9);
        found.map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

fn labels(end: f64, step: f64, said: impl Fn(f64) -> String) -> Vec<(f64, String)> {
    let places = (0_u32..).map(|index| f64::from(index) * step);
    places.take_while(|place| *place <= end).map(|place| (place, said(place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The labels of an axis, and its end.
    #[track_caller]
    fn check(axis: &Axis, expected: &str) {
        let labels: Vec<_> = axis.labels.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(format!("{} | {}", labels.join(", "), unit::number(axis.end)), expected);
    }

    #[test]
    fn amounts_have_few_round_labels_and_air_above_them() {
        check(&Axis::of_counts(0.0), "0, 1, 2, 3 | 3.24");
        check(&Axis::of_counts(7.0), "0, 2, 4, 6 | 7.56");
        check(&Axis::of_counts(237.0), "0, 100, 200 | 255.96");
        check(
            &Axis::of_counts(4_294_967_295.0),
            "0, 1000000000, 2000000000, 3000000000, 4000000000 | 4638564678.6",
        );
        check(&Axis::of_rates(0.0), "0, 0.02, 0.04 | 0.05");
        check(&Axis::of_rates(0.6), "0, 0.2, 0.4, 0.6 | 0.65");
    }

    #[test]
    fn times_are_all_in_the_unit_of_the_step() {
        let check = |seconds, expected| {
            check(&Axis::of_time(Duration::from_secs(seconds), 6), expected);
        };
        check(1, "0, 1 s | 1");
        check(60, "0, 15 s, 30 s, 45 s, 60 s | 60");
        check(170, "0, 30 s, 60 s, 90 s, 120 s, 150 s | 170");
        check(3_600, "0, 15 min, 30 min, 45 min, 60 min | 3600");
        check(18_000, "0, 1 h, 2 h, 3 h, 4 h, 5 h | 18000");
        check(864_000, "0, 48 h, 96 h, 144 h, 192 h, 240 h | 864000");
    }
}
