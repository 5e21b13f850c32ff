//! Giving pods their nodes, as schedulers do.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::pods::pod;
use crate::case::cases;
use crate::reply::{same, same_text};
use crate::scratch::Scratch;

cases!("bindings":
    a_pod_gets_a_node,
    a_pod_that_has_a_node,
    a_pod_that_is_not_there,
    a_pod_that_is_going,
    a_pod_that_is_gated,
    another_pod_of_the_name,
    a_dry_run,
    no_binding,
    other_verbs,
);

fn binding(name: &str, node: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    })
}

/// Makes the pod `a` and answers it.
async fn made(scratch: &Scratch<'_>) -> Result<Value> {
    Ok(scratch.post(&scratch.core("pods"), &pod("a", "")).await?.ok()?.clone())
}

async fn a_pod_gets_a_node(scratch: &Scratch<'_>) -> Result<()> {
    let before = made(scratch).await?;
    let on = scratch.own("x");
    let path = format!("/api/v1/pods?fieldSelector=spec.nodeName%3D{on}");
    let version = scratch.now(&scratch.core("pods")).await?;
    let mut watch = scratch.watch(&format!("{path}&resourceVersion={version}")).await?;
    let mut binding = binding("a", &on);
    for member in ["uid", "resourceVersion"] {
        binding["metadata"][member] = before["metadata"][member].clone();
    }
    binding["metadata"]["annotations"] = json!({"why": "free"});
    let bound = scratch.post(&scratch.core("pods/a/binding"), &binding).await?;
    bound.check("201 Success")?;
    same("code", bound.at("/code")?, &json!(201))?;
    watch.check("ADDED a").await?;
    let pod = scratch.get(&scratch.core("pods/a")).await?;
    same("node", pod.at("/spec/nodeName")?, &json!(on))?;
    same("annotations", pod.at("/metadata/annotations")?, &json!({"why": "free"}))?;
    same("phase", pod.at("/status/phase")?, &json!("Pending"))?;
    same("generation", pod.at("/metadata/generation")?, &json!(1))?;
    same("condition", pod.at("/status/conditions/0/type")?, &json!("PodScheduled"))?;
    same("condition", pod.at("/status/conditions/0/status")?, &json!("True"))?;
    pod.text_at("/status/conditions/0/lastTransitionTime")?;
    ensure!(pod.resource_version()? != before["metadata"]["resourceVersion"], "no new version");
    same_text(&scratch.get(&path).await?.names()?, "a")
}

async fn a_pod_that_has_a_node(scratch: &Scratch<'_>) -> Result<()> {
    made(scratch).await?;
    scratch.post(&scratch.core("pods/a/binding"), &binding("a", "node-1")).await?.ok()?;
    for node in ["node-1", "node-2"] {
        let refused = scratch.post(&scratch.core("pods/a/binding"), &binding("a", node)).await?;
        refused.check(
            r#"409 Conflict
            Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "node-1"
            details: pods/binding/a"#,
        )?;
    }
    Ok(())
}

async fn a_pod_that_is_not_there(scratch: &Scratch<'_>) -> Result<()> {
    let refused = scratch.post(&scratch.core("pods/a/binding"), &binding("a", "node-1")).await?;
    refused.check("404 NotFound\npods \"a\" not found\ndetails: pods/a")
}

async fn a_pod_that_is_going(scratch: &Scratch<'_>) -> Result<()> {
    made(scratch).await?;
    let finalizers = |finalizers: Value| json!({"metadata": {"finalizers": finalizers}});
    scratch.merge(&scratch.core("pods/a"), &finalizers(json!(["berth.example/keep"]))).await?;
    let at_once = json!({"gracePeriodSeconds": 0});
    scratch.delete_with(&scratch.core("pods/a"), &at_once).await?.ok()?;
    let refused = scratch.post(&scratch.core("pods/a/binding"), &binding("a", "node-1")).await?;
    scratch.merge(&scratch.core("pods/a"), &finalizers(Value::Null)).await?.ok()?;
    refused.check(
        r#"409 Conflict
        Operation cannot be fulfilled on pods/binding "a": pod a is being deleted, cannot be assigned to a host
        details: pods/binding/a"#,
    )
}

async fn a_pod_that_is_gated(scratch: &Scratch<'_>) -> Result<()> {
    let mut pod = pod("a", "");
    pod["spec"]["schedulingGates"] = json!([{"name": "berth.example/wait"}]);
    scratch.post(&scratch.core("pods"), &pod).await?.ok()?;
    let refused = scratch.post(&scratch.core("pods/a/binding"), &binding("a", "node-1")).await?;
    refused.check(
        r#"409 Conflict
        Operation cannot be fulfilled on pods/binding "a": pod a has non-empty .spec.schedulingGates
        details: pods/binding/a"#,
    )
}

/// What a server's store says of itself before the reason is its own affair.
async fn another_pod_of_the_name(scratch: &Scratch<'_>) -> Result<()> {
    let before = made(scratch).await?;
    for (member, word, asked) in [
        ("uid", "UID", "11111111-1111-1111-1111-111111111111"),
        ("resourceVersion", "ResourceVersion", "1"),
    ] {
        let mut binding = binding("a", "node-1");
        binding["metadata"][member] = json!(asked);
        let refused = scratch.post(&scratch.core("pods/a/binding"), &binding).await?;
        refused.check_first("409 Conflict")?;
        let message = refused.body["message"].as_str().unwrap_or_default();
        let found = before["metadata"][member].as_str().unwrap_or_default();
        let end = format!(
            "Precondition failed: {word} in precondition: {asked}, {word} in object meta: {found}"
        );
        ensure!(message.ends_with(&end), "{message}");
        same("details", &refused.body["details"], &json!({"name": "a", "kind": "pods"}))?;
    }
    let pod = scratch.get(&scratch.core("pods/a")).await?;
    same("pod", pod.ok()?, &before)
}

async fn a_dry_run(scratch: &Scratch<'_>) -> Result<()> {
    let before = made(scratch).await?;
    let path = scratch.core("pods/a/binding?dryRun=All");
    scratch.post(&path, &binding("a", "node-1")).await?.check("201 Success")?;
    same("pod", scratch.get(&scratch.core("pods/a")).await?.ok()?, &before)
}

async fn no_binding(scratch: &Scratch<'_>) -> Result<()> {
    made(scratch).await?;
    let path = scratch.core("pods/a/binding");
    let refused = async |body: Value| scratch.post(&path, &body).await;
    refused(binding("b", "node-1")).await?.check(
        "400 BadRequest
        name in URL does not match name in Binding object",
    )?;
    let mut elsewhere = binding("a", "node-1");
    elsewhere["metadata"]["namespace"] = json!("elsewhere");
    refused(elsewhere).await?.check(
        "400 BadRequest
        the namespace of the provided object does not match the namespace sent on the request",
    )?;
    let mut other = binding("a", "node-1");
    other["target"]["kind"] = json!("Pod");
    let why = r#"target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>""#;
    refused(other.clone()).await?.check(&format!("500 Failure\n{why}"))?;
    other["target"]["name"] = json!("");
    let both = format!("500 Failure\n[{why}, target.name: Required value]");
    refused(other).await?.check(&both)?;
    let nowhere = json!({"metadata": {"name": "a"}});
    refused(nowhere).await?.check("500 Failure\ntarget.name: Required value")?;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}});
    refused(pod).await?.check_first("400 BadRequest")?;
    refused(json!([])).await?.check_first("400 BadRequest")
}

async fn other_verbs(scratch: &Scratch<'_>) -> Result<()> {
    made(scratch).await?;
    let path = scratch.core("pods/a/binding");
    let refused = "405 MethodNotAllowed
        the server does not allow this method on the requested resource";
    scratch.get(&path).await?.check(refused)?;
    scratch.put(&path, &binding("a", "node-1")).await?.check(refused)?;
    scratch.delete(&path).await?.check(refused)?;
    let everywhere = scratch.post("/api/v1/pods/a/binding", &binding("a", "node-1")).await?;
    everywhere.check("404 NotFound\nthe server could not find the requested resource")
}
