//! What a process may still do, whichever term it does it in.

use super::last_hour::LastHour;
use super::{ReconcileSettings, Reconciler};
use crate::budget::Budget;
use crate::time::Tick;

/// How much EC2 takes, and what was done of what the caps of an hour allow. A process that leads again goes on with it: with full buckets
/// it would have to be throttled anew to learn what it knew, and with new caps it could do twice as much.
#[derive(Debug, Clone)]
pub struct Allowance {
    pub(super) budget: Budget,
    pub(super) creations: LastHour,
    pub(super) released: LastHour,
}

impl Allowance {
    /// That of a process that has done nothing yet.
    #[must_use]
    pub fn new(settings: &ReconcileSettings, now: Tick) -> Self {
        Self {
            budget: Budget::new(settings.budget.clone(), now),
            creations: LastHour::default(),
            released: LastHour::default(),
        }
    }
}

impl Reconciler {
    /// What the process may still do.
    #[must_use]
    pub fn allowance(&self) -> Allowance {
        Allowance {
            budget: self.budget.clone(),
            creations: self.creations.clone(),
            released: self.released.clone(),
        }
    }
}
