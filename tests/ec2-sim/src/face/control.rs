//! The control API: builds and disturbs the world, and shows what became of it. JSON in and out; what is wrong with a request is said
//! with line, column and field.

mod act;
mod show;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use serde::Serialize;
use serde_json::{Value, json};

use super::imds::Services;
use crate::build::BuildError;
use crate::spec::{
    ElasticIp, Instance, Interface, Principal, Reservation, RouteTable, SecurityGroup, SpecError,
    Subnet, Vpc,
};

/// Every path, with what it is for.
pub(super) const PATHS: &[(&str, &str, &str)] = &[
    ("GET", "/_sim", "this list"),
    ("GET", "/_sim/time", "the simulation's moment and its wall clock"),
    (
        "POST",
        "/_sim/time/jump",
        "lets the wall clock jump: {seconds}; time itself goes on as before",
    ),
    ("GET", "/_sim/world", "everything there is"),
    ("GET", "/_sim/audit", "where the truth contradicts itself: an empty list when it does not"),
    ("GET", "/_sim/journal?since=N", "the calls from number N on; with &format=text a line each"),
    ("GET", "/_sim/counters", "calls, throttles, errors and bytes by action"),
    ("GET", "/_sim/metrics", "the same as Prometheus text"),
    ("GET", "/_sim/links/INSTANCE", "the network devices that the instance's kernel shows"),
    ("POST", "/_sim/vpcs", "makes a VPC"),
    ("POST", "/_sim/vpcs/VPC/cidrs", "gives a VPC a further block: {cidr}"),
    ("POST", "/_sim/subnets", "makes a subnet with its CIDR reservations"),
    ("POST", "/_sim/subnets/SUBNET/take", "lets somebody else take so many addresses: {addresses}"),
    (
        "POST",
        "/_sim/subnets/SUBNET/leave",
        "lets somebody else take all but {addresses}, or all but so many /28 {blocks}",
    ),
    ("POST", "/_sim/reservations", "makes a CIDR reservation: {subnet, cidr, kind}"),
    ("POST", "/_sim/route-tables", "makes a route table"),
    ("POST", "/_sim/security-groups", "makes a security group"),
    ("POST", "/_sim/instances", "launches one or more instances with their interfaces"),
    ("POST", "/_sim/instances/INSTANCE/start", "starts an instance; also stop and terminate"),
    ("POST", "/_sim/interfaces", "makes an interface"),
    ("POST", "/_sim/interfaces/INTERFACE/unassign", "takes {addresses} and {prefixes} from it"),
    ("POST", "/_sim/interfaces/INTERFACE/detach", "lets it go from its instance"),
    ("DELETE", "/_sim/interfaces/INTERFACE", "deletes it, whatever it is attached to"),
    ("POST", "/_sim/elastic-ips", "allocates an Elastic IP address"),
    ("POST", "/_sim/principals", "says who an access key belongs to and what it may do"),
    ("PUT", "/_sim/zones/ZONE", "takes a zone out of service, or brings it back: {down}"),
    ("GET", "/_sim/faults", "the fault rules and how often they have fired"),
    ("POST", "/_sim/faults", "adds a fault rule"),
    ("DELETE", "/_sim/faults", "removes all fault rules; with /NUMBER one"),
    ("GET", "/_sim/buckets", "the sizes of the token buckets"),
    ("PUT", "/_sim/buckets", "changes them: {unlimited, multiplier, overrides}"),
    ("POST", "/_sim/buckets/ACCOUNT/BUCKET/empty", "empties one"),
    ("GET", "/_sim/quotas", "the quotas"),
    (
        "PUT",
        "/_sim/quotas",
        "changes them: {interfaces, groups_per_interface, address_usage_per_vpc}",
    ),
    ("GET", "/_sim/latency", "how long calls and background changes take"),
    ("PUT", "/_sim/latency", "changes it: {profile, overrides}"),
    ("GET", "/_sim/staleness", "how far reads lag behind"),
    ("PUT", "/_sim/staleness", "changes it for changes that are yet to come: {mode}"),
    ("GET", "/_sim/assumptions", "what is assumed about EC2, and how it is set"),
    ("PUT", "/_sim/assumptions", "sets some, by their names"),
];

/// The routes below `/_sim`.
pub(super) fn router() -> Router<Services> {
    Router::new()
        .route("/", get(paths))
        .route("/time", get(show::time))
        .route("/time/jump", post(act::jump))
        .route("/world", get(show::world))
        .route("/audit", get(show::audit))
        .route("/journal", get(show::journal))
        .route("/counters", get(show::counters))
        .route("/metrics", get(show::metrics))
        .route("/links/{instance}", get(show::links))
        .route("/zones/{zone}", put(act::zone))
        .route("/faults", get(show::faults).post(act::add_fault).delete(act::clear_faults))
        .route("/faults/{number}", delete(act::remove_fault))
        .route("/buckets", get(show::buckets).put(act::buckets))
        .route("/buckets/{account}/{bucket}/empty", post(act::empty_bucket))
        .route("/quotas", get(show::quotas).put(act::quotas))
        .route("/latency", get(show::latency).put(act::latency))
        .route("/staleness", get(show::staleness).put(act::staleness))
        .route("/assumptions", get(show::assumptions).put(act::assumptions))
        .merge(resources())
        .fallback(unknown)
}

/// The routes that make, change and delete what the world consists of.
fn resources() -> Router<Services> {
    Router::new()
        .route("/vpcs", post(act::build::<Vpc>))
        .route("/vpcs/{vpc}/cidrs", post(act::vpc_cidr))
        .route("/subnets", post(act::build::<Subnet>))
        .route("/subnets/{subnet}/take", post(act::take))
        .route("/subnets/{subnet}/leave", post(act::leave))
        .route("/reservations", post(act::build::<Reservation>))
        .route("/route-tables", post(act::build::<RouteTable>))
        .route("/security-groups", post(act::build::<SecurityGroup>))
        .route("/instances", post(act::build::<Instance>))
        .route("/instances/{instance}/{change}", post(act::instance))
        .route("/interfaces", post(act::build::<Interface>))
        .route("/interfaces/{interface}", delete(act::delete_interface))
        .route("/interfaces/{interface}/unassign", post(act::unassign))
        .route("/interfaces/{interface}/detach", post(act::detach))
        .route("/elastic-ips", post(act::build::<ElasticIp>))
        .route("/principals", post(act::build::<Principal>))
}

async fn paths() -> Response {
    let row = |(method, path, what): &(&str, &str, &str)| json!({"method": method, "path": path, "does": what});
    answer(StatusCode::OK, &PATHS.iter().map(row).collect::<Vec<Value>>())
}

async fn unknown() -> Response {
    refuse(StatusCode::NOT_FOUND, "there is nothing here; GET /_sim lists all paths")
}

/// An answer for people and programs.
fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_string_pretty(body) {
        Ok(text) => (status, [(CONTENT_TYPE, "application/json")], text + "\n").into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// A refusal without a field to blame.
fn refuse(status: StatusCode, message: &str) -> Response {
    answer(status, &json!({"error": {"message": message}}))
}

/// The refusal of a body.
fn refuse_body(error: &SpecError) -> Response {
    let (line, column) = error.at.unzip();
    let error =
        json!({"message": error.message, "field": error.field, "line": line, "column": column});
    answer(StatusCode::BAD_REQUEST, &json!({"error": error}))
}

/// The refusal of a change.
fn refuse_change(error: &BuildError) -> Response {
    let status = match error {
        BuildError::Unknown { .. } => StatusCode::NOT_FOUND,
        BuildError::Refused { error, .. } if error.code.ends_with(".NotFound") => {
            StatusCode::NOT_FOUND
        }
        _ => StatusCode::CONFLICT,
    };
    refuse(status, &error.to_string())
}
