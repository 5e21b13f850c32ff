//! Selectors: what they select, and the messages for what is none.

use serde_json::{Map, Value, json};

use super::{FieldSelector, LabelSelector};
use crate::resource::Resource;

/// Checks lines of `selector | labels | yes, no or the message`. Labels are `a=b c=d`.
fn check_labels(lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [selector, labels, expected] = line.split('|').map(str::trim).collect::<Vec<_>>()[..]
        else {
            panic!("three columns: {line}")
        };
        let labels = labels.split_whitespace().filter_map(|label| label.split_once('='));
        let labels: Map<String, Value> =
            labels.map(|(key, value)| (key.to_owned(), json!(value))).collect();
        let object = json!({"metadata": {"name": "x", "labels": labels}});
        let found = LabelSelector::parse(selector).map(|selector| selector.matches(&object));
        assert_eq!(in_words(found), expected, "{line}");
    }
}

fn in_words(found: Result<bool, super::SelectorError>) -> String {
    match found {
        Ok(true) => "yes".into(),
        Ok(false) => "no".into(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn labels_by_equality() {
    check_labels(
        "
        | a=1 | yes
        a=1 | a=1 | yes
        a==1 | a=1 | yes
        a = 1 , b = 2 | a=1 b=2 | yes
        a=1,b=2 | a=1 | no
        a=1 | a=2 | no
        a=1 | | no
        a!=1 | a=2 | yes
        a!=1 | | yes
        a!=1 | a=1 | no
        a= | a= | yes
        a=,b=1 | a= b=1 | yes
        a= | | no
        in=notin | in=notin | yes
        example.com/a-b_c.d=1 | example.com/a-b_c.d=1 | yes
        ",
    );
}

#[test]
fn labels_by_sets() {
    check_labels(
        "
        a in (1,2) | a=2 | yes
        a in (1, 2) | a=3 | no
        a in (1) | | no
        a notin (1,2) | a=3 | yes
        a notin (1,2) | | yes
        a notin (1,2) | a=1 | no
        a in () | a= | yes
        a in (,1) | a= | yes
        a in (1,) | a= | yes
        a in (1,,2) | a= | yes
        a in (1,2) | a= | no
        a in (in,notin) | a=notin | yes
        a | a=1 | yes
        a | b=1 | no
        !a | b=1 | yes
        ! a | a=1 | no
        a,!b , c in (1) | a=x c=1 | yes
        a>5 | a=6 | yes
        a>5 | a=5 | no
        a<5 | a=x | no
        a<5 | a=4 | yes
        ",
    );
}

#[test]
fn what_is_no_label_selector() {
    check_labels(
        "
        a in | | unable to parse requirement: found '' expected: '('
        a in (1 | | unable to parse requirement: found '', expected: ',' or ')'
        a in (1 2) | | unable to parse requirement: found '2', expected: ',' or ')'
        a in (=) | | unable to parse requirement: found '=', expected: ',', ')' or identifier
        a b | | unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt
        a=1 b | | found 'b', expected: ',' or 'end of string'
        a=1, | | found '', expected: identifier after ','
        ,a | | found ',', expected: !, identifier, or 'end of string'
        =1 | | found '=', expected: !, identifier, or 'end of string'
        a==(1) | | unable to parse requirement: found '(', expected: identifier
        !a=1 | | found '=', expected: ',' or 'end of string'
        !,a | | unable to parse requirement: found ',', expected: identifier
        a>x | | unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer
        ",
    );
}

#[test]
fn labels_that_cannot_be() {
    let message = |selector: &str| LabelSelector::parse(selector).expect_err(selector).to_string();
    assert_eq!(
        message("a=-"),
        "unable to parse requirement: values[0][a]: Invalid value: \"-\": a valid label must be an empty string or \
         consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character \
         (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
         '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
    );
    assert_eq!(
        message("-a"),
        "unable to parse requirement: <nil>: Invalid value: \"-a\": name part must consist of alphanumeric \
         characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or \
         'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
    );
    assert!(message("/a").contains("prefix part must be non-empty"));
    assert!(message("A.com/a").contains("prefix part a lowercase RFC 1123 subdomain must"));
    assert!(message("a/b/c").contains("a valid label key must consist of"));
    let long = "a".repeat(64);
    assert!(message(&long).contains("name part must be no more than 63 bytes"));
    assert!(message(&format!("a={long}")).contains("must be no more than 63 bytes"));
}

/// A resource of the group and kind; custom ones have a schema.
fn resource(kind: &str) -> Resource {
    let sample = Resource::sample(kind);
    let schema = (sample.group == "cilium.io")
        .then(|| crate::schema::Schema::parse(&json!({"type": "object"})));
    Resource {
        namespaced: matches!(sample.kind.as_str(), "Pod" | "Event" | "Lease"),
        schema: schema.map(|schema| schema.expect("a schema").into()),
        ..sample
    }
}

/// Checks lines of `kind | selector | yes, no or the message` against one pod-like object.
fn check_fields(lines: &str) {
    let object = json!({
        "metadata": {"name": "a", "namespace": "n"},
        "spec": {"nodeName": "n1", "hostNetwork": true},
        "status": {"phase": "Running", "podIP": "a,b=c\\"},
        "involvedObject": {"uid": "u1"},
    });
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [kind, selector, expected] = line.split(" | ").map(str::trim).collect::<Vec<_>>()[..]
        else {
            panic!("three columns: {line}")
        };
        let found = FieldSelector::parse(selector, &resource(kind));
        assert_eq!(in_words(found.map(|found| found.matches(&object))), expected, "{line}");
    }
}

#[test]
fn fields() {
    check_fields(
        r"
        Pod | metadata.name=a | yes
        Pod | metadata.name==b | no
        Pod | metadata.name!=b,metadata.namespace=n | yes
        Pod | spec.nodeName=n1,status.phase!=Failed | yes
        Pod | spec.nodeName!=n1 | no
        Pod | spec.hostNetwork=true | yes
        Pod | spec.schedulerName= | yes
        Pod | status.podIP=a\,b\=c\\ | yes
        Pod | , | yes
        Node | spec.unschedulable=false | yes
        Event | involvedObject.uid=u1 | yes
        CiliumNode.cilium.io | metadata.name=a | yes
        Lease.coordination.k8s.io | metadata.namespace=n | yes
        ",
    );
}

#[test]
fn what_is_no_field_selector() {
    check_fields(
        r#"
        Pod | metadata.name | invalid selector: 'metadata.name'; can't understand 'metadata.name'
        Pod | metadata.name=a\b | invalid field selector: invalid escape sequence: \b
        Pod | metadata.name=a\ | invalid field selector: invalid escape sequence: \
        Pod | metadata.name=a=b | invalid field selector: unescaped character in value: 61
        Pod | spec.foo=a | field label not supported: spec.foo
        Node | metadata.namespace=a | field label not supported: metadata.namespace
        CiliumNode.cilium.io | metadata.namespace=a | field label not supported: metadata.namespace
        Lease.coordination.k8s.io | spec.x=a | "spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"
        "#,
    );
}

#[test]
fn the_value_that_a_field_must_have() {
    let pods = resource("Pod");
    let required = |text: &str| {
        let selector = FieldSelector::parse(text, &pods).expect("a selector");
        selector.required("metadata.name").map(ToOwned::to_owned)
    };
    assert_eq!(required("status.phase=x,metadata.name=a"), Some("a".into()));
    assert_eq!(required("metadata.name!=a"), None);
}
