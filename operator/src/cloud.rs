//! Where calls to EC2 go.

pub mod refusal;

use std::future::Future;

use ipam_core::call::{Call, Reply};
use ipam_core::failure::Failure;

/// Carries out calls, one by one, each exactly once, and never decides anything.
///
/// The real one is `Aws` (feature `aws`). Whoever implements it bounds every call in time, retries
/// nothing by itself, and reads an answer that it does not understand as [`Failure::NoAnswer`], never as an empty one.
pub trait Cloud: Send + Sync + 'static {
    /// Carries out one call.
    fn call(&self, call: Call) -> impl Future<Output = Result<Reply, Failure>> + Send;
}
