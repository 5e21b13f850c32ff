//! One attempt at a request, watched on its way: whether it left, how long it took, and whether the answer is whole.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_ec2::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use axum::http::StatusCode;
use tokio::time::Instant;

/// A request that was sent, and how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// EC2's name of the action, such as `DescribeSubnets`.
    pub operation: &'static str,
    /// The text of the HTTP status, such as `OK` or `Service Unavailable`; `Failed` when there was no answer.
    pub response: &'static str,
    /// From the moment when it left until its answer was read.
    pub took: Duration,
}

/// Who is told of each attempt.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Attempt) + Send + Sync>);

impl Observer {
    /// Has `tell` called after each attempt.
    #[must_use]
    pub fn new(tell: impl Fn(&Attempt) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Tells nobody.
    #[must_use]
    pub fn none() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Observer")
    }
}

/// Watches one attempt from inside the SDK.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    operation: &'static str,
    left: Arc<OnceLock<Instant>>,
}

impl Watch {
    pub(super) fn new(operation: &'static str) -> Self {
        Self { operation, left: Arc::default() }
    }

    /// Whether the request was handed to the connection. Before that it waits for credentials.
    pub(super) fn has_left(&self) -> bool {
        self.left.get().is_some()
    }

    /// Tells of the attempt, if there was one.
    pub(super) fn report(&self, status: Option<u16>, observer: &Observer) {
        let Some(left) = self.left.get() else { return };
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        let response = status.and_then(|status| status.canonical_reason()).unwrap_or("Failed");
        observer.0(&Attempt { operation: self.operation, response, took: left.elapsed() });
    }
}

impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "watch"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.left.get_or_init(Instant::now);
        Ok(())
    }

    /// The SDK takes XML that ends inside of a list for a shorter list, so the end is looked at here.
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let body = response.body().bytes().unwrap_or_default();
        if response.status().is_success() && !is_whole(body, self.operation) {
            return Err(
                format!("the answer does not end with </{}Response>", self.operation).into()
            );
        }
        Ok(())
    }
}

/// Whether the document ends with the end of the action's answer.
fn is_whole(body: &[u8], operation: &str) -> bool {
    let rest = body.trim_ascii_end().strip_suffix(b"Response>");
    let rest = rest.and_then(|rest| rest.strip_suffix(operation.as_bytes()));
    rest.is_some_and(|rest| rest.ends_with(b"</"))
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let whole = is_whole(body.as_bytes(), "DescribeSubnets");
        assert_eq!(if whole { "whole" } else { "no answer" }, expected, "{body}");
    }

    #[test]
    fn an_answer_ends_with_its_own_root() {
        check("<DescribeSubnetsResponse><subnetSet/></DescribeSubnetsResponse>\n", "whole");
        check("<DescribeSubnetsResponse><subnetSet><item>", "no answer");
        check("<DescribeSubnetsResponse></DescribeSubnetsRespon", "no answer");
        check("<DescribeVpcsResponse></DescribeVpcsResponse>", "no answer");
        check("<html><body>DescribeSubnetsResponse></body></html>", "no answer");
        check("DescribeSubnetsResponse>", "no answer");
        check("", "no answer");
    }
}
