//! The whole of Berth in one deterministic loop: any number of nodes and two operators run their real machines over the simulated EC2 and a small model of the API
//! server, while things go wrong, and every promise is checked after each step.
//!
//! A run is a function of its seed. [`Scenario::of`] draws what happens, [`run`] plays it, [`shrink()`] makes a failing one small, [`many()`] runs a range of
//! seeds on all cores.

mod api;
mod cloud;
mod counters;
mod many;
mod node;
mod operator;
mod outcome;
pub mod planted;
mod queue;
mod scenario;
mod shrink;
mod world;

use anyhow::Result;

pub use counters::{Counter, Counters};
pub use many::{Many, many};
pub use outcome::{Outcome, Violation};
pub use scenario::{Fault, FaultKind, Keep, NodePlan, OPERATORS, PodPlan, Region, Scenario};
pub use shrink::{Shrunk, shrink};

/// Plays a scenario to its end, or to the first broken promise. With `traces`, what happens is noted.
///
/// # Errors
/// It cannot be built: a mistake in how scenarios are drawn.
pub fn run(scenario: Scenario, traces: bool) -> Result<Outcome> {
    Ok(world::World::new(scenario, traces)?.run())
}
