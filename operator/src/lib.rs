//! Berth's operator: the shell around [`ipam_core::reconcile`].
//!
//! It watches `CiliumNode`s and pods, hands what it sees to the machine, carries out the calls that the machine wants,
//! and publishes what came of them. It decides nothing about addresses.

#[cfg(feature = "aws")]
pub mod aws;
pub mod board;
pub mod check;
pub mod cloud;
pub mod gc;
pub mod http;
pub mod kubernetes;
pub mod metrics;
pub mod settings;
pub mod shell;
pub mod summaries;
