use super::*;

/// What a node asks for by default, on an instance with short names.
fn wanted() -> Wanted {
    wanted_by(&asked(&json!({})))
}

/// The default settings with these members of `spec.eni` beside or in place of them.
fn asked(eni: &Value) -> OwnNode {
    let mut members = json!({"first-interface-index": 0, "use-primary-address": false});
    for (name, value) in eni.as_object().cloned().unwrap_or_default() {
        members[name] = value;
    }
    OwnNode { eni: serde_json::from_value(members).expect("settings"), ipam: IpamSpec::default() }
}

fn wanted_by(own: &OwnNode) -> Wanted {
    let facts = InstanceFacts {
        instance: "i-1".parse().expect("an id"),
        instance_type: "m5.large".parse().expect("a type"),
        mac: "02:00:00:00:00:01".parse().expect("a MAC"),
        vpc: "vpc-1".parse().expect("an id"),
        subnet: "subnet-1".parse().expect("an id"),
        zone: "eu-west-1a".parse().expect("a zone"),
        region: None,
    };
    let address = |kind: &str, ip: &str| (kind.to_owned(), ip.to_owned());
    let node = NodeSeen {
        uid: "node-uid".to_owned(),
        labels: BTreeMap::from([("a".to_owned(), "1".to_owned())]),
        addresses: vec![address("InternalIP", "10.0.0.5"), address("Other", "x")],
    };
    Wanted::new(&"n".parse().expect("a name"), &node, &facts, own)
}

/// The object as it is stored when it was just made.
fn made(wanted: &Wanted) -> Value {
    let Decision::Create(mut object) = decide(None, wanted) else { panic!("it is to be made") };
    object["metadata"]["uid"] = json!("u");
    object
}

/// The patch that `change` of a new object brings about; `{}` when it brings about none. The uid, which each names, is left
/// out.
fn check(change: Value, expected: &Value) {
    check_with(&wanted(), change, expected);
}

fn check_with(wanted: &Wanted, change: Value, expected: &Value) {
    let mut object = made(&self::wanted());
    merge(&mut object, change);
    let patch = match decide(Some(&object), wanted) {
        Decision::Nothing => json!({}),
        Decision::Patch(mut patch) => {
            let metadata = patch["metadata"].as_object_mut().expect("metadata");
            assert_eq!(metadata.remove("uid"), Some(json!("u")));
            if metadata.is_empty() {
                patch.as_object_mut().expect("a patch").remove("metadata");
            }
            patch
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(patch, *expected);
    merge(&mut object, patch);
    assert_eq!(decide(Some(&object), wanted), Decision::Nothing, "once is enough");
}

/// RFC 7396.
fn merge(object: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else { return *object = patch };
    if !object.is_object() {
        *object = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            object.as_object_mut().expect("an object").remove(&name);
        } else {
            merge(&mut object[name], value);
        }
    }
}

#[test]
fn a_new_object_says_all_of_it() {
    let mut object = made(&wanted());
    object["metadata"].as_object_mut().expect("metadata").remove("uid");
    let expected = json!({
        "apiVersion": "cilium.io/v2", "kind": "CiliumNode",
        "metadata": {"name": "n", "labels": {"a": "1"}, "ownerReferences": [
            {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "node-uid"}]},
        "spec": {
            "instance-id": "i-1", "addresses": [{"type": "InternalIP", "ip": "10.0.0.5"}],
            "eni": {"instance-type": "m5.large", "vpc-id": "vpc-1", "availability-zone": "eu-west-1a",
                "node-subnet-id": "subnet-1", "first-interface-index": 0, "use-primary-address": false},
            "ipam": {}},
    });
    assert_eq!(object, expected);
}

#[test]
fn what_others_wrote_stays() {
    check(json!({}), &json!({}));
    check(
        json!({
            "metadata": {"annotations": {"ipam.cilium.io/ignore": "true"}, "resourceVersion": "7"},
            "spec": {"bootid": "b", "health": {"ipv4": "10.0.0.9"}, "ingress": {}, "new": {"a": 1},
                "encryption": {"key": 3}, "eni": {"new": true, "min-allocate": 4},
                "ipam": {"pool": {"10.0.0.7": {"resource": "eni-1"}}, "pools": {"requested": []},
                    "pre-allocate": 8, "max-above-watermark": 2, "podCIDRs": ["10.1.0.0/24"], "new": 1}},
            "status": {"eni": {"enis": {}}, "ipam": {"used": {}}},
        }),
        &json!({}),
    );
}

#[test]
fn addresses_of_others_stand_behind_those_of_the_node() {
    let router = json!({"type": "CiliumInternalIP", "ip": "10.0.0.7"});
    let own = json!({"type": "InternalIP", "ip": "10.0.0.5"});
    check(json!({"spec": {"addresses": [own, router]}}), &json!({}));
    let stale = json!({"type": "Hostname", "ip": "old"});
    check(
        json!({"spec": {"addresses": [router, stale]}}),
        &json!({"spec": {"addresses": [own, router]}}),
    );
    check(json!({"spec": {"addresses": null}}), &json!({"spec": {"addresses": [own]}}));
}

#[test]
fn what_differs_is_corrected_and_nothing_else() {
    check(
        json!({"spec": {"eni": {"vpc-id": "vpc-2", "subnet-tags": {"a": "b"}, "subnet-ids": ["subnet-9"]}}}),
        &json!({"spec": {"eni": {"vpc-id": "vpc-1", "subnet-tags": null, "subnet-ids": null}}}),
    );
    check(
        json!({"spec": {"eni": null, "instance-id": null}}),
        &json!({"spec": {"instance-id": "i-1", "eni": {"instance-type": "m5.large", "vpc-id": "vpc-1",
            "availability-zone": "eu-west-1a", "node-subnet-id": "subnet-1", "first-interface-index": 0,
            "use-primary-address": false}}}),
    );
    check(json!({"spec": {"instance-id": ""}}), &json!({"spec": {"instance-id": "i-1"}}));
    check(
        json!({"metadata": {"labels": {"a": "2", "b": "3"}}}),
        &json!({"metadata": {"labels": {"a": "1", "b": null}}}),
    );
}

#[test]
fn tags_are_replaced_one_by_one() {
    let wanted =
        wanted_by(&asked(&json!({"subnet-tags": {"a": "b"}, "security-groups": ["sg-2"]})));
    check_with(
        &wanted,
        json!({"spec": {"eni": {"subnet-tags": {"c": "d"}, "security-groups": ["sg-1", "sg-2"]}}}),
        &json!({"spec": {"eni": {"subnet-tags": {"a": "b", "c": null}, "security-groups": ["sg-2"]}}}),
    );
}

#[test]
fn watermarks_are_written_when_they_are_asked_for() {
    let ask = |ipam: Value| {
        let ipam = serde_json::from_value(ipam).expect("settings");
        wanted_by(&OwnNode { ipam, ..asked(&json!({})) })
    };
    let there =
        json!({"spec": {"ipam": {"pre-allocate": 8, "min-allocate": 9, "max-above-watermark": 1}}});
    check_with(&ask(json!({})), there.clone(), &json!({"spec": {"ipam": {"min-allocate": null}}}));
    check_with(
        &ask(
            json!({"pre-allocate": 4, "min-allocate": 10, "max-allocate": 20, "static-ip-tags": {"a": "b"},
            "pool": {"10.0.0.1": {}}, "pools": {}}),
        ),
        there.clone(),
        &json!({"spec": {"ipam": {"pre-allocate": 4, "min-allocate": 10, "max-allocate": 20,
            "static-ip-tags": {"a": "b"}}}}),
    );
    // 0 is no wish, nor is a map without tags.
    check_with(
        &ask(
            json!({"pre-allocate": 0, "min-allocate": 0, "max-above-watermark": 0, "static-ip-tags": {}}),
        ),
        there,
        &json!({"spec": {"ipam": {"min-allocate": null}}}),
    );
}

#[test]
fn the_node_is_the_one_owner() {
    let owner = json!({"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "node-uid"});
    let corrected = json!({"metadata": {"ownerReferences": [owner]}});
    let with = |change: Value| {
        let mut owner = owner.clone();
        merge(&mut owner, change);
        owner
    };
    check(
        json!({"metadata": {"ownerReferences": [with(json!({"controller": true}))]}}),
        &json!({}),
    );
    for owners in [
        json!(null),
        json!([]),
        json!([with(json!({"uid": "another"}))]),
        json!([with(json!({"kind": "Pod"}))]),
        json!([owner, with(json!({"uid": "another"}))]),
    ] {
        check(json!({"metadata": {"ownerReferences": owners}}), &corrected);
    }
}

#[test]
fn an_object_of_another_instance_is_replaced() {
    let mut object = made(&wanted());
    object["spec"]["instance-id"] = json!("i-2");
    assert_eq!(decide(Some(&object), &wanted()), Decision::Replace { uid: "u".to_owned() });
    object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(decide(Some(&object), &wanted()), Decision::Nothing, "it goes already");
}
