//! What a Kubernetes API must answer, checked with a real client against any server.
//!
//! The same cases run against `kube-sim` and against a real API server, so that what passes in front of the simulator
//! is what a cluster does. Expected answers were read off Kubernetes 1.36; where code, reason, message, details or
//! causes of an answer can be seen by a client, they are compared to the letter.
//!
//! A test target with `harness = false` makes a [`World`] for each server and hands them to [`run`]: each case
//! becomes a test of its own, named `SERVER::SUBJECT::CASE`.
//!
//! **Invariant:** a case touches nothing but a namespace of its own and cluster-scoped objects named after it, so that
//! cases run side by side, and on a cluster that is used for other things too.

mod case;
mod cases;
mod crds;
mod reply;
mod runner;
mod scratch;
mod watch;
mod world;

pub use runner::run;
pub use world::{Compaction, World};
