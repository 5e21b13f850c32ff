//! What went wrong with a request, in the words of the core.

use std::error::Error;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use ipam_core::failure::Failure;

use crate::cloud::refusal;

/// Reads what the SDK says. `has_left`: whether the request was handed to the connection.
pub(super) fn failure<E>(error: &SdkError<E, HttpResponse>, has_left: bool) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let SdkError::ServiceError(refused) = error {
        let status = refused.raw().status().as_u16();
        // Without a code it is not EC2 that speaks: a proxy, or a body that is cut off.
        return match error.code() {
            Some(code) => refusal::read(status, code, error.message().unwrap_or_default()),
            None => Failure::NoAnswer { cause: format!("status {status} without an error code") },
        };
    }
    let causes = causes(error);
    let cause = causes.join(": ");
    if has_left && !causes.iter().any(|cause| cause == NEVER_CONNECTED) {
        Failure::NoAnswer { cause }
    } else {
        Failure::NotSent { cause }
    }
}

/// What the SDK's HTTP client says when no connection came about: names, TCP and TLS. Its type says the same, and is of a
/// crate that the SDK does not show.
const NEVER_CONNECTED: &str = "client error (Connect)";

/// An error and what caused it, from the outside in, each text once and in one line: the chain of credentials gives several.
fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    let in_one_line = |error: &dyn Error| {
        let text = error.to_string();
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
    };
    let mut texts = vec![in_one_line(error)];
    let mut next = error.source();
    while let Some(error) = next {
        texts.push(in_one_line(error));
        next = error.source();
    }
    texts.dedup();
    texts
}
