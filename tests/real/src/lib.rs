//! The same flows against real parts: Kubernetes, boto3, the aws CLI, network namespaces.
//!
//! [`Kubernetes`] is a real control plane, started by a test for itself, [`Kubectl`] its command line,
//! [`Running`] a [`program`] of the workspace beside it, [`Cluster`](cluster::Cluster) all of it with nodes. The tests are in
//! `tests`; what they need installed, and what they cost, is in the README.

pub mod cluster;

mod build;
mod control_plane;
mod kubectl;
mod kubernetes;
mod namespace;
mod programs;
mod running;
mod shipped;

pub use build::BuildError;
pub use control_plane::StartError;
pub use kubectl::{Kubectl, ProgramError};
pub use kubernetes::{Compaction, Kubernetes, Options};
pub use namespace::Namespace;
pub use programs::{NoProgram, aws_at, aws_cli, browser, cni_programs, example, program};
pub use running::{Running, await_true};
pub use shipped::{NAMESPACE, NoAccess, Write, access, operator_between, writes_of};
