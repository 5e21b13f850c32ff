//! What the API answers where it does not answer with an object: the kind Status.

mod field_error;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

pub use field_error::{FieldError, FieldErrorKind};

/// A Status object. Source: Kubernetes API reference, Status v1 meta.
///
/// Resources are named as `nodes` or `ciliumnodes.cilium.io`, kinds as `Node` or `CiliumNode.cilium.io`: what
/// stands after the first dot is the group.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    code: u16,
    /// None is success.
    failure: Option<Failure>,
    details: Option<Details>,
    /// The member `metadata.continue`.
    continue_token: Option<String>,
}

/// What a failure says beside its details.
#[derive(Debug, Clone, PartialEq)]
struct Failure {
    reason: &'static str,
    message: String,
}

/// The member `details`. An empty text and zero are left out, as the server does.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    uid: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<Cause>,
    #[serde(skip_serializing_if = "is_zero")]
    retry_after_seconds: u32,
}

/// One member of `details.causes`.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Cause {
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'static str,
    message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    field: String,
}

impl Details {
    /// The object or kind that a status is about.
    fn of(qualified: &str, name: &str) -> Self {
        let (kind, group) = qualified.split_once('.').unwrap_or((qualified, ""));
        Self { name: name.into(), group: group.into(), kind: kind.into(), ..Self::default() }
    }
}

/// Whether the server would leave the number out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The objects that the API knows.
impl Status {
    /// 200: an object is gone. `resource` and `uid` are those of the object.
    #[must_use]
    pub fn deleted(resource: &str, name: &str, uid: &str) -> Self {
        let details = Details { uid: uid.into(), ..Details::of(resource, name) };
        Self { code: 200, failure: None, details: Some(details), continue_token: None }
    }

    /// 201: what was asked for is done, and is no object.
    #[must_use]
    pub const fn created() -> Self {
        Self { code: 201, failure: None, details: None, continue_token: None }
    }

    /// 404: there is no object of the name.
    #[must_use]
    pub fn not_found(resource: &str, name: &str) -> Self {
        let message = format!("{resource} {name:?} not found");
        Self::failure(404, "NotFound", message).about(resource, name)
    }

    /// 409: a create met an object of the same name.
    #[must_use]
    pub fn already_exists(resource: &str, name: &str) -> Self {
        let message = format!("{resource} {name:?} already exists");
        Self::failure(409, "AlreadyExists", message).about(resource, name)
    }

    /// 409: the `resourceVersion` of a write is not that of the object.
    #[must_use]
    pub fn conflict(resource: &str, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::cannot_fulfil(resource, name, why)
    }

    /// 409: a delete names a uid that is not that of the object. `kind` is a kind, not a resource: the server puts
    /// it there.
    #[must_use]
    pub fn uid_precondition(kind: &str, name: &str, asked: &str, found: &str) -> Self {
        let why = format!(
            "the UID in the precondition ({asked}) does not match the UID in record ({found}). \
             The object might have been deleted and then recreated"
        );
        Self::cannot_fulfil(kind, name, &why)
    }

    /// 409: a delete names a resource version that is not that of the object. `kind` is a kind, not a resource.
    #[must_use]
    pub fn resource_version_precondition(kind: &str, name: &str, asked: &str, found: &str) -> Self {
        let why = format!(
            "the ResourceVersion in the precondition ({asked}) does not match the ResourceVersion in record \
             ({found}). The object might have been modified"
        );
        Self::cannot_fulfil(kind, name, &why)
    }

    /// 409 for any other reason, which ends the message.
    #[must_use]
    pub fn cannot_fulfil(qualified: &str, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {qualified} {name:?}: {why}");
        Self::failure(409, "Conflict", message).about(qualified, name)
    }

    /// 422: the object breaks rules. `kind` is empty where the server does not say it, as for an unknown field in
    /// a patch.
    #[must_use]
    pub fn invalid(kind: &str, name: &str, errors: &[FieldError]) -> Self {
        let message = match field_error::joined(errors) {
            Some(errors) => format!("{kind} {name:?} is invalid: {errors}"),
            None => format!("{kind} {name:?} is invalid"),
        };
        let causes = errors.iter().map(|error| Cause {
            reason: error.kind().reason(),
            message: error.body(),
            field: error.field().into(),
        });
        let details = Details { causes: causes.collect(), ..Details::of(kind, name) };
        Self::failure(422, "Invalid", message).detailed(details)
    }

    /// 403. `name` is empty for a request about all objects.
    #[must_use]
    pub fn forbidden(resource: &str, name: &str, why: &str) -> Self {
        let message = if name.is_empty() {
            format!("{resource} is forbidden: {why}")
        } else {
            format!("{resource} {name:?} is forbidden: {why}")
        };
        Self::failure(403, "Forbidden", message).about(resource, name)
    }

    /// 405: the resource exists and the verb is none of its verbs.
    #[must_use]
    pub fn verb_not_supported(resource: &str, verb: &str) -> Self {
        let message = format!("{verb} is not supported on resources of kind {resource:?}");
        Self::failure(405, "MethodNotAllowed", message).about(resource, "")
    }
}

/// Requests that do not get as far as an object.
impl Status {
    /// 400: the request cannot be understood.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::failure(400, "BadRequest", message)
    }

    /// 401.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::failure(401, "Unauthorized", "Unauthorized")
    }

    /// 404: no resource is served at the path.
    #[must_use]
    pub fn path_not_found() -> Self {
        let message = "the server could not find the requested resource";
        Self::failure(404, "NotFound", message).detailed(Details::default())
    }

    /// 405: the path is served and the method is not.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::failure(405, "MethodNotAllowed", message).detailed(Details::default())
    }

    /// 406: none of the media types that the client takes can be had.
    #[must_use]
    pub fn not_acceptable(accepted: &[&str]) -> Self {
        let accepted = accepted.join(", ");
        let message = format!("only the following media types are accepted: {accepted}");
        Self::failure(406, "NotAcceptable", message)
    }

    /// 410: what a resource version or a continue token stands for is no longer kept.
    #[must_use]
    pub fn expired(message: impl Into<String>) -> Self {
        Self::failure(410, "Expired", message)
    }

    /// 410: what a continue token stands for is no longer kept. `token` goes on in the present.
    #[must_use]
    pub fn expired_list(token: String) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start \
                       a new list without the continue parameter, or use the continue token in this response to \
                       retrieve the remainder of the results. Continuing with the provided token results in an \
                       inconsistent list - objects that were created, modified, or deleted between the time the \
                       first chunk was returned and now may show up in the list.";
        Self { continue_token: Some(token), ..Self::expired(message) }
    }

    /// 413: the request holds more than the server takes.
    #[must_use]
    pub fn too_large(why: &str) -> Self {
        Self::failure(413, "RequestEntityTooLarge", format!("Request entity too large: {why}"))
    }

    /// 415: the body is of a media type that is not read here.
    #[must_use]
    pub fn unsupported_media_type(accepted: &[&str]) -> Self {
        let accepted = accepted.join(", ");
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {accepted}"
        );
        Self::failure(415, "UnsupportedMediaType", message)
    }

    /// 422: a JSON patch can be read and does not fit the object, or its `test` fails. Not like [`Status::invalid`]:
    /// the server names neither object nor field.
    #[must_use]
    pub fn patch_failed() -> Self {
        let message = "the server rejected our request due to an error in our request";
        Self::failure(422, "Invalid", message).detailed(Details::default())
    }

    /// 429: the client must wait.
    #[must_use]
    pub fn too_many_requests(retry_after_seconds: u32) -> Self {
        let message = "too many requests, please try again later";
        let details = Details { retry_after_seconds, ..Details::default() };
        Self::failure(429, "TooManyRequests", message).detailed(details)
    }

    /// 500.
    #[must_use]
    pub fn internal_error(why: &str) -> Self {
        let cause = Cause { reason: "", message: why.into(), field: String::new() };
        let details = Details { causes: vec![cause], ..Details::default() };
        let message = format!("Internal error occurred: {why}");
        Self::failure(500, "InternalError", message).detailed(details)
    }

    /// 500 without a reason: what a server says of errors that it did not foresee.
    #[must_use]
    pub fn unforeseen(message: impl Into<String>) -> Self {
        Self::failure(500, "", message)
    }

    /// 501: a real server does this, and this one does not. No real server says so.
    #[must_use]
    pub fn not_implemented(what: &str) -> Self {
        Self::failure(501, "NotImplemented", format!("{what} is not implemented"))
    }

    /// 503: for the moment the server answers nothing.
    #[must_use]
    pub fn service_unavailable(message: impl Into<String>) -> Self {
        Self::failure(503, "ServiceUnavailable", message)
    }

    /// 504: the state that a list or watch waits for is not reached in time.
    #[must_use]
    pub fn resource_version_too_large(asked: u64, current: u64, retry_after_seconds: u32) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let cause = Cause {
            reason: "ResourceVersionTooLarge",
            message: "Too large resource version".into(),
            field: String::new(),
        };
        let details = Details { causes: vec![cause], retry_after_seconds, ..Details::default() };
        Self::failure(504, "Timeout", message).detailed(details)
    }
}

impl Status {
    fn failure(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        let failure = Failure { reason, message: message.into() };
        Self { code, failure: Some(failure), details: None, continue_token: None }
    }

    fn about(self, qualified: &str, name: &str) -> Self {
        self.detailed(Details::of(qualified, name))
    }

    fn detailed(self, details: Details) -> Self {
        Self { details: Some(details), ..self }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn code(&self) -> u16 {
        self.code
    }

    /// The machine-readable reason; empty for a success.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.failure.as_ref().map_or("", |failure| failure.reason)
    }

    /// The sentence for people; empty for a success.
    #[must_use]
    pub fn message(&self) -> &str {
        self.failure.as_ref().map_or("", |failure| &failure.message)
    }

    /// The seconds of the header `Retry-After`, where there is one.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u32> {
        let seconds = self.details.as_ref().map_or(0, |details| details.retry_after_seconds);
        (seconds != 0).then_some(seconds)
    }

    /// The object as it is sent. A success other than 200 alone has a `code` in it, as from the server.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}});
        status["status"] = "Success".into();
        if let Some(Failure { reason, message }) = &self.failure {
            status["status"] = "Failure".into();
            status["message"] = message.as_str().into();
            if !reason.is_empty() {
                status["reason"] = (*reason).into();
            }
        }
        if self.code != 200 {
            status["code"] = self.code.into();
        }
        if let Some(token) = &self.continue_token {
            status["metadata"]["continue"] = token.as_str().into();
        }
        if let Some(details) = &self.details {
            status["details"] = json!(details);
        }
        status
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failure {
            Some(failure) => {
                write!(formatter, "{} {}: {}", self.code, failure.reason, failure.message)
            }
            None => write!(formatter, "{} Success", self.code),
        }
    }
}

impl std::error::Error for Status {}
