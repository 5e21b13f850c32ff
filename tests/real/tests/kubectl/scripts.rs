//! What people type.

use anyhow::Result;

use crate::session::{Script, Session, has_lines, same};

/// All scripts by name.
pub(crate) const SCRIPTS: &[(&str, Script)] = &[
    ("api_resources", api_resources),
    ("get", get),
    ("describe", describe),
    ("apply", apply),
    ("patch", patch),
    ("delete", delete),
    ("watch", watch),
    ("wait", wait),
    ("refusals", refusals),
    ("cilium_nodes", cilium_nodes),
    ("core_resources", core_resources),
    ("strategic_merge", strategic_merge),
];

const WIDGET: &str = r#"{
    "apiVersion": "contract.berth.example/v1", "kind": "Widget",
    "metadata": {"name": "a", "labels": {"x": "1"}},
    "spec": {"size": 1, "color": "red"}
}"#;

fn api_resources(session: &Session) -> Result<()> {
    session.check(
        "api-resources --api-group=contract.berth.example",
        "NAME SHORTNAMES APIVERSION NAMESPACED KIND
        widgets wdg contract.berth.example/v1 true Widget",
    )?;
    session.check("api-resources --api-group=cilium.io -o name", "ciliumnodes.cilium.io")
}

fn get(session: &Session) -> Result<()> {
    session.check_with("create -f -", WIDGET, "widget.contract.berth.example/a created")?;
    session.run_with("create -f -", &WIDGET.replace(r#""a""#, r#""b""#).replace("red", "blue"))?;
    session.check_table(
        "get widgets",
        "NAME SIZE READY WHEELS
        a 1 
        b 1",
    )?;
    session.check_table(
        "get wdg b -o wide",
        "NAME SIZE READY COLOR WHEELS
        b 1 blue",
    )?;
    session.check(
        "get wdg -l x=1 -o name",
        "widget.contract.berth.example/a\nwidget.contract.berth.example/b",
    )?;
    session.check(
        "get wdg --field-selector metadata.name=b -o name",
        "widget.contract.berth.example/b",
    )?;
    session.check(
        "get contract -o name",
        "widget.contract.berth.example/a\nwidget.contract.berth.example/b",
    )?;
    session.check("get wdg a -o jsonpath={.spec.size}/{.spec.color}", "1/red")?;
    session.check("get wdg -o jsonpath={.items[*].metadata.name}", "a b")?;
    has_lines(
        "yaml",
        &session.run("get wdg a -o yaml")?,
        "apiVersion: contract.berth.example/v1
        kind: Widget
        metadata:
        generation: 1
        labels:
        x: \"1\"
        name: a
        namespace: NS
        spec:
        box:
        depth: 7
        width: 9
        color: red
        replicas: 2
        size: 1",
    )?;
    session.check(
        "get wdg --chunk-size=1 -o name",
        "widget.contract.berth.example/a\nwidget.contract.berth.example/b",
    )
}

fn describe(session: &Session) -> Result<()> {
    session.run_with("create -f -", WIDGET)?;
    has_lines(
        "describe",
        &session.run("describe wdg a")?,
        "Name: a
        Namespace: NS
        Labels: x=1
        Annotations: <none>
        API Version: contract.berth.example/v1
        Kind: Widget
        Metadata:
        Generation: 1
        Spec:
        Box:
        Depth: 7
        Width: 9
        Color: red
        Replicas: 2
        Size: 1
        Events: <none>",
    )
}

fn apply(session: &Session) -> Result<()> {
    let name = "widget.contract.berth.example/a";
    session.check_with("apply -f -", WIDGET, &format!("{name} created"))?;
    session.check_with("apply -f -", WIDGET, &format!("{name} unchanged"))?;
    let larger = WIDGET.replace(r#""size": 1"#, r#""size": 7"#);
    session.check_with("apply -f -", &larger, &format!("{name} configured"))?;
    session.check("get wdg a -o jsonpath={.spec.size}", "7")?;
    // What is no longer in the manifest goes.
    let colorless = larger.replace(r#", "color": "red""#, "");
    session.check_with("apply -f -", &colorless, &format!("{name} configured"))?;
    session.check("get wdg a -o jsonpath={.spec.size}/{.spec.color}", "7/")
}

fn patch(session: &Session) -> Result<()> {
    session.run_with("create -f -", WIDGET)?;
    let name = "widget.contract.berth.example/a";
    let merge = r#"patch wdg a --type=merge -p {"spec":{"size":5}}"#;
    session.check(merge, &format!("{name} patched"))?;
    session.check(merge, &format!("{name} patched (no change)"))?;
    let json = r#"patch wdg a --type=json -p [{"op":"replace","path":"/spec/size","value":6}]"#;
    session.check(json, &format!("{name} patched"))?;
    session.check("get wdg a -o jsonpath={.spec.size}", "6")?;
    let status = r#"patch wdg a --subresource=status --type=merge -p {"status":{"phase":"Up"}}"#;
    session.check(status, &format!("{name} patched"))?;
    session.check("get wdg a --subresource=status -o jsonpath={.status.phase}", "Up")?;
    session.check("label wdg a y=2", &format!("{name} labeled"))?;
    session.check("annotate wdg a z=3", &format!("{name} annotated"))?;
    session.check("get wdg a -o jsonpath={.metadata.labels.y}{.metadata.annotations.z}", "23")
}

fn delete(session: &Session) -> Result<()> {
    for name in ["a", "b", "c"] {
        session.run_with("create -f -", &WIDGET.replace(r#""a""#, &format!("{name:?}")))?;
    }
    let deleted =
        |name: &str| format!("widget.contract.berth.example {name:?} deleted from NS namespace");
    session.check("delete wdg a", &deleted("a"))?;
    session.check("delete wdg a --ignore-not-found", "")?;
    session.check("delete wdg -l x=1", &format!("{}\n{}", deleted("b"), deleted("c")))?;
    session.check("get wdg -o name", "")
}

fn watch(session: &Session) -> Result<()> {
    session.run_with("create -f -", WIDGET)?;
    let watch = session.background("get wdg -w --output-watch-events --no-headers")?;
    let line = |expected: &str| {
        let line = watch.line()?;
        same("event", line.rsplit_once(' ').map_or("", |(start, _)| start), expected)
    };
    line("ADDED a 1")?;
    session.run(r#"patch wdg a --type=merge -p {"spec":{"size":5}}"#)?;
    line("MODIFIED a 5")?;
    session.run_with("create -f -", &WIDGET.replace(r#""a""#, r#""b""#))?;
    line("ADDED b 1")?;
    session.run("delete wdg a")?;
    line("DELETED a 5")
}

fn wait(session: &Session) -> Result<()> {
    session.run_with("create -f -", WIDGET)?;
    let met = "widget.contract.berth.example/a condition met";
    session.check("wait wdg/a --for=jsonpath={.spec.size}=1 --timeout=10s", met)?;
    let waiting = session.background("wait wdg/a --for=condition=Ready --timeout=20s")?;
    session.run(
        r#"patch wdg a --subresource=status --type=merge -p {"status":{"conditions":[{"type":"Ready","status":"True"}]}}"#,
    )?;
    waiting.ends_with(met)?;
    let waiting = session.background("wait wdg/a --for=jsonpath={.spec.size}=9 --timeout=20s")?;
    session.run(r#"patch wdg a --type=merge -p {"spec":{"size":9}}"#)?;
    waiting.ends_with(met)?;
    let waiting = session.background("wait wdg/a --for=delete --timeout=20s")?;
    session.run("delete wdg a --wait=false")?;
    // It says so only if it was quick enough to see the object at all.
    waiting.succeeds()?;
    session.check("get wdg -o name", "")?;
    session.refused(
        "wait wdg/a --for=condition=Ready --timeout=1s",
        "",
        r#"Error from server (NotFound): widgets.contract.berth.example "a" not found"#,
    )
}

fn refusals(session: &Session) -> Result<()> {
    session.refused(
        "get wdg nope",
        "",
        r#"Error from server (NotFound): widgets.contract.berth.example "nope" not found"#,
    )?;
    session.run_with("create -f -", WIDGET)?;
    session.refused(
        "create -f -",
        WIDGET,
        r#"Error from server (AlreadyExists): error when creating "STDIN": widgets.contract.berth.example "a" already exists"#,
    )?;
    session.refused(
        "create -f -",
        &WIDGET.replace(r#""color": "red""#, r#""color": "pink""#),
        r#"The Widget "a" is invalid: spec.color: Unsupported value: "pink": supported values: "red", "green", "blue""#,
    )?;
    session.refused(
        "create -f -",
        &WIDGET.replace("color", "colour"),
        r#"Error from server (BadRequest): error when creating "STDIN": Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.colour""#,
    )?;
    session.refused(
        r#"patch wdg a --type=json -p [{"op":"test","path":"/spec/size","value":9}]"#,
        "",
        "The request is invalid: the server rejected our request due to an error in our request",
    )?;
    session.refused("get gears", "", r#"error: the server doesn't have a resource type "gears""#)
}

fn cilium_nodes(session: &Session) -> Result<()> {
    let node = r#"{
        "apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {"name": "NAME"},
        "spec": {
            "addresses": [
                {"type": "InternalIP", "ip": "10.0.0.5"},
                {"type": "CiliumInternalIP", "ip": "10.1.0.9"}
            ],
            "ipam": {"pool": {"10.0.0.7": {}}}
        }
    }"#;
    let node = node.replace("NAME", &session.namespace);
    session.check_with("apply -f -", &node, "ciliumnode.cilium.io/NS created")?;
    session.check_table(
        &format!("get cn {}", session.namespace),
        "NAME CILIUMINTERNALIP INTERNALIP\nNS 10.1.0.9 10.0.0.5",
    )?;
    let patch = r#"{"status":{"ipam":{"used":{"10.0.0.7":{"owner":"default/a"}}}}}"#;
    let line = format!("patch cn {} --subresource=status --type=merge -p", session.namespace);
    session.check(&format!("{line} {patch}"), "ciliumnode.cilium.io/NS patched")?;
    let owner = r"jsonpath={.status.ipam.used.10\.0\.0\.7.owner}";
    session.check(&format!("get cn {} -o {owner}", session.namespace), "default/a")?;
    let larger = node.replace(r#""10.0.0.7": {}"#, r#""10.0.0.7": {}, "10.0.0.8": {}"#);
    session.check_with("apply -f -", &larger, "ciliumnode.cilium.io/NS configured")?;
    let deleted = r#"ciliumnode.cilium.io "NS" deleted"#;
    session.check(&format!("delete cn {}", session.namespace), deleted)
}

fn core_resources(session: &Session) -> Result<()> {
    let pod = r#"{
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {
            "nodeName": "node-1", "schedulerName": "nobody", "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": "none"}]
        }
    }"#;
    session.check_with("create -f -", pod, "pod/p created")?;
    session.check_table("get pods", "NAME READY STATUS RESTARTS\np 0/1 Pending 0")?;
    session.check("get po --field-selector spec.nodeName=node-1 -o name", "pod/p")?;
    let running =
        r#"patch pod p --subresource=status --type=merge -p {"status":{"phase":"Running"}}"#;
    session.check(running, "pod/p patched")?;
    session.check("get pod p -o jsonpath={.status.phase}", "Running")?;
    let lease = r#"{
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"},
        "spec": {"holderIdentity": "me"}
    }"#;
    session.check_with("create -f -", lease, "lease.coordination.k8s.io/l created")?;
    session.check_table("get leases", "NAME HOLDER\nl me")?;
    has_lines(
        "describe",
        &session.run("describe lease l")?,
        "Name: l\nSpec:\nHolder Identity: me",
    )?;
    let phase = format!("get namespace {} -o jsonpath={{.status.phase}}", session.namespace);
    session.check(&phase, "Active")
}

/// kubectl sends strategic merge patches for what is built in.
fn strategic_merge(session: &Session) -> Result<()> {
    let pod = r#"{
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"x": "1"}},
        "spec": {
            "nodeName": "node-1", "schedulerName": "nobody", "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "a", "image": "one"}, {"name": "b", "image": "one"}]
        }
    }"#;
    session.check_with("apply -f -", pod, "pod/p created")?;
    session.check_with("apply -f -", pod, "pod/p unchanged")?;
    let changed = pod.replace(r#""b", "image": "one""#, r#""b", "image": "two""#);
    let changed = changed.replace(r#""labels": {"x": "1"}"#, r#""labels": {"y": "2"}"#);
    session.check_with("apply -f -", &changed, "pod/p configured")?;
    session.check("get pod p -o jsonpath={.spec.containers[*].image}", "one two")?;
    session.check("get pod p -o jsonpath={.metadata.labels}", r#"{"y":"2"}"#)?;
    let patch = r#"patch pod p -p {"spec":{"containers":[{"name":"a","image":"three"}]}}"#;
    session.check(patch, "pod/p patched")?;
    let images = r#"jsonpath={.spec.containers[?(@.name=="a")].image}"#;
    session.check(&format!("get pod p -o {images}"), "three")?;
    session.check("label pod p z=3", "pod/p labeled")?;
    let node = r#"{
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": "NAME"},
        "spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}
    }"#;
    let (node, name) = (node.replace("NAME", &session.namespace), &session.namespace);
    session.check_with("apply -f -", &node, "node/NS created")?;
    let changed = node.replace(r#""key": "a""#, r#""key": "b""#);
    session.check_with("apply -f -", &changed, "node/NS configured")?;
    let key = r#"jsonpath={.spec.taints[?(@.key=="b")].key}"#;
    session.check(&format!("get node {name} -o {key}"), "b")?;
    session.check(&format!("cordon {name}"), "node/NS cordoned")?;
    session.check(&format!("delete node {name}"), r#"node "NS" deleted"#)?;
    session.check(&format!("annotate namespace {name} a=b"), "namespace/NS annotated")
}
