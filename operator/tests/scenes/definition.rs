//! What a `CiliumNode` is: said by the operator where nobody has said it, and by nobody else's leave changed.

use serde_json::{Value, json};

use crate::rig::Rig;
use crate::scene::{play, scene_on};

const CRD: (&str, &str) =
    ("customresourcedefinitions.apiextensions.k8s.io", "ciliumnodes.cilium.io");

fn installed(rig: &Rig) -> Value {
    rig.kube.object(CRD.0, "", CRD.1).unwrap_or(Value::Null)
}

/// Where Cilium's operator is replaced, nobody else installs it; agents wait for it.
#[tokio::test(start_paused = true)]
async fn it_is_installed_where_there_is_none() {
    let rig = Rig::without_crd();
    let rig = scene_on(
        rig,
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        start x
        until 90s node-1 pool 8
        mutations 1
        writes 2
        ",
    )
    .await;
    let crd = installed(&rig);
    assert_eq!(crd["metadata"]["labels"]["io.cilium.k8s.crd.schema.version"], json!("1.33.9"));
}

#[tokio::test(start_paused = true)]
async fn it_is_not_installed_when_that_is_switched_off() {
    let rig = play(
        Rig::without_crd(),
        r"
        subnet a zone a 10.0.0.0/24
        instance node-1 m5.large in a groups a
        flags --install-crd=false
        start x
        wait 2m
        ",
    )
    .await;
    assert_eq!(installed(&rig), Value::Null);
    assert_eq!(rig.running(), ["x"], "it waits for somebody else to install it");
    rig.register(serde_json::to_value(cilium_node::crd()).unwrap());
    scene_on(
        rig,
        "node node-1 m5.large in a per-ip\nuntil 90s node-1 pool 8\nmutations 1\nwrites 2",
    )
    .await;
}

/// A schema that an older operator installed: it drops members in silence, and is left as it is all the same.
fn older() -> Value {
    let mut crd = serde_json::to_value(cilium_node::crd()).unwrap();
    crd["metadata"]["labels"]["io.cilium.k8s.crd.schema.version"] = json!("1.32.5");
    strict(&mut crd);
    crd
}

/// Takes out what keeps unknown members, and the members that the older schema has not.
fn strict(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("x-kubernetes-preserve-unknown-fields");
            for newer in ["allowFirstIP", "allowLastIP", "ipv6-prefixes"] {
                members.remove(newer);
            }
            members.values_mut().for_each(strict);
        }
        Value::Array(items) => items.iter_mut().for_each(strict),
        _ => {}
    }
}

#[tokio::test(start_paused = true)]
async fn an_older_one_is_not_replaced_and_what_it_lacks_is_said() {
    let rig = Rig::without_crd();
    rig.register(older());
    let before = installed(&rig);
    let rig = scene_on(
        rig,
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        start x
        until 60s node-1 pool 8
        mutations 1
        writes 2
        ",
    )
    .await;
    assert_eq!(installed(&rig)["spec"], before["spec"]);
    assert_eq!(installed(&rig)["metadata"]["generation"], before["metadata"]["generation"]);
    assert_eq!(rig.metric("berth_crd_members_missing"), Some(3.0));
}
