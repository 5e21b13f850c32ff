//! What shows the world.

mod behaviour;
mod world;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) use self::behaviour::{assumptions, buckets, latency, quotas, staleness};
use super::{answer, refuse};
use crate::face::imds::Services;
use crate::id::InstanceId;
use crate::journal::Entry;
use crate::machine::Link;
use crate::model::mac;
use crate::oracle::Finding;

pub(super) async fn time(State(services): State<Services>) -> Response {
    let (now, wall_clock) = services.shared().with(|ec2, now| (now, ec2.wall_clock(now)));
    let wall_clock = jiff::Timestamp::from_microsecond(wall_clock).unwrap_or_default();
    answer(
        StatusCode::OK,
        &json!({"now_us": now.as_micros(), "wall_clock": wall_clock.to_string()}),
    )
}

pub(super) async fn world(State(services): State<Services>) -> Response {
    answer(StatusCode::OK, &services.shared().with(|ec2, _| world::world(ec2)))
}

pub(super) async fn audit(State(services): State<Services>) -> Response {
    let findings = services.shared().with(|ec2, _| ec2.audit());
    let finding = |it: &Finding| json!({"promise": it.promise, "what": it.what});
    answer(StatusCode::OK, &findings.iter().map(finding).collect::<Vec<_>>())
}

/// Which part of the journal, and how.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    since: u64,
    #[serde(default)]
    format: Format,
}

/// How the journal is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Text,
}

pub(super) async fn journal(
    State(services): State<Services>,
    part: Result<Query<Part>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Ok(Query(Part { since, format })) = part else {
        return refuse(StatusCode::BAD_REQUEST, "expected ?since=N and format=json or format=text");
    };
    services.shared().with(|ec2, _| {
        let entries = ec2.journal().since(since);
        match format {
            Format::Json => answer(StatusCode::OK, &entries.collect::<Vec<_>>()),
            Format::Text => entries.map(line).collect::<String>().into_response(),
        }
    })
}

/// Number, action, and how it ended.
fn line(entry: &Entry) -> String {
    let action = entry.action.map_or("-", |action| action.name());
    let end = entry.code.unwrap_or("ok");
    let lost = if entry.disturbed { " (the caller did not learn of it)" } else { "" };
    format!("{} {action} {end}{lost}\n", entry.sequence)
}

pub(super) async fn counters(State(services): State<Services>) -> Response {
    services.shared().with(|ec2, _| answer(StatusCode::OK, ec2.counters()))
}

pub(super) async fn metrics(State(services): State<Services>) -> Response {
    services.shared().with(|ec2, _| ec2.counters().to_string()).into_response()
}

pub(super) async fn links(
    State(services): State<Services>,
    Path(instance): Path<String>,
) -> Response {
    let instance: InstanceId = match instance.parse() {
        Ok(instance) => instance,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &format!("{error}")),
    };
    let links = services.shared().with(|ec2, now| {
        ec2.world().truth().instance(&instance)?;
        Some(ec2.links(now, &instance))
    });
    let Some(links) = links else {
        return refuse(StatusCode::NOT_FOUND, &format!("there is no instance `{instance}`"));
    };
    answer(StatusCode::OK, &links.iter().map(link).collect::<Vec<_>>())
}

fn link(link: &Link) -> Value {
    json!({
        "interface": link.interface,
        "mac": mac(link.mac).to_string(),
        "network_card": link.network_card,
        "device_index": link.device_index,
        "shown_at_us": link.shown_at.as_micros(),
    })
}

pub(super) async fn faults(State(services): State<Services>) -> Response {
    let standings: Vec<_> =
        services.shared().with(|ec2, _| ec2.build().faults().standings().collect());
    answer(StatusCode::OK, &standings)
}
