//! What the simulated EC2 knows, in the words of [`ipam_core::audit`].
//!
//! Everything here reads the truth of a [`World`](ec2_sim::world::World), never what a reader of EC2 is shown of it: an audit that looked
//! through stale reads would find what is not so. Who uses which address, and who waits for one, EC2 does not know: that is
//! for the caller to say.

mod others;
#[cfg(test)]
mod tests;
mod whole;
mod words;

pub use others::{Change, Others};
pub use whole::{Loose, Node, Whole, loose};
pub use words::{for_pods, is_berths, made_by_berth, tick, view};
