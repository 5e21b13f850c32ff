//! The schema against the recorded field listings, and against the rules of API servers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::recorded;

const LISTINGS: [&str; 2] = ["g1/crd-fields-1.32.5.txt", "g2/crd-fields-1.33.9.txt"];

/// One way in which the schema differs on purpose from what Cilium's operators install.
struct Difference {
    what: What,
    /// Why.
    reason: &'static str,
}

enum What {
    /// The listings say this word behind a type and the schema does not.
    WordLess(&'static str),
    /// The schema says this word behind a type and the listings do not.
    WordMore(&'static str),
    /// The listings name fields below this path and the schema does not.
    Below(&'static str),
}

const DIFFERENCES: [Difference; 4] = [
    Difference {
        what: What::WordLess("format=cidr"),
        reason: "a malformed prefix must cost one entry (convert finds it), not the agent's whole write",
    },
    Difference {
        what: What::WordMore("format=int64"),
        reason: "says what the types read; the listings say it for nodeidentity only",
    },
    Difference {
        what: What::Below(".status.azure.interfaces[]."),
        reason: "another cloud's status: kept as it stands, not checked",
    },
    Difference {
        what: What::Below(".status.alibaba-cloud.enis.{}."),
        reason: "another cloud's status: kept as it stands, not checked",
    },
];

type Fields = BTreeMap<String, String>;

fn crd() -> Value {
    serde_json::to_value(cilium_node::crd()).expect("a definition has a JSON form")
}

fn root_schema() -> Value {
    crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

/// Calls `visit` with the path of every schema inside `schema`.
fn each(schema: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        each(property, &format!("{path}.{name}"), visit);
    }
    for (member, step) in [("items", "[]"), ("additionalProperties", ".{}")] {
        if !schema[member].is_null() {
            each(&schema[member], &format!("{path}{step}"), visit);
        }
    }
}

/// What the listings say of one schema: its type, then what else is checked.
fn describe(schema: &Value) -> String {
    let joined = |list: &Value, separator: &str| {
        let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.collect::<Vec<_>>().join(separator)
    };
    let checks = schema.as_object().expect("a schema is an object").iter();
    let checks = checks.filter_map(|(name, value)| match name.as_str() {
        "required" => Some(format!("required={}", joined(value, ","))),
        "enum" => Some(format!("enum={}", joined(value, "/"))),
        "format" => Some(format!("format={}", value.as_str().expect("a text"))),
        "minimum" => Some(format!("minimum={}", value.as_f64().expect("a number"))),
        "minLength" => Some(format!("minLength={value}")),
        _ => None,
    });
    let type_name = schema["type"].as_str().unwrap_or("untyped").to_owned();
    std::iter::once(type_name).chain(checks).collect::<Vec<_>>().join(" ")
}

/// Lists `root` as the recorded listings do: path, type, what else is checked.
fn fields(root: &Value) -> Fields {
    let mut fields = Fields::new();
    each(root, "", &mut |path, schema| {
        fields.insert(path.to_owned(), describe(schema));
    });
    fields
}

/// A recorded listing without its comments.
fn recorded_fields(file: &str) -> Fields {
    let text = recorded::text(file);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split_once('\t').unwrap_or_else(|| panic!("{file}: no tab in {line:?}")))
        .map(|(path, rest)| (path.to_owned(), rest.to_owned()))
        .collect()
}

/// Takes `word` out of every line. Says whether it was there.
fn remove(word: &str, fields: &mut Fields) -> bool {
    let mut found = false;
    for line in fields.values_mut() {
        let words = line.split(' ').filter(|other| *other != word).collect::<Vec<_>>().join(" ");
        found |= words != *line;
        *line = words;
    }
    found
}

/// Takes `difference` out of both sides. Says whether it was there.
fn level(difference: &What, listed: &mut Fields, schema: &mut Fields) -> bool {
    match difference {
        What::WordLess(word) => remove(word, listed),
        What::WordMore(word) => {
            remove(word, listed);
            remove(word, schema)
        }
        What::Below(path) => {
            let before = listed.len();
            listed.retain(|field, _| !field.starts_with(path));
            listed.len() < before
        }
    }
}

/// The lines of both listings, leveled.
fn all_listed() -> BTreeSet<String> {
    let mut listed = BTreeSet::new();
    for file in LISTINGS {
        let mut fields = recorded_fields(file);
        assert!(fields.len() > 150, "{file} has {} fields", fields.len());
        for Difference { what, .. } in &DIFFERENCES {
            level(what, &mut fields, &mut Fields::new());
        }
        listed.extend(fields.iter().map(|(path, line)| format!("{path} {line}")));
    }
    listed
}

#[test]
fn every_recorded_field_is_there_and_checked_the_same_way() {
    let mut schema = fields(&root_schema());
    for Difference { what, .. } in &DIFFERENCES {
        level(what, &mut Fields::new(), &mut schema);
    }
    let ours: BTreeSet<_> = schema.iter().map(|(path, line)| format!("{path} {line}")).collect();
    let listed = all_listed();
    let missing: Vec<_> = listed.difference(&ours).collect();
    let more: Vec<_> = ours.difference(&listed).collect();
    assert!(missing.is_empty() && more.is_empty(), "missing: {missing:#?}\nmore: {more:#?}");
}

#[test]
fn no_difference_is_listed_in_vain() {
    let mut schema = fields(&root_schema());
    let mut listed = recorded_fields(LISTINGS[1]);
    for Difference { what, reason } in &DIFFERENCES {
        assert!(level(what, &mut listed, &mut schema), "no longer a difference: {reason}");
    }
}

#[test]
fn names_scope_and_version_are_the_recorded_ones() {
    for file in LISTINGS {
        let text = recorded::text(file);
        let header = text.lines().find(|line| line.starts_with("# version")).expect("a header");
        let (before, names) = header.split_once(" names ").expect("names in the header");
        let (names, _) = names.split_once(" conversion ").expect("a conversion in the header");
        assert_eq!(
            before,
            "# version v2 served True storage True subresources {'status': {}} scope Cluster"
        );
        let spec = &crd()["spec"];
        assert_eq!(spec["names"], serde_json::from_str::<Value>(names).expect("JSON"));
        assert_eq!(spec["scope"], "Cluster");
        let versions = spec["versions"].as_array().expect("versions");
        assert_eq!(versions.len(), 1);
        let found = |member: &str| versions[0][member].to_string();
        let found = ["name", "served", "storage", "subresources"].map(found).join(" ");
        assert_eq!(found, r#""v2" true true {"status":{}}"#);
    }
}

#[test]
fn the_label_names_the_newest_recorded_schema() {
    let label = &crd()["metadata"]["labels"][cilium_node::SCHEMA_VERSION_LABEL];
    let header = recorded::text(LISTINGS[1]);
    let expected =
        format!("{{'{}': {label}}}", cilium_node::SCHEMA_VERSION_LABEL).replace('"', "'");
    assert_eq!(header.lines().next(), Some(format!("# label {expected}").as_str()));
}

#[test]
fn the_schema_is_structural_and_changes_no_object() {
    const ALLOWED: &[&str] = &[
        "additionalProperties",
        "description",
        "enum",
        "format",
        "items",
        "minLength",
        "minimum",
        "properties",
        "required",
        "type",
        "x-kubernetes-preserve-unknown-fields",
    ];
    each(&root_schema(), "", &mut |path, schema| {
        let members = schema.as_object().unwrap_or_else(|| panic!("{path}: not an object"));
        for name in members.keys() {
            assert!(ALLOWED.contains(&name.as_str()), "{path}: {name}");
        }
        assert!(schema["type"].is_string(), "{path}: no type");
        let both =
            members.contains_key("properties") && members.contains_key("additionalProperties");
        assert!(!both, "{path}: additionalProperties next to properties");
    });
}

#[test]
fn unknown_members_are_preserved_in_every_object_below_the_root() {
    let mut objects = 0;
    each(&root_schema(), "", &mut |path, schema| {
        let keys_are_data = schema["additionalProperties"].is_object();
        let the_servers_own = ["", ".metadata"].contains(&path);
        if schema["type"] == "object" && !keys_are_data && !the_servers_own {
            objects += 1;
            assert_eq!(schema["x-kubernetes-preserve-unknown-fields"], true, "{path}");
        }
    });
    assert!(objects > 25, "{objects} objects");
}
