//! EC2 in memory, as far as network interfaces and addresses go.
//!
//! [`Ec2`] is a pure state machine: a request and a moment go in, an answer comes out, and time passes only when it is told so. Two runs
//! with one seed and the same requests are the same run. Faces put clients in front of it: the AWS SDK in process (feature `sdk`), any
//! client over loopback HTTP, the metadata service of each instance, and a control API that builds and disturbs the world (feature `server`).

pub mod actions;
pub mod assumption;
pub mod build;
pub mod counters;
mod describe;
pub mod error;
pub mod face;
pub mod fault;
pub mod id;
pub mod imds;
pub mod instance_types;
pub mod journal;
pub mod latency;
mod lifecycle;
pub mod machine;
pub mod model;
pub mod oracle;
pub mod protocol;
pub mod reply;
pub mod request;
#[cfg(test)]
mod script;
pub mod settings;
pub mod space;
pub mod spec;
pub mod staleness;
pub mod throttle;
pub mod time;
pub mod world;

pub use error::ApiError;
pub use machine::Ec2;
pub use reply::{Answer, Delivery, Reply};
pub use request::{Action, Caller, Operation, Request};
pub use settings::Settings;
pub use time::Moment;
