//! The Kubernetes side of the operator: what is watched, what is written, and who leads.
//!
//! Nothing here decides anything about addresses. What decides at all ([`publish`], [`lease`], [`events::EventLimiter`]) takes the
//! time as an argument and does no I/O; the rest asks the API server.

pub mod crd;
mod digest;
pub mod events;
pub mod leader;
pub mod lease;
pub mod nodes;
mod observed;
pub mod pods;
pub mod publish;
pub mod rival;

pub use digest::Digest;
pub use ipam_core::addresses::AddressSet;
