//! The project's own resource, with as much in it as a node can have.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::case::cases;
use crate::crds::CILIUM_NODES;
use crate::reply::same;
use crate::scratch::Scratch;

cases!("cilium_nodes": a_hundred_addresses, the_handshake, what_the_schema_refuses, unknown_members);

/// Makes a node, and returns its path.
async fn make(scratch: &Scratch<'_>, name: &str, spec: Value) -> Result<String> {
    let name = scratch.own(name);
    let node = json!({
        "apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {"name": name}, "spec": spec,
    });
    scratch.post(CILIUM_NODES, &node).await?.check("201")?;
    Ok(format!("{CILIUM_NODES}/{name}"))
}

async fn a_hundred_addresses(scratch: &Scratch<'_>) -> Result<()> {
    let address = |number: u16| (format!("10.0.{}.{}", number / 50, number % 50 + 4), json!({}));
    let pool: serde_json::Map<String, Value> = (0..100).map(address).collect();
    let path = make(scratch, "n", json!({"instance-id": "i-1", "ipam": {"pool": pool}})).await?;
    let own = |(address, _): (&String, &Value)| {
        (address.clone(), json!({"owner": "default/pod", "resource": "eni-1"}))
    };
    let used: serde_json::Map<String, Value> = pool.iter().map(own).collect();
    let addresses: Vec<&String> = pool.keys().collect();
    let eni = json!({"id": "eni-1", "ip": "10.0.0.3", "number": 1, "addresses": addresses});
    let change = json!({"status": {"ipam": {"used": used}, "eni": {"enis": {"eni-1": eni}}}});
    let patched = scratch.merge(&format!("{path}/status"), &change).await?;
    patched.check("200")?;
    same("generation", patched.at("/metadata/generation")?, &json!(1))?;
    let read = scratch.get(&path).await?;
    scratch.delete(&path).await?.ok()?;
    let used = read.at("/status/ipam/used")?.as_object().context("no object")?;
    same("used", &json!(used.len()), &json!(100))?;
    same("pool", read.at("/spec/ipam/pool")?, &json!(pool))?;
    same("eni", read.at("/status/eni/enis/eni-1")?, &eni)
}

/// The operator offers an address for release in the status, the agent answers there, and the operator takes it away.
async fn the_handshake(scratch: &Scratch<'_>) -> Result<()> {
    let path = make(scratch, "n", json!({"ipam": {"pool": {"10.0.0.4": {}}}})).await?;
    let status = format!("{path}/status");
    let entry = |state: Value| json!({"status": {"ipam": {"release-ips": {"10.0.0.4": state}}}});
    for state in ["marked-for-release", "ready-for-release", "released"] {
        let patched = scratch.merge(&status, &entry(json!(state))).await?;
        same(state, patched.at("/status/ipam/release-ips/10.0.0.4")?, &json!(state))?;
    }
    let patched = scratch.merge(&status, &entry(Value::Null)).await?;
    let left = &patched.ok()?["status"]["ipam"]["release-ips"];
    same("release-ips", left, &json!({}))?;
    let gone = json!({"spec": {"ipam": {"pool": {"10.0.0.4": null}}}});
    let patched = scratch.merge(&path, &gone).await?;
    same("pool", patched.at("/spec/ipam/pool")?, &json!({}))?;
    same("generation", patched.at("/metadata/generation")?, &json!(2))?;
    scratch.delete(&path).await?.ok()?;
    Ok(())
}

async fn what_the_schema_refuses(scratch: &Scratch<'_>) -> Result<()> {
    let path = make(scratch, "n", json!({})).await?;
    let change = json!({"spec": {"ipam": {"min-allocate": -1}}});
    scratch.merge(&path, &change).await?.check(
        r#"422 Invalid
        CiliumNode.cilium.io "NS-n" is invalid: spec.ipam.min-allocate: Invalid value: -1: spec.ipam.min-allocate in body should be greater than or equal to 0
        details: cilium.io/CiliumNode/NS-n
        cause FieldValueInvalid spec.ipam.min-allocate: Invalid value: -1: spec.ipam.min-allocate in body should be greater than or equal to 0"#,
    )?;
    let change = json!({"spec": {"ipam": {"pool": [1]}}});
    scratch.merge(&path, &change).await?.check(
        r#"422 Invalid
        CiliumNode.cilium.io "NS-n" is invalid: spec.ipam.pool: Invalid value: "array": spec.ipam.pool in body must be of type object: "array"
        details: cilium.io/CiliumNode/NS-n
        cause FieldValueTypeInvalid spec.ipam.pool: Invalid value: "array": spec.ipam.pool in body must be of type object: "array""#,
    )?;
    let change = json!({"status": {"ipam": {"release-ips": {"10.0.0.4": "soon"}}}});
    scratch.merge(&format!("{path}/status"), &change).await?.check(
        r#"422 Invalid
        CiliumNode.cilium.io "NS-n" is invalid: status.ipam.release-ips.10.0.0.4: Unsupported value: "soon": supported values: "marked-for-release", "ready-for-release", "do-not-release", "released"
        details: cilium.io/CiliumNode/NS-n
        cause FieldValueNotSupported status.ipam.release-ips.10.0.0.4: Unsupported value: "soon": supported values: "marked-for-release", "ready-for-release", "do-not-release", "released""#,
    )?;
    scratch.delete(&path).await?.ok()?;
    Ok(())
}

/// Newer agents write members that this schema has never heard of.
async fn unknown_members(scratch: &Scratch<'_>) -> Result<()> {
    let path = make(scratch, "n", json!({"from-the-future": {"x": 1}})).await?;
    let read = scratch.get(&path).await?;
    scratch.delete(&path).await?.ok()?;
    same("kept", read.at("/spec/from-the-future")?, &json!({"x": 1}))
}
