//! Recorded objects with one text made malformed: the problem names it, and nothing else is lost.

use cilium_node::convert;
use cilium_node::convert::{Conversion, NodeFacts};
use serde_json::{Value, json};

use crate::recorded;

/// Members whose texts are free, or not read.
const FREE: &[&str] = &["description", "owner", "podCIDRs", "pool"];
/// Members whose keys are data.
const MAPS: &[&str] = &["pool", "used", "enis", "release-ips"];

/// JSON pointers and paths of all texts at or below `value` that must be well-formed.
fn texts(value: &Value, (pointer, path): (&str, &str), is_map: bool, found: &mut Vec<[String; 2]>) {
    match value {
        Value::String(_) => found.push([pointer.to_owned(), path.to_owned()]),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                texts(item, (&format!("{pointer}/{i}"), &format!("{path}[{i}]")), false, found);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let step = if is_map { format!("[{key:?}]") } else { format!(".{key}") };
                let free = FREE.contains(&key.as_str()) && !member.is_object() || key == "tags";
                if !free {
                    let place = (format!("{pointer}/{key}"), path.to_owned() + &step);
                    texts(member, (&place.0, &place.1), MAPS.contains(&key.as_str()), found);
                }
            }
        }
        _ => {}
    }
}

fn sizes(node: &NodeFacts) -> [usize; 5] {
    [node.pool.len(), node.used.len(), node.allocated.len(), node.releases.len(), node.enis.len()]
}

#[test]
fn every_malformed_text_is_named_and_costs_one_entry() {
    let mut tried = 0;
    for (name, object) in recorded::objects() {
        if !["g1/32", "g2/42", "g2/61", "1.13"].iter().any(|some| name.starts_with(some)) {
            continue;
        }
        let facts =
            |object: &Value| convert(&serde_json::from_value(object.clone()).expect("a node"));
        let before = sizes(&facts(&object).node);
        let mut found = Vec::new();
        for part in ["/spec/eni", "/spec/ipam", "/status"] {
            let path = part[1..].replace('/', ".");
            texts(object.pointer(part).expect("a part"), (part, &path), false, &mut found);
        }
        for [pointer, path] in found {
            let mut object = object.clone();
            *object.pointer_mut(&pointer).expect("a text") = json!("@");
            let Conversion { node, problems } = facts(&object);
            assert!(
                problems.iter().any(|problem| problem.path == path),
                "{name} {path}: {problems:?}"
            );
            let lost: usize =
                before.iter().zip(sizes(&node)).map(|(before, now)| before - now).sum();
            assert!(lost <= 1, "{name} {path}: {lost} entries lost");
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried} texts");
}
