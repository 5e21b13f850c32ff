//! Lists as tables, which kubectl prints, and as metadata alone.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::case::cases;
use crate::reply::{Reply, same, same_text};
use crate::scratch::Scratch;

cases!("tables":
    columns,
    cells,
    one_object,
    rows_carry_metadata,
    a_watch,
    built_in_resources,
    metadata_of_a_list,
    metadata_of_one_object,
    cilium_nodes,
);

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const METADATA_LIST: &str =
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";
const METADATA: &str =
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";

/// The columns as lines `NAME TYPE FORMAT PRIORITY`.
fn column_lines(table: &Reply) -> Result<String> {
    let columns = table.at("/columnDefinitions")?.as_array().context("no columns")?;
    let line = |column: &Value| {
        let text = |key: &str| column[key].as_str().unwrap_or("?").to_owned();
        format!("{} {} [{}] {}", text("name"), text("type"), text("format"), column["priority"])
    };
    Ok(columns.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// The cells, a line of JSON for each row.
fn cell_lines(table: &Reply) -> Result<String> {
    let rows = table.at("/rows")?.as_array().context("no rows")?;
    Ok(rows.iter().map(|row| row["cells"].to_string()).collect::<Vec<_>>().join("\n"))
}

async fn columns(scratch: &Scratch<'_>) -> Result<()> {
    let table = scratch.get_as(&scratch.widgets(""), TABLE).await?;
    same("kind", table.at("/kind")?, &json!("Table"))?;
    same("apiVersion", table.at("/apiVersion")?, &json!("meta.k8s.io/v1"))?;
    same_text(
        &column_lines(&table)?,
        "Name string [name] 0
        Size integer [] 0
        Ready string [] 0
        Color string [] 1
        Wheels string [] 0
        Age date [] 0",
    )?;
    let described = &table.body["columnDefinitions"][1]["description"];
    same("description", described, &json!("How large it is"))?;
    let none = &table.body["columnDefinitions"][2]["description"];
    same(
        "description",
        none,
        &json!(
            "Custom resource definition column (in JSONPath format): .status.conditions[?(@.type==\"Ready\")].status"
        ),
    )
}

async fn cells(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    scratch.widget("b", json!({})).await?;
    let wheels = json!([{"name": "front"}, {"name": "rear"}]);
    let patch = json!({"spec": {"size": 40, "color": "red", "wheels": wheels}});
    scratch.merge(&scratch.widgets("b"), &patch).await?.ok()?;
    let conditions = json!([{"type": "Other", "status": "x"}, {"type": "Ready", "status": "True"}]);
    let status = json!({"status": {"conditions": conditions}});
    scratch.merge(&scratch.widgets("b/status"), &status).await?.ok()?;
    let table = scratch.get_as(&scratch.widgets(""), TABLE).await?;
    let lines = cell_lines(&table)?;
    let lines = lines.replace("\"0s\"", "AGE").replace("\"1s\"", "AGE").replace("\"2s\"", "AGE");
    same_text(
        &lines,
        r#"["a",1,null,null,null,AGE]
        ["b",40,"True","red","front",AGE]"#,
    )
}

async fn one_object(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let table = scratch.get_as(&scratch.widgets("a"), TABLE).await?;
    same("kind", table.at("/kind")?, &json!("Table"))?;
    same("name", table.at("/rows/0/cells/0")?, &json!("a"))?;
    let absent = scratch.get_as(&scratch.widgets("nope"), TABLE).await?;
    absent.check(
        "404 NotFound
        widgets.contract.berth.example \"nope\" not found
        details: contract.berth.example/widgets/nope",
    )
}

async fn rows_carry_metadata(scratch: &Scratch<'_>) -> Result<()> {
    let made = scratch.widget("a", json!({"labels": {"x": "1"}})).await?;
    let table = scratch.get_as(&scratch.widgets(""), TABLE).await?;
    let object = table.at("/rows/0/object")?;
    same("kind", &object["kind"], &json!("PartialObjectMetadata"))?;
    same("apiVersion", &object["apiVersion"], &json!("meta.k8s.io/v1"))?;
    same("uid", &object["metadata"]["uid"], made.at("/metadata/uid")?)?;
    same("labels", &object["metadata"]["labels"], &json!({"x": "1"}))?;
    same("no spec", &object["spec"], &json!(null))?;
    let whole = scratch.get_as(&scratch.widgets("?includeObject=Object"), TABLE).await?;
    same("object", whole.at("/rows/0/object")?, made.ok()?)?;
    let none = scratch.get_as(&scratch.widgets("?includeObject=None"), TABLE).await?;
    same("no object", &none.ok()?["rows"][0]["object"], &json!(null))
}

async fn a_watch(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    scratch.widget("b", json!({})).await?;
    let path = scratch.widgets("?watch=true&timeoutSeconds=5");
    let (code, text) = scratch.get_text_as(&path, TABLE).await?;
    same("code", &json!(code), &json!(200))?;
    let events: Vec<Value> =
        text.lines().map(serde_json::from_str).collect::<Result<_, _>>().context(text.clone())?;
    same("events", &json!(events.len()), &json!(2))?;
    for (event, name) in events.iter().zip(["a", "b"]) {
        same("type", &event["type"], &json!("ADDED"))?;
        same("kind", &event["object"]["kind"], &json!("Table"))?;
        same("name", &event["object"]["rows"][0]["cells"][0], &json!(name))?;
    }
    // The columns are said once.
    same("columns", &json!(events[0]["object"]["columnDefinitions"].is_array()), &json!(true))?;
    let empty = events[1]["object"]["columnDefinitions"].as_array().is_none_or(Vec::is_empty);
    same("columns", &json!(empty), &json!(true))
}

async fn built_in_resources(scratch: &Scratch<'_>) -> Result<()> {
    let lease = json!({"metadata": {"name": "l"}, "spec": {"holderIdentity": "x"}});
    scratch.post(&scratch.leases(""), &lease).await?.ok()?;
    let table = scratch.get_as(&scratch.leases(""), TABLE).await?;
    same_text(&column_lines(&table)?, "Name string [name] 0\nHolder string [] 0\nAge string [] 0")?;
    same("holder", table.at("/rows/0/cells/1")?, &json!("x"))?;
    scratch.post(&scratch.core("pods"), &super::pods::pod("a", "node-1")).await?.ok()?;
    let table = scratch.get_as(&scratch.core("pods"), TABLE).await?;
    let lines = column_lines(&table)?;
    same_text(
        &lines.lines().take(5).collect::<Vec<_>>().join("\n"),
        "Name string [name] 0
        Ready string [] 0
        Status string [] 0
        Restarts string [] 0
        Age string [] 0",
    )?;
    let cells = table.at("/rows/0/cells")?.as_array().context("no cells")?;
    same("cells", &json!(cells[..3]), &json!(["a", "0/1", "Pending"]))
}

async fn metadata_of_a_list(scratch: &Scratch<'_>) -> Result<()> {
    let made = scratch.widget("a", json!({"labels": {"x": "1"}})).await?;
    let list = scratch.get_as(&scratch.widgets(""), METADATA_LIST).await?;
    same("kind", list.at("/kind")?, &json!("PartialObjectMetadataList"))?;
    same("apiVersion", list.at("/apiVersion")?, &json!("meta.k8s.io/v1"))?;
    same("metadata", list.at("/items/0/metadata")?, made.at("/metadata")?)?;
    same("no spec", &list.body["items"][0]["spec"], &json!(null))?;
    list.resource_version()?;
    Ok(())
}

async fn metadata_of_one_object(scratch: &Scratch<'_>) -> Result<()> {
    let made = scratch.widget("a", json!({})).await?;
    let read = scratch.get_as(&scratch.widgets("a"), METADATA).await?;
    same("kind", read.at("/kind")?, &json!("PartialObjectMetadata"))?;
    same("metadata", read.at("/metadata")?, made.at("/metadata")?)?;
    same("no spec", &read.body["spec"], &json!(null))
}

async fn cilium_nodes(scratch: &Scratch<'_>) -> Result<()> {
    let name = scratch.own("n");
    let addresses = json!([
        {"type": "InternalIP", "ip": "10.0.0.5"}, {"type": "CiliumInternalIP", "ip": "10.1.0.9"},
    ]);
    let node = json!({
        "apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {"name": name},
        "spec": {"addresses": addresses},
    });
    let nodes = crate::crds::CILIUM_NODES;
    scratch.post(nodes, &node).await?.ok()?;
    let path = format!("{nodes}/{name}");
    let table = scratch.get_as(&path, TABLE).await?;
    scratch.delete(&path).await?.ok()?;
    same_text(
        &column_lines(&table)?,
        "Name string [name] 0\nCiliumInternalIP string [] 0\nInternalIP string [] 0\nAge date [] 0",
    )?;
    let cells = table.at("/rows/0/cells")?.as_array().context("no cells")?;
    same("cells", &json!(cells[1..3]), &json!(["10.1.0.9", "10.0.0.5"]))
}
