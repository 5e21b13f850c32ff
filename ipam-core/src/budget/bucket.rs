//! One token bucket whose refill shrinks when EC2 throttles and grows back.

use core::time::Duration;

use super::{Budget, Rate};
use crate::time::Tick;

/// Milliseconds of each of the two phases in which the factor comes back: from half of where EC2 throttled to
/// just there, then on. The factor is counted in them: this is 1. While another part of the account uses up what is missing
/// for long, the first phase is what keeps most calls from being throttled again; when it stops, the second
/// is what brings the whole back soon.
const PHASE: u64 = Budget::RECOVERY.as_secs() * 1000 / 2;
/// The least factor, 1/64: a bucket never stops filling.
const LEAST: u64 = PHASE.div_ceil(64);
/// Throttled answers within this time of one that halved the factor do not halve it again.
const ONE_HALVING: Duration = Duration::from_secs(1);
/// The parts of a token that are counted, such that all sums are of integers ([`Course::area`]) while the
/// refill is in billionths of a token per millisecond.
const TOKEN: u128 = NANO * PER_NANO;
const NANO: u128 = 1_000_000_000;
const PER_NANO: u128 = 2 * PHASE_WIDE * PHASE_WIDE;
const PHASE_WIDE: u128 = Budget::RECOVERY.as_millis() / 2;

/// How the factor goes on since EC2 throttled last.
#[derive(Debug, Clone, Copy)]
struct Course {
    since: Tick,
    /// What it was then, halved.
    least: u64,
    /// What it was then.
    before: u64,
}

impl Course {
    /// The factor at a moment, `LEAST` to `PHASE`.
    fn factor(self, now: Tick) -> u64 {
        let passed = millis(now, self.since);
        if passed < PHASE {
            self.least + (self.before - self.least) * passed / PHASE
        } else {
            (self.before + (passed - PHASE)).min(PHASE)
        }
    }

    /// The sum of the factors of all milliseconds until a moment, times `2 * PHASE`.
    fn area(self, now: Tick) -> u128 {
        let passed = millis(now, self.since);
        let first = passed.min(PHASE);
        let second = (passed - first).min(PHASE - self.before);
        let whole = u128::from(passed - first - second);
        let (first, second) = (u128::from(first), u128::from(second));
        let (least, before) = (u128::from(self.least), u128::from(self.before));
        let first_area = 2 * PHASE_WIDE * least * first + (before - least) * first * first;
        let second_area = PHASE_WIDE * second * (2 * before + second);
        first_area + second_area + PER_NANO * whole
    }
}

/// A token bucket.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    /// Parts of tokens that fit.
    capacity: u128,
    /// Billionths of a token per millisecond at the whole factor.
    refill: u128,
    /// Parts of tokens at `updated`.
    parts: u128,
    updated: Tick,
    course: Course,
    halved: Option<Tick>,
}

impl Bucket {
    /// A bucket with all the tokens that it can hold. `rate` was checked.
    pub(super) fn full(rate: Rate, now: Tick) -> Self {
        let capacity = nano(rate.capacity) * PER_NANO;
        let refill = nano(rate.refill / 1000.0).max(1);
        let course = Course { since: now, least: PHASE, before: PHASE };
        Self { capacity, refill, parts: capacity, updated: now, course, halved: None }
    }

    pub(super) fn has_token(&self, now: Tick) -> bool {
        self.parts_at(now) >= TOKEN
    }

    /// Takes one of the tokens that are there.
    pub(super) fn take(&mut self, now: Tick) {
        self.advance(now);
        self.parts = self.parts.saturating_sub(TOKEN);
    }

    pub(super) fn on_throttled(&mut self, now: Tick) {
        self.advance(now);
        self.parts = 0;
        if self.halved.is_none_or(|at| now.since(at) >= ONE_HALVING) {
            let before = self.course.factor(now);
            self.course = Course { since: now, least: (before / 2).max(LEAST), before };
            self.halved = Some(now);
        }
    }

    /// The first moment with a token; `None`: now.
    pub(super) fn next_token(&self, now: Tick) -> Option<Tick> {
        if self.has_token(now) {
            return None;
        }
        // What is there never shrinks with time, so the moment is found by doubling, then by halving.
        let mut doubled = (0..u64::BITS).map(|power| now + Duration::from_millis(1 << power));
        let last = now + Duration::MAX;
        let (mut without, mut with) = (now, doubled.find(|it| self.has_token(*it)).unwrap_or(last));
        while with.since(without) > Duration::from_millis(1) {
            let middle = without + with.since(without) / 2;
            if self.has_token(middle) {
                with = middle;
            } else {
                without = middle;
            }
        }
        Some(with)
    }

    /// Tokens that are there.
    pub(super) fn level(&self, now: Tick) -> f64 {
        let nano = self.parts_at(now) / PER_NANO;
        Duration::from_nanos_u128(nano).as_secs_f64()
    }

    /// The part of the refill that is used.
    pub(super) fn factor(&self, now: Tick) -> f64 {
        let phase = Duration::from_millis(PHASE);
        Duration::from_millis(self.course.factor(now)).div_duration_f64(phase)
    }

    fn parts_at(&self, now: Tick) -> u128 {
        let area = self.course.area(now).saturating_sub(self.course.area(self.updated));
        self.parts.saturating_add(self.refill.saturating_mul(area)).min(self.capacity)
    }

    fn advance(&mut self, now: Tick) {
        self.parts = self.parts_at(now);
        self.updated = self.updated.max(now);
    }
}

fn millis(now: Tick, earlier: Tick) -> u64 {
    now.as_millis().saturating_sub(earlier.as_millis())
}

/// Billionths of `tokens`. A `Duration` counts billionths, too, and turns a float into an integer with
/// the range checked.
fn nano(tokens: f64) -> u128 {
    Duration::try_from_secs_f64(tokens).map_or(0, |it| it.as_nanos())
}
