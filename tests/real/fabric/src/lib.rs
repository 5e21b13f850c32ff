//! A VPC that carries packets: what the simulated EC2 says is made true in network namespaces.
//!
//! One namespace is the VPC: a router whose routes are exactly "address, and the device of the interface that holds it". Each
//! instance is a namespace of its own, which others make and hold; its attached interfaces appear there as devices when EC2 says so.
//! The kernel of the router does the rest: it delivers by these routes, drops what none of them is for, and, since the filter of
//! reverse paths is strict, drops and counts what leaves an interface with a source that is not that interface's.
//!
//! [`world`] reads what EC2 says, [`plan`] compares it with what the kernel has, [`kernel`] observes and carries out, [`follow`] does
//! so for as long as it runs.

pub mod drops;
pub mod ec2;
pub mod follow;
pub mod internet;
pub mod kernel;
pub mod plan;
pub mod present;
pub mod vpc;
pub mod world;
