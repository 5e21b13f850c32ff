//! How the Region behaves, in the form in which it can be changed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use crate::face::imds::Services;
use crate::machine::Ec2;

fn shown(services: &Services, what: impl FnOnce(&Ec2) -> Value) -> Response {
    answer(StatusCode::OK, &services.shared().with(|ec2, _| what(ec2)))
}

pub(in super::super) async fn assumptions(State(services): State<Services>) -> Response {
    shown(&services, |ec2| {
        let rows = ec2.settings().assumptions.list();
        rows.map(|(row, value)| json!({"name": row.name, "value": value, "says": row.says}))
            .collect()
    })
}

pub(in super::super) async fn buckets(State(services): State<Services>) -> Response {
    shown(&services, |ec2| {
        let settings = &ec2.buckets().settings;
        let overrides = settings.overrides.iter();
        let overrides: Map<String, Value> =
            overrides.map(|(bucket, size)| (bucket.to_string(), json!(size))).collect();
        json!({
            "unlimited": settings.unlimited,
            "multiplier": settings.multiplier,
            "overrides": overrides,
        })
    })
}

pub(in super::super) async fn latency(State(services): State<Services>) -> Response {
    shown(&services, |ec2| {
        let settings = &ec2.settings().latency;
        let figures = settings.overrides.iter().map(|(action, figures)| {
            let figures = json!({
                "p50_ms": figures.p50.as_millis(),
                "p99_ms": figures.p99.as_millis(),
                "per_item_us": figures.per_item.as_micros(),
            });
            (action.name().to_owned(), figures)
        });
        json!({"profile": settings.profile, "overrides": figures.collect::<Map<_, _>>()})
    })
}

pub(in super::super) async fn quotas(State(services): State<Services>) -> Response {
    shown(&services, |ec2| {
        let quotas = ec2.settings().quotas;
        json!({
            "interfaces": quotas.interfaces,
            "groups_per_interface": quotas.groups_per_interface,
            "address_usage_per_vpc": quotas.address_usage_per_vpc,
        })
    })
}

pub(in super::super) async fn staleness(State(services): State<Services>) -> Response {
    shown(&services, |ec2| json!({"mode": ec2.settings().staleness}))
}
