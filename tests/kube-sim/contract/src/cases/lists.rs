//! Lists: pages, selectors, and what is refused.

use anyhow::Result;
use serde_json::json;

use crate::case::cases;
use crate::reply::{same, same_text};
use crate::scratch::Scratch;

cases!("lists":
    a_list_and_its_metadata,
    pages,
    pages_are_of_one_moment,
    all_namespaces,
    at_a_resource_version,
    refused,
    label_selectors,
    malformed_label_selectors,
    field_selectors,
    field_selectors_on_pods,
    unsupported_field_selectors,
);

async fn a_list_and_its_metadata(scratch: &Scratch<'_>) -> Result<()> {
    let empty = scratch.get(&scratch.widgets("")).await?;
    same("items", empty.at("/items")?, &json!([]))?;
    let made = scratch.widget("a", json!({})).await?;
    let list = scratch.get(&scratch.widgets("")).await?;
    same("kind", list.at("/kind")?, &json!("WidgetList"))?;
    same("apiVersion", list.at("/apiVersion")?, &json!("contract.berth.example/v1"))?;
    same("item", list.at("/items/0")?, made.ok()?)?;
    let (before, after) = (empty.resource_version()?, list.resource_version()?);
    let grew = before.parse::<u64>()? < after.parse::<u64>()?;
    same("the list's resourceVersion grew", &json!(grew), &json!(true))?;
    same("metadata", list.at("/metadata")?, &json!({"continue": "", "resourceVersion": after}))
        .or_else(|_| same("metadata", list.at("/metadata")?, &json!({"resourceVersion": after})))
}

async fn pages(scratch: &Scratch<'_>) -> Result<()> {
    for name in ["e", "a", "d", "b", "c"] {
        scratch.widget(name, json!({})).await?;
    }
    let first = scratch.get(&scratch.widgets("?limit=2")).await?;
    same_text(&first.names()?, "a b")?;
    same("remaining", first.at("/metadata/remainingItemCount")?, &json!(3))?;
    let token = first.text_at("/metadata/continue")?;
    let second = scratch.get(&scratch.widgets(&format!("?limit=2&continue={token}"))).await?;
    same_text(&second.names()?, "c d")?;
    same("remaining", second.at("/metadata/remainingItemCount")?, &json!(1))?;
    let token = second.text_at("/metadata/continue")?;
    let third = scratch.get(&scratch.widgets(&format!("?limit=2&continue={token}"))).await?;
    same_text(&third.names()?, "e")?;
    same("no more", &third.body["metadata"]["remainingItemCount"], &json!(null))?;
    let last = third.body["metadata"]["continue"].as_str().unwrap_or_default();
    same("no more pages", &json!(last), &json!(""))?;
    let versions = [first.resource_version()?, second.resource_version()?];
    same("one version", &json!(versions[1]), &json!(versions[0]))?;
    same("one version", &json!(third.resource_version()?), &json!(versions[0]))?;
    let whole = scratch.get(&scratch.widgets("?limit=5")).await?;
    same("fits", &whole.body["metadata"]["remainingItemCount"], &json!(null))
}

async fn pages_are_of_one_moment(scratch: &Scratch<'_>) -> Result<()> {
    for name in ["a", "b", "c"] {
        scratch.widget(name, json!({})).await?;
    }
    let first = scratch.get(&scratch.widgets("?limit=1")).await?;
    scratch.delete(&scratch.widgets("b")).await?.ok()?;
    scratch.widget("d", json!({})).await?;
    let token = first.text_at("/metadata/continue")?;
    let rest = scratch.get(&scratch.widgets(&format!("?continue={token}"))).await?;
    same_text(&rest.names()?, "b c")?;
    same("version", &json!(rest.resource_version()?), &json!(first.resource_version()?))
}

async fn all_namespaces(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({"labels": {"in": scratch.ns}})).await?;
    // Objects come in the order of their namespaces.
    let other = format!("x-{}", scratch.ns);
    scratch.post("/api/v1/namespaces", &json!({"metadata": {"name": other}})).await?.ok()?;
    let path = format!("{}/namespaces/{other}/widgets", crate::crds::PATH);
    let mut widget = crate::crds::widget("b");
    widget["metadata"]["labels"] = json!({"in": scratch.ns});
    scratch.post(&path, &widget).await?.ok()?;
    let all = format!("{}/widgets?labelSelector=in%3D{}", crate::crds::PATH, scratch.ns);
    same_text(&scratch.get(&all).await?.names()?, "a b")?;
    let one = format!("{all}&fieldSelector=metadata.namespace%3D{other}");
    same_text(&scratch.get(&one).await?.names()?, "b")?;
    scratch.delete(&format!("/api/v1/namespaces/{other}")).await?.ok()?;
    Ok(())
}

async fn at_a_resource_version(scratch: &Scratch<'_>) -> Result<()> {
    let first = scratch.widget("a", json!({})).await?.resource_version()?;
    scratch.widget("b", json!({})).await?;
    // At least as new as that, or anything that is known: nothing promises that `b` is left out.
    for query in [format!("?resourceVersion={first}"), "?resourceVersion=0".to_owned()] {
        scratch.get(&scratch.widgets(&query)).await?.ok()?;
    }
    let exact = format!("?resourceVersion={first}&resourceVersionMatch=Exact");
    let then = scratch.get(&scratch.widgets(&exact)).await?;
    same_text(&then.names()?, "a")?;
    same("its version", &json!(then.resource_version()?), &json!(first))
}

async fn refused(scratch: &Scratch<'_>) -> Result<()> {
    let list = async |query: &str| scratch.get(&scratch.widgets(query)).await;
    list("?resourceVersion=x").await?.check(
        r#"400 BadRequest
        invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax"#,
    )?;
    list("?limit=x").await?.check(
        r#"400 BadRequest
        strconv.ParseInt: parsing "x": invalid syntax"#,
    )?;
    list("?continue=x&limit=1").await?.check(
        "400 BadRequest
        invalid continue token: continue key is not valid: illegal base64 data at input byte 0",
    )?;
    list("?resourceVersionMatch=Exact").await?.check(
        r#"422 Invalid
        ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided
        details: meta.k8s.io/ListOptions
        cause FieldValueForbidden resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"#,
    )?;
    list("?resourceVersion=1&resourceVersionMatch=Soon").await?.check(
        r#"422 Invalid
        ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Soon": supported values: "Exact", "NotOlderThan", ""
        details: meta.k8s.io/ListOptions
        cause FieldValueNotSupported resourceVersionMatch: Unsupported value: "Soon": supported values: "Exact", "NotOlderThan", """#,
    )
}

async fn three_widgets(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({"labels": {"tier": "web", "env": "prod"}})).await?;
    scratch.widget("b", json!({"labels": {"tier": "db", "env": "test"}})).await?;
    scratch.widget("c", json!({})).await?;
    Ok(())
}

async fn label_selectors(scratch: &Scratch<'_>) -> Result<()> {
    three_widgets(scratch).await?;
    for (selector, expected) in [
        ("tier%3Dweb", "a"),
        ("tier%3D%3Dweb", "a"),
        ("tier!%3Dweb", "b c"),
        ("tier", "a b"),
        ("!tier", "c"),
        ("tier%20in%20(web,db)", "a b"),
        ("tier%20notin%20(web)", "b c"),
        ("tier%20in%20(web,db),env%3Dtest", "b"),
        ("tier%3Dweb,env%3Dtest", ""),
        ("", "a b c"),
    ] {
        let path = scratch.widgets(&format!("?labelSelector={selector}"));
        let names = scratch.get(&path).await?.names()?;
        same(selector, &json!(names), &json!(expected))?;
    }
    Ok(())
}

async fn malformed_label_selectors(scratch: &Scratch<'_>) -> Result<()> {
    let list = async |selector: &str| {
        scratch.get(&scratch.widgets(&format!("?labelSelector={selector}"))).await
    };
    list("tier%20in%20web").await?.check(
        "400 BadRequest
        unable to parse requirement: found 'web' expected: '('",
    )?;
    list("tier%3D%3D%3Dweb").await?.check(
        "400 BadRequest
        unable to parse requirement: found '=', expected: identifier",
    )?;
    list("-x%3D1").await?.check(
        r#"400 BadRequest
        unable to parse requirement: <nil>: Invalid value: "-x": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"#,
    )
}

async fn field_selectors(scratch: &Scratch<'_>) -> Result<()> {
    three_widgets(scratch).await?;
    for (selector, expected) in
        [("metadata.name%3Db", "b"), ("metadata.name!%3Db", "a c"), ("metadata.name%3D%3Dnope", "")]
    {
        let path = scratch.widgets(&format!("?fieldSelector={selector}"));
        let names = scratch.get(&path).await?.names()?;
        same(selector, &json!(names), &json!(expected))?;
    }
    let both = format!("?fieldSelector=metadata.name%3Da,metadata.namespace%3D{}", scratch.ns);
    same_text(&scratch.get(&scratch.widgets(&both)).await?.names()?, "a")?;
    let node = scratch.own("n");
    let nodes = crate::crds::CILIUM_NODES;
    let body = json!({
        "apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {"name": node}, "spec": {},
    });
    scratch.post(nodes, &body).await?.ok()?;
    let own = scratch.get(&format!("{nodes}?fieldSelector=metadata.name%3D{node}")).await?;
    same_text(&own.names()?, "NS-n")?;
    scratch.delete(&format!("{nodes}/{node}")).await?.ok()?;
    Ok(())
}

async fn field_selectors_on_pods(scratch: &Scratch<'_>) -> Result<()> {
    for (name, node) in [("a", "node-1"), ("b", "node-2"), ("c", "")] {
        scratch.post(&scratch.core("pods"), &super::pods::pod(name, node)).await?.ok()?;
    }
    let running = json!({"status": {"phase": "Running"}});
    scratch.merge(&scratch.core("pods/b/status"), &running).await?.ok()?;
    for (selector, expected) in [
        ("spec.nodeName%3Dnode-1", "a"),
        ("spec.nodeName!%3D", "a b"),
        ("status.phase%3DRunning", "b"),
        ("status.phase!%3DRunning", "a c"),
        ("spec.nodeName%3Dnode-1,status.phase%3DRunning", ""),
    ] {
        let path = scratch.core(&format!("pods?fieldSelector={selector}"));
        let names = scratch.get(&path).await?.names()?;
        same(selector, &json!(names), &json!(expected))?;
    }
    Ok(())
}

async fn unsupported_field_selectors(scratch: &Scratch<'_>) -> Result<()> {
    let widgets = scratch.get(&scratch.widgets("?fieldSelector=spec.size%3D1")).await?;
    widgets.check(
        "400 BadRequest
        field label not supported: spec.size",
    )?;
    let pods = scratch.get(&scratch.core("pods?fieldSelector=spec.color%3Dred")).await?;
    pods.check(
        "400 BadRequest
        field label not supported: spec.color",
    )?;
    let malformed = scratch.get(&scratch.widgets("?fieldSelector=metadata.name")).await?;
    malformed.check(
        "400 BadRequest
        invalid selector: 'metadata.name'; can't understand 'metadata.name'",
    )?;
    let nodes = scratch.get("/api/v1/nodes?fieldSelector=spec.nodeName%3Dx").await?;
    nodes.check(
        "400 BadRequest
        field label not supported: spec.nodeName",
    )
}
