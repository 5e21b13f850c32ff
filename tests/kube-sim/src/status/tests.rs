//! Every status against the object that a Kubernetes 1.36 API server sends.

use serde_json::{Value, json};

use super::{FieldError, FieldErrorKind, Status};

/// Checks a status against its code and its JSON, of which kind, version and metadata are left out.
fn check(status: &Status, expected: &str) {
    let mut value = status.to_value();
    let members = value.as_object_mut().expect("an object");
    assert_eq!(members.remove("kind"), Some(json!("Status")));
    assert_eq!(members.remove("apiVersion"), Some(json!("v1")));
    assert_eq!(members.remove("metadata"), Some(json!({})));
    let expected: Value = serde_json::from_str(expected).expect("JSON");
    assert_eq!(value, expected, "{status}");
}

#[test]
fn a_deleted_object() {
    let status = Status::deleted("ciliumnodes.cilium.io", "a", "u1");
    assert_eq!((status.code(), status.reason(), status.message()), (200, "", ""));
    check(
        &status,
        r#"{"status": "Success", "details": {"name": "a", "group": "cilium.io", "kind": "ciliumnodes", "uid": "u1"}}"#,
    );
}

#[test]
fn failures_about_an_object() {
    check(
        &Status::not_found("nodes", "a"),
        r#"{"status": "Failure", "code": 404, "reason": "NotFound", "message": "nodes \"a\" not found",
            "details": {"name": "a", "kind": "nodes"}}"#,
    );
    check(
        &Status::already_exists("ciliumnodes.cilium.io", "a"),
        r#"{"status": "Failure", "code": 409, "reason": "AlreadyExists",
            "message": "ciliumnodes.cilium.io \"a\" already exists",
            "details": {"name": "a", "group": "cilium.io", "kind": "ciliumnodes"}}"#,
    );
    check(
        &Status::conflict("nodes", "a"),
        r#"{"status": "Failure", "code": 409, "reason": "Conflict",
            "message": "Operation cannot be fulfilled on nodes \"a\": the object has been modified; please apply your changes to the latest version and try again",
            "details": {"name": "a", "kind": "nodes"}}"#,
    );
    check(
        &Status::uid_precondition("Node", "a", "u1", "u2"),
        r#"{"status": "Failure", "code": 409, "reason": "Conflict",
            "message": "Operation cannot be fulfilled on Node \"a\": the UID in the precondition (u1) does not match the UID in record (u2). The object might have been deleted and then recreated",
            "details": {"name": "a", "kind": "Node"}}"#,
    );
    check(
        &Status::resource_version_precondition("Node", "a", "1", "2"),
        r#"{"status": "Failure", "code": 409, "reason": "Conflict",
            "message": "Operation cannot be fulfilled on Node \"a\": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (2). The object might have been modified",
            "details": {"name": "a", "kind": "Node"}}"#,
    );
    check(
        &Status::forbidden("nodes", "a", "no"),
        r#"{"status": "Failure", "code": 403, "reason": "Forbidden", "message": "nodes \"a\" is forbidden: no",
            "details": {"name": "a", "kind": "nodes"}}"#,
    );
    check(
        &Status::verb_not_supported("nodes", "watch"),
        r#"{"status": "Failure", "code": 405, "reason": "MethodNotAllowed",
            "message": "watch is not supported on resources of kind \"nodes\"", "details": {"kind": "nodes"}}"#,
    );
}

#[test]
fn invalid_objects() {
    let wrong_type = FieldError::new(
        FieldErrorKind::TypeInvalid,
        "spec.foo",
        "string",
        "spec.foo in body must be of type integer: \"string\"",
    );
    check(
        &Status::invalid("CiliumNode.cilium.io", "x", std::slice::from_ref(&wrong_type)),
        r#"{"status": "Failure", "code": 422, "reason": "Invalid",
            "message": "CiliumNode.cilium.io \"x\" is invalid: spec.foo: Invalid value: \"string\": spec.foo in body must be of type integer: \"string\"",
            "details": {"name": "x", "group": "cilium.io", "kind": "CiliumNode", "causes": [
                {"reason": "FieldValueTypeInvalid", "field": "spec.foo",
                 "message": "Invalid value: \"string\": spec.foo in body must be of type integer: \"string\""}]}}"#,
    );
    let missing = FieldError::new(FieldErrorKind::Required, "spec.bar", "", "");
    // The same broken rule twice is two causes and is said once.
    check(
        &Status::invalid("Node", "x", &[missing.clone(), missing.clone()]),
        r#"{"status": "Failure", "code": 422, "reason": "Invalid",
            "message": "Node \"x\" is invalid: spec.bar: Required value",
            "details": {"name": "x", "kind": "Node", "causes": [
                {"reason": "FieldValueRequired", "field": "spec.bar", "message": "Required value"},
                {"reason": "FieldValueRequired", "field": "spec.bar", "message": "Required value"}]}}"#,
    );
    let several = Status::invalid("Node", "x", &[missing, wrong_type]);
    assert_eq!(
        several.message(),
        "Node \"x\" is invalid: [spec.bar: Required value, spec.foo: Invalid value: \"string\": \
         spec.foo in body must be of type integer: \"string\"]"
    );
}

#[test]
fn values_are_shown_as_the_server_shows_them() {
    let shown = |value: Value| FieldError::new(FieldErrorKind::Invalid, "a", value, "no").body();
    assert_eq!(shown(json!(3)), "Invalid value: 3: no");
    assert_eq!(shown(json!("x\"y")), "Invalid value: \"x\\\"y\": no");
    assert_eq!(
        shown(json!({"b": "<&>", "a": [1]})),
        r#"Invalid value: {"a":[1],"b":"\u003c\u0026\u003e"}: no"#
    );
    assert_eq!(shown(Value::Null), "Invalid value: null: no");
    let hidden =
        FieldError::new(FieldErrorKind::TooLong, "a", "xyz", "may not be more than 2 bytes");
    assert_eq!(hidden.body(), "Too long: may not be more than 2 bytes");
}

#[test]
fn failures_about_the_request() {
    check(
        &Status::bad_request("what?"),
        r#"{"status": "Failure", "code": 400, "reason": "BadRequest", "message": "what?"}"#,
    );
    check(
        &Status::unauthorized(),
        r#"{"status": "Failure", "code": 401, "reason": "Unauthorized", "message": "Unauthorized"}"#,
    );
    check(
        &Status::path_not_found(),
        r#"{"status": "Failure", "code": 404, "reason": "NotFound", "details": {},
            "message": "the server could not find the requested resource"}"#,
    );
    check(
        &Status::method_not_allowed(),
        r#"{"status": "Failure", "code": 405, "reason": "MethodNotAllowed", "details": {},
            "message": "the server does not allow this method on the requested resource"}"#,
    );
    check(
        &Status::not_acceptable(&["application/json", "application/yaml"]),
        r#"{"status": "Failure", "code": 406, "reason": "NotAcceptable",
            "message": "only the following media types are accepted: application/json, application/yaml"}"#,
    );
    check(
        &Status::unsupported_media_type(&[
            "application/json-patch+json",
            "application/merge-patch+json",
        ]),
        r#"{"status": "Failure", "code": 415, "reason": "UnsupportedMediaType",
            "message": "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json"}"#,
    );
    check(
        &Status::expired("too old resource version: 3 (7)"),
        r#"{"status": "Failure", "code": 410, "reason": "Expired", "message": "too old resource version: 3 (7)"}"#,
    );
    check(
        &Status::patch_failed(),
        r#"{"status": "Failure", "code": 422, "reason": "Invalid", "details": {},
            "message": "the server rejected our request due to an error in our request"}"#,
    );
    check(
        &Status::too_large("The allowed maximum operations in a JSON patch is 1, got 2"),
        r#"{"status": "Failure", "code": 413, "reason": "RequestEntityTooLarge",
            "message": "Request entity too large: The allowed maximum operations in a JSON patch is 1, got 2"}"#,
    );
}

#[test]
fn failures_of_the_server() {
    let wait = Status::too_many_requests(7);
    assert_eq!(wait.retry_after_seconds(), Some(7));
    check(
        &wait,
        r#"{"status": "Failure", "code": 429, "reason": "TooManyRequests", "details": {"retryAfterSeconds": 7},
            "message": "too many requests, please try again later"}"#,
    );
    check(
        &Status::internal_error("boom"),
        r#"{"status": "Failure", "code": 500, "reason": "InternalError",
            "message": "Internal error occurred: boom", "details": {"causes": [{"message": "boom"}]}}"#,
    );
    check(
        &Status::not_implemented("the table of pods"),
        r#"{"status": "Failure", "code": 501, "reason": "NotImplemented",
            "message": "the table of pods is not implemented"}"#,
    );
    check(
        &Status::service_unavailable("starting"),
        r#"{"status": "Failure", "code": 503, "reason": "ServiceUnavailable", "message": "starting"}"#,
    );
    check(
        &Status::resource_version_too_large(9, 5, 1),
        r#"{"status": "Failure", "code": 504, "reason": "Timeout",
            "message": "Timeout: Too large resource version: 9, current: 5",
            "details": {"retryAfterSeconds": 1, "causes": [
                {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}}"#,
    );
}
