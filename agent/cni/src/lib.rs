//! Berth's CNI plugin, and what it and the agent say to each other.
//!
//! | module | what it knows |
//! |---|---|
//! | [`protocol`] | the calls of the agent's socket, and their checks |
//! | [`queue`] | DELs on disk, for an agent that is away |
//! | [`client`] | one HTTP exchange over a Unix socket, bounded in time and size |
//! | [`invocation`] | the environment: which verb, which sandbox, which pod |
//! | [`netconf`], [`version`] | the network configuration |
//! | [`result`] | what ADD prints |
//! | [`plugin`] | the verbs, put together from the above |
//!
//! It is run for every pod and must cost next to nothing: no async, no HTTP library, no Kubernetes client.

pub mod client;
pub mod invocation;
mod log;
pub mod netconf;
pub mod plugin;
pub mod protocol;
pub mod queue;
pub mod result;
pub mod version;
