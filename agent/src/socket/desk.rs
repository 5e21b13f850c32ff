//! Whom the sockets ask.

use std::future::Future;
use std::sync::Arc;

use ipam_core::agent::{Answer, Call, Status};

use crate::keeper::Keeper;

/// Who answers: the [`Keeper`].
pub trait Desk: Clone + Send + Sync + 'static {
    /// Asks. Dropping the future abandons the call.
    fn call(&self, call: Call) -> impl Future<Output = Answer> + Send;

    /// How things stand.
    fn status(&self) -> Arc<Status>;
}

impl Desk for Keeper {
    async fn call(&self, call: Call) -> Answer {
        Self::call(self, call).await
    }

    fn status(&self) -> Arc<Status> {
        Self::status(self)
    }
}
