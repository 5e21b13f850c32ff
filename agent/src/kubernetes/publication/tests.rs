use super::*;

const USED: &str = "add /status/ipam/used";

/// The operations of a body, a line each and without the uid that each tests first; the members of a merge patch, likewise.
fn lines(body: Option<Body>) -> String {
    match body {
        None => "nothing".to_owned(),
        Some(Body::Merge(mut patch)) => {
            assert_eq!(patch["metadata"], json!({"uid": "u"}));
            patch.as_object_mut().expect("a patch").remove("metadata");
            format!("merge {patch}")
        }
        Some(Body::Operations(operations)) => {
            let operations = operations.as_array().expect("a list").clone();
            let (first, rest) = operations.split_first().expect("a test");
            assert_eq!(*first, json!({"op": "test", "path": "/metadata/uid", "value": "u"}));
            let lines = rest.iter().map(|step| {
                let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
                let value = step.get("value").map(|value| format!(" {value}")).unwrap_or_default();
                format!("{} {}{value}", text("op"), text("path"))
            });
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

fn object(members: &Value) -> Value {
    let mut object = json!({"metadata": {"uid": "u"}, "spec": {}});
    for (name, value) in members.as_object().cloned().unwrap_or_default() {
        object[name] = value;
    }
    object
}

/// `10.0.0.1` for a pod on an interface.
fn one() -> BTreeMap<Ipv4Addr, (Owner, EniId)> {
    let owner: Owner = "default/web".parse().expect("an owner");
    let eni: EniId = "eni-1".parse().expect("an id");
    BTreeMap::from([(Ipv4Addr::new(10, 0, 0, 1), (owner, eni))])
}

const ONE: &str = r#"{"10.0.0.1":{"owner":"default/web","resource":"eni-1"}}"#;

fn check_used(status: &Value, releases: &[(&str, Option<Release>)], expected: &str) {
    let releases = releases.iter().map(|(at, answer)| (at.parse().expect("an address"), *answer));
    let (used, releases) = (one(), releases.collect());
    let part = Part::Used(&used, &releases);
    assert!(part.is_status());
    assert_eq!(lines(part.body(&object(&json!({"status": status})))), expected);
}

#[test]
fn what_is_used_is_replaced_whole() {
    let add = format!("{USED} {ONE}");
    check_used(&json!({"ipam": {}}), &[], &add);
    check_used(&json!({"ipam": {"used": {"10.0.0.2": {"owner": "a/b"}}}}), &[], &add);
    check_used(&json!({"ipam": {"used": {"10.0.0.1": {"owner": "default/web"}}}}), &[], &add);
    let one: Value = serde_json::from_str(ONE).expect("JSON");
    check_used(&json!({"ipam": {"used": one}}), &[], "nothing");
}

#[test]
fn a_status_that_is_not_there_is_made() {
    let merge = format!(r#"merge {{"status":{{"ipam":{{"used":{ONE}}}}}}}"#);
    check_used(&json!(null), &[], &merge);
    check_used(&json!({"eni": {}}), &[("10.0.0.9", Some(Release::Ready))], &merge);
}

#[test]
fn nothing_used_is_said_only_where_something_was() {
    let (used, releases) = (BTreeMap::new(), BTreeMap::new());
    let body = |status: Value| {
        lines(Part::Used(&used, &releases).body(&object(&json!({"status": status}))))
    };
    assert_eq!(body(json!(null)), "nothing");
    assert_eq!(body(json!({"ipam": {}})), "nothing");
    assert_eq!(body(json!({"ipam": {"used": {}}})), "nothing");
    assert_eq!(body(json!({"ipam": {"used": {"10.0.0.1": {}}}})), format!("{USED} {{}}"));
}

/// Every answer to every state: only what was asked is answered.
#[test]
fn releases_are_answered_while_they_are_asked() {
    let one: Value = serde_json::from_str(ONE).expect("JSON");
    let asked = ["marked-for-release", "ready-for-release", "do-not-release", "released", "new"];
    let answers = [
        None,
        Some(Release::Marked),
        Some(Release::Ready),
        Some(Release::Refused),
        Some(Release::Released),
    ];
    for state in asked {
        for answer in answers {
            let path = "/status/ipam/release-ips/10.0.0.9";
            let test = format!("test {path} \"{state}\"");
            let expected = match (state, answer) {
                ("released", None) => format!("{test}\nremove {path}"),
                ("marked-for-release", Some(Release::Ready)) => {
                    format!("{test}\nreplace {path} \"ready-for-release\"")
                }
                ("marked-for-release" | "ready-for-release", Some(Release::Refused)) => {
                    format!("{test}\nreplace {path} \"do-not-release\"")
                }
                _ => "nothing".to_owned(),
            };
            let status = json!({"ipam": {"used": one, "release-ips": {"10.0.0.9": state}}});
            check_used(&status, &[("10.0.0.9", answer)], &expected);
        }
    }
    let status = json!({"ipam": {"used": one, "release-ips": {"10.0.0.8": "released"}}});
    check_used(&status, &[("10.0.0.9", None)], "nothing");
}

fn check_pools(ipam: &Value, requested: (u32, u32), allocated: &[&str], expected: &str) {
    let allocated = allocated.iter().map(|text| text.parse().expect("a CIDR")).collect();
    let part = Part::Pools(requested, &allocated);
    assert!(!part.is_status());
    assert_eq!(lines(part.body(&object(&json!({"spec": {"ipam": ipam}})))), expected);
}

const REQUESTED: &str = r#"[{"needed":{"ipv4-addrs":9},"pool":"default"}]"#;
const ALLOCATED: &str =
    r#"[{"allowFirstIP":true,"allowLastIP":true,"cidrs":["10.0.0.16/28"],"pool":"default"}]"#;

#[test]
fn pools_are_asked_for() {
    check_pools(
        &json!({"pools": {}}),
        (9, 0),
        &["10.0.0.16/28"],
        &format!(
            "add /spec/ipam/pools/requested {REQUESTED}\nadd /spec/ipam/pools/allocated {ALLOCATED}"
        ),
    );
    check_pools(
        &json!({}),
        (9, 0),
        &["10.0.0.16/28"],
        &format!(
            r#"merge {{"spec":{{"ipam":{{"pools":{{"allocated":{ALLOCATED},"requested":{REQUESTED}}}}}}}}}"#
        ),
    );
    check_pools(
        &json!({}),
        (9, 2),
        &[],
        r#"merge {"spec":{"ipam":{"pools":{"requested":[{"needed":{"ipv4-addrs":9,"ipv6-addrs":2},"pool":"default"}]}}}}"#,
    );
}

#[test]
fn what_is_there_is_not_written_again() {
    let mut ipam = json!({"pools": {}});
    ipam["pools"]["requested"] = serde_json::from_str(REQUESTED).expect("JSON");
    ipam["pools"]["allocated"] = serde_json::from_str(ALLOCATED).expect("JSON");
    check_pools(&ipam, (9, 0), &["10.0.0.16/28"], "nothing");
    ipam["pools"]["allocated"] = json!([{"cidrs": ["10.0.0.16/28"], "pool": "default"}]);
    check_pools(&ipam, (9, 0), &["10.0.0.16/28"], "nothing");
    check_pools(
        &ipam,
        (8, 0),
        &["10.0.0.16/28"],
        &format!(
            "test /spec/ipam/pools/requested {REQUESTED}\nadd /spec/ipam/pools/requested {}",
            REQUESTED.replace('9', "8")
        ),
    );
    ipam["pools"]["allocated"][0]["allowLastIP"] = json!(false);
    let before = ipam["pools"]["allocated"].to_string();
    check_pools(
        &ipam,
        (9, 0),
        &["10.0.0.16/28"],
        &format!(
            "test /spec/ipam/pools/allocated {before}\nadd /spec/ipam/pools/allocated {ALLOCATED}"
        ),
    );
}

#[test]
fn nothing_requested_is_a_request() {
    check_pools(
        &json!({"pools": {}}),
        (0, 0),
        &[],
        r#"add /spec/ipam/pools/requested [{"needed":{},"pool":"default"}]"#,
    );
}

#[test]
fn other_pools_stay_in_their_places() {
    let other = |name: &str| json!({"pool": name, "cidrs": ["10.9.0.0/28"]});
    let default = |cidr: &str| json!({"pool": "default", "cidrs": [cidr]});
    let lists = |before: Value, cidrs: &[&str]| {
        let cidrs = cidrs.iter().map(|text| text.parse().expect("a CIDR")).collect();
        let list = allocated_list(Some(&before), &cidrs)?;
        let pools = list.iter().map(|entry| format!("{}{}", entry["pool"], entry["cidrs"]));
        Some(pools.collect::<Vec<_>>().join(" ").replace('"', ""))
    };
    let before = json!([other("a"), default("10.0.0.16/28"), other("b"), default("10.0.0.32/28")]);
    assert_eq!(
        lists(before.clone(), &["10.0.0.48/28"]).as_deref(),
        Some("a[10.9.0.0/28] default[10.0.0.48/28] b[10.9.0.0/28]")
    );
    assert_eq!(lists(before, &[]).as_deref(), Some("a[10.9.0.0/28] b[10.9.0.0/28]"));
    assert_eq!(lists(json!([other("a")]), &[]), None);
}

#[test]
fn an_agent_of_cidrs_leaves_nothing_used_behind() {
    let body = |status: Value| lines(Part::NothingUsed.body(&object(&json!({"status": status}))));
    assert_eq!(body(json!(null)), "nothing");
    assert_eq!(body(json!({"ipam": {"used": {}}})), "nothing");
    assert_eq!(body(json!({"ipam": {"used": {"10.0.0.1": {}}}})), "remove /status/ipam/used");
}

#[test]
fn an_agent_of_single_addresses_leaves_nothing_requested_behind() {
    let body = |pools: Value| {
        let object = object(&json!({"spec": {"ipam": {"pools": pools}}}));
        lines(Part::NothingRequested.body(&object))
    };
    assert_eq!(body(json!(null)), "nothing");
    assert_eq!(body(json!({})), "nothing");
    assert_eq!(body(json!({"requested": [{"pool": "other"}]})), "nothing");
    let before = r#"[{"pool":"default"},{"pool":"other"}]"#;
    let list: Value = serde_json::from_str(before).expect("JSON");
    let path = "/spec/ipam/pools/requested";
    assert_eq!(
        body(json!({"requested": list})),
        format!("test {path} {before}\nadd {path} [{{\"pool\":\"other\"}}]")
    );
    assert!(!Part::NothingRequested.is_status());
}
