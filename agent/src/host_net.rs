//! The host's network, as far as pods need it: the devices of secondary interfaces, a routing table for each, and rules by which packets
//! find them.
//!
//! What is wanted comes from the keeper's status and from the ADDs in flight, what is there from the kernel. [`plan`](mod@plan) compares
//! the two and decides; `kernel` reads and changes; `follow` does both again and again, and answers ADDs that wait for their rules.
//! Only what has Berth's protocol number is ever removed.

mod follow;
mod kernel;
pub mod masquerade;
pub mod plan;
pub mod words;

pub use follow::{Handle, NotEnsured, Observer, Options, start};
pub use words::Numbers;
