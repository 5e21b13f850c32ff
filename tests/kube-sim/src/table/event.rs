//! The columns of events.

use jiff::Timestamp;
use serde_json::Value;

use super::{Heading, Layout, age, name, text};

pub(super) fn layout(now: Timestamp) -> Layout<'static> {
    let headings = vec![
        Heading::text("Last Seen", 0, "The time since it happened last."),
        Heading::text("Type", 0, "Normal or Warning."),
        Heading::text("Reason", 0, "Why it happened, for machines."),
        Heading::text("Object", 0, "The object it is about."),
        Heading::text("Subobject", 1, "The part of the object it is about."),
        Heading::text("Source", 1, "Who reports it."),
        Heading::text("Message", 0, "What happened, for people."),
        Heading::text("First Seen", 1, "The time since it happened first."),
        Heading::text("Count", 1, "How often it happened."),
        Heading::name(1),
    ];
    Layout { headings, cells: Box::new(move |event| cells(event, now)) }
}

fn cells(event: &Value, now: Timestamp) -> Vec<Value> {
    let object = &event["involvedObject"];
    let first = first_present(&event["firstTimestamp"], &event["eventTime"]);
    let series = &event["series"];
    let (last, count) = if series.is_object() {
        (&series["lastObservedTime"], series["count"].as_i64().unwrap_or(0))
    } else {
        // An event that is no series has no count in the newer form.
        let count = event["count"].as_i64().filter(|count| *count != 0).unwrap_or(1);
        (first_present(&event["lastTimestamp"], first), count)
    };
    vec![
        age::since(last, now).into(),
        text(&event["type"]).into(),
        text(&event["reason"]).into(),
        target(object).into(),
        text(&object["fieldPath"]).into(),
        source(event).into(),
        text(&event["message"]).trim().into(),
        age::since(first, now).into(),
        count.into(),
        name(event),
    ]
}

fn first_present<'a>(one: &'a Value, other: &'a Value) -> &'a Value {
    if text(one).is_empty() { other } else { one }
}

fn target(object: &Value) -> String {
    let kind = text(&object["kind"]).to_lowercase();
    match text(&object["name"]) {
        "" => kind,
        name => format!("{kind}/{name}"),
    }
}

fn source(event: &Value) -> String {
    let source = &event["source"];
    let component = text(first_present(&source["component"], &event["reportingComponent"]));
    match text(first_present(&source["host"], &event["reportingInstance"])) {
        "" => component.into(),
        instance => format!("{component}, {instance}"),
    }
}
