//! Reading one object, and what is not there.

use anyhow::Result;
use serde_json::json;

use crate::case::cases;
use crate::crds;
use crate::reply::same;
use crate::scratch::Scratch;

cases!("reads": an_object_as_it_was_made, what_is_not_there, status_of_an_object);

async fn an_object_as_it_was_made(scratch: &Scratch<'_>) -> Result<()> {
    let made =
        scratch.widget("a", json!({"labels": {"x": "1"}, "annotations": {"y": "2"}})).await?;
    made.check("201")?;
    let read = scratch.get(&scratch.widgets("a")).await?;
    same("object", read.ok()?, made.ok()?)?;
    same("apiVersion", read.at("/apiVersion")?, &json!("contract.berth.example/v1"))?;
    same("kind", read.at("/kind")?, &json!("Widget"))?;
    same("namespace", read.at("/metadata/namespace")?, &json!(scratch.ns))?;
    same("labels", read.at("/metadata/labels")?, &json!({"x": "1"}))?;
    same("annotations", read.at("/metadata/annotations")?, &json!({"y": "2"}))?;
    same("generation", read.at("/metadata/generation")?, &json!(1))?;
    let uid = read.text_at("/metadata/uid")?;
    same("length of the uid", &json!(uid.len()), &json!(36))?;
    let created = read.text_at("/metadata/creationTimestamp")?;
    same("whole seconds", &json!(created.len()), &json!("2026-01-01T00:00:00Z".len()))?;
    read.resource_version()?.parse::<u64>()?;
    Ok(())
}

async fn what_is_not_there(scratch: &Scratch<'_>) -> Result<()> {
    let absent = scratch.get(&scratch.widgets("nope")).await?;
    absent.check(
        "404 NotFound
        widgets.contract.berth.example \"nope\" not found
        details: contract.berth.example/widgets/nope",
    )?;
    same("shape", &absent.body["metadata"], &json!({}))?;
    same("status", &absent.body["status"], &json!("Failure"))?;
    let pod = scratch.get(&scratch.core("pods/nope")).await?;
    pod.check("404 NotFound\npods \"nope\" not found\ndetails: pods/nope")?;
    let lease = scratch.get(&scratch.leases("nope")).await?;
    lease.check(
        "404 NotFound
        leases.coordination.k8s.io \"nope\" not found
        details: coordination.k8s.io/leases/nope",
    )?;
    let node = scratch.get(&format!("/api/v1/nodes/{}", scratch.own("x"))).await?;
    node.check("404 NotFound\nnodes \"NS-x\" not found\ndetails: nodes/NS-x")?;
    // A namespace that does not exist is an empty one to a list.
    let list = scratch.get("/api/v1/namespaces/no-such-namespace/pods").await?;
    list.check("200")?;
    same("items", list.at("/items")?, &json!([]))
}

async fn status_of_an_object(scratch: &Scratch<'_>) -> Result<()> {
    let made = scratch.widget("a", json!({})).await?;
    let status = scratch.get(&scratch.widgets("a/status")).await?;
    same("the whole object", status.ok()?, made.ok()?)?;
    let absent = scratch.get(&scratch.widgets("nope/status")).await?;
    absent.check(
        "404 NotFound
        widgets.contract.berth.example \"nope\" not found
        details: contract.berth.example/widgets/nope",
    )?;
    let depot = format!("{}/depots", crds::PATH);
    let name = scratch.own("d");
    scratch.post(&depot, &crds::depot(&name)).await?.ok()?;
    let none = scratch.get(&format!("{depot}/{name}/status")).await?;
    none.check_first("404 NotFound")?;
    scratch.delete(&format!("{depot}/{name}")).await?.ok()?;
    Ok(())
}
