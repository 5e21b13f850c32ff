//! What Berth's programs have in common around the core: how they are set up, what they log, how they reach the API server,
//! what they serve, and how they stop.
//!
//! Nothing here knows anything about addresses, nodes or EC2.

pub mod connect;
pub mod http;
pub mod logs;
pub mod metrics;
pub mod problem;
pub mod settings;
pub mod signals;
pub mod watching;
