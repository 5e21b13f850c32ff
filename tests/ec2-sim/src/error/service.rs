//! Refusals that have nothing to do with what is asked for: rates, permissions, faults of the service, unknown names.

use super::refusals;
use crate::request::Action;

refusals! {
    /// The token bucket is empty. Nothing happened.
    throttled() "RequestLimitExceeded" "Request limit exceeded.";
    /// The service cannot answer now; what was asked may have happened.
    unavailable() "Unavailable" "The service is unavailable. Please try again shortly.";
    /// The same, from a load balancer.
    service_unavailable() "ServiceUnavailable" "The request has failed due to a temporary failure of the server.";
    /// The service failed; what was asked may have happened.
    internal_error() "InternalError" "An internal error has occurred";
    /// The same, under its other name.
    internal_failure() "InternalFailure" "The request processing has failed because of an unknown error, exception or failure.";
    /// No policy lets this caller do the action of that name.
    denied(principal: &str, action: &str)
        "UnauthorizedOperation" "You are not authorized to perform this operation. User: {principal} is not authorized to perform: ec2:{action} because no identity-based policy allows the ec2:{action} action";
    /// Nobody has this access key, or the signature is none of it.
    auth_failure() "AuthFailure" "AWS was not able to validate the provided access credentials";
    /// The signature is for another service.
    other_service() "AuthFailure" "Credential should be scoped to correct service: 'ec2'.";
    /// The signature is for another Region.
    other_region() "AuthFailure" "Credential should be scoped to a valid region.";
    /// `DryRun` was asked for, and the caller would have been allowed.
    dry_run() "DryRunOperation" "Request would have succeeded, but DryRun flag is set.";
    /// No action was named (EC2 API reference, common client errors).
    missing_action() "MissingAction" "The request must contain the parameter Action";
    /// The API, or this simulator, has no such action.
    unknown_action(name: &str) "InvalidAction" "The action {name} is not valid for this web service.";
    /// The action, as far as this simulator has it, takes no such parameter.
    unknown_parameter(name: &str) "UnknownParameter" "The parameter {name} is not recognized";
    /// A parameter that can be said once was said several times.
    repeated_parameter(name: &str) "MalformedQueryString" "The parameter {name} may only be specified once.";
    /// EC2 can do this and this simulator cannot.
    not_simulated(what: &str) "UnsupportedOperation" "{what} is not simulated.";
    /// The API has no such version.
    no_such_version(version: &str) "NoSuchVersion" "The version {version} is not valid for this web service.";
}

impl super::ApiError {
    /// No policy lets this caller do this.
    #[must_use]
    pub fn unauthorized(principal: &str, action: Action) -> Self {
        Self::denied(principal, action.name())
    }
}
