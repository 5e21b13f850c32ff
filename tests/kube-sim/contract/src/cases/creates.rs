//! Creating objects, and what is refused.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::case::cases;
use crate::crds;
use crate::reply::{same, same_text};
use crate::scratch::Scratch;

cases!("creates":
    what_exists,
    generate_name,
    names,
    labels,
    a_missing_namespace,
    the_wrong_namespace,
    the_wrong_kind,
    what_the_server_decides,
    not_json,
    cluster_scoped,
);

async fn what_exists(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let again = scratch.post(&scratch.widgets(""), &crds::widget("a")).await?;
    again.check(
        r#"409 AlreadyExists
        widgets.contract.berth.example "a" already exists
        details: contract.berth.example/widgets/a"#,
    )?;
    scratch.post(&scratch.leases(""), &json!({"metadata": {"name": "l"}})).await?.ok()?;
    let again = scratch.post(&scratch.leases(""), &json!({"metadata": {"name": "l"}})).await?;
    again.check(
        r#"409 AlreadyExists
        leases.coordination.k8s.io "l" already exists
        details: coordination.k8s.io/leases/l"#,
    )
}

async fn generate_name(scratch: &Scratch<'_>) -> Result<()> {
    let mut widget = crds::widget("");
    widget["metadata"] = json!({"generateName": "gen-"});
    let mut names = Vec::new();
    for _ in 0..3 {
        let made = scratch.post(&scratch.widgets(""), &widget).await?;
        made.check("201")?;
        let name = made.text_at("/metadata/name")?;
        ensure!(name.starts_with("gen-") && name.len() == 9, "an odd name: {name}");
        same("generateName", made.at("/metadata/generateName")?, &json!("gen-"))?;
        names.push(name);
    }
    names.sort();
    names.dedup();
    same("different names", &json!(names.len()), &json!(3))
}

async fn names(scratch: &Scratch<'_>) -> Result<()> {
    let make = async |name: &str| scratch.post(&scratch.widgets(""), &crds::widget(name)).await;
    make("a.b-c.9").await?.check("201")?;
    make("Upper").await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "Upper" is invalid: metadata.name: Invalid value: "Upper": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
        details: contract.berth.example/Widget/Upper
        cause FieldValueInvalid metadata.name: Invalid value: "Upper": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#,
    )?;
    make("-a").await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "-a" is invalid: metadata.name: Invalid value: "-a": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
        details: contract.berth.example/Widget/-a
        cause FieldValueInvalid metadata.name: Invalid value: "-a": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#,
    )?;
    make("a_b").await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a_b" is invalid: metadata.name: Invalid value: "a_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
        details: contract.berth.example/Widget/a_b
        cause FieldValueInvalid metadata.name: Invalid value: "a_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#,
    )?;
    make("").await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "" is invalid: metadata.name: Required value: name or generateName is required
        details: contract.berth.example/Widget
        cause FieldValueRequired metadata.name: Required value: name or generateName is required"#,
    )?;
    let name = "x".repeat(254);
    let expected = r#"422 Invalid
        Widget.contract.berth.example "LONG" is invalid: metadata.name: Invalid value: "LONG": must be no more than 253 characters
        details: contract.berth.example/Widget/LONG
        cause FieldValueInvalid metadata.name: Invalid value: "LONG": must be no more than 253 characters"#;
    make(&name).await?.check(&expected.replace("LONG", &name))
}

async fn labels(scratch: &Scratch<'_>) -> Result<()> {
    let mut widget = crds::widget("a");
    widget["metadata"]["labels"] = json!({"ok": "not ok!"});
    scratch.post(&scratch.widgets(""), &widget).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: metadata.labels: Invalid value: "not ok!": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')
        details: contract.berth.example/Widget/a
        cause FieldValueInvalid metadata.labels: Invalid value: "not ok!": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"#,
    )?;
    widget["metadata"]["labels"] = json!({"-key": "v"});
    scratch.post(&scratch.widgets(""), &widget).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: metadata.labels: Invalid value: "-key": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        details: contract.berth.example/Widget/a
        cause FieldValueInvalid metadata.labels: Invalid value: "-key": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"#,
    )?;
    widget["metadata"]["labels"] = json!({"n": 1});
    scratch.post(&scratch.widgets(""), &widget).await?.check_first("400 BadRequest")
}

async fn a_missing_namespace(scratch: &Scratch<'_>) -> Result<()> {
    let path = format!("{}/namespaces/no-such/widgets", crds::PATH);
    scratch.post(&path, &crds::widget("a")).await?.check(
        r#"404 NotFound
        namespaces "no-such" not found
        details: namespaces/no-such"#,
    )
}

async fn the_wrong_namespace(scratch: &Scratch<'_>) -> Result<()> {
    let mut widget = crds::widget("a");
    widget["metadata"]["namespace"] = json!("other");
    scratch.post(&scratch.widgets(""), &widget).await?.check(
        "400 BadRequest
        the namespace of the provided object does not match the namespace sent on the request",
    )?;
    let path = format!("{}/widgets", crds::PATH);
    let nowhere = scratch.post(&path, &crds::widget("a")).await?;
    nowhere.check("404\n404 page not found")
}

async fn the_wrong_kind(scratch: &Scratch<'_>) -> Result<()> {
    let mut widget = crds::widget("a");
    widget["kind"] = json!("Gear");
    scratch.post(&scratch.widgets(""), &widget).await?.check(
        r#"422 Invalid
        Gear.contract.berth.example "a" is invalid: kind: Invalid value: "Gear": must be Widget
        details: contract.berth.example/Gear/a
        cause FieldValueInvalid kind: Invalid value: "Gear": must be Widget"#,
    )?;
    let mut widget = crds::widget("a");
    widget["apiVersion"] = json!("contract.berth.example/v9");
    scratch.post(&scratch.widgets(""), &widget).await?.check(
        "400 BadRequest
        the API version in the data (contract.berth.example/v9) does not match the expected API version (contract.berth.example/v1)",
    )?;
    let mut widget = crds::widget("a");
    widget["kind"] = json!("");
    scratch.post(&scratch.widgets(""), &widget).await?.check_first("400 BadRequest")
}

async fn what_the_server_decides(scratch: &Scratch<'_>) -> Result<()> {
    let mut widget = crds::widget("a");
    widget["metadata"]["uid"] = json!("00000000-0000-0000-0000-000000000000");
    widget["metadata"]["creationTimestamp"] = json!("2001-01-01T00:00:00Z");
    widget["metadata"]["generation"] = json!(77);
    widget["metadata"]["deletionTimestamp"] = json!("2001-01-01T00:00:00Z");
    widget["status"] = json!({"phase": "Made"});
    let made = scratch.post(&scratch.widgets(""), &widget).await?;
    made.check("201")?;
    let uid = made.text_at("/metadata/uid")?;
    ensure!(!uid.starts_with("00000000-"), "the client's uid is taken");
    let created = made.text_at("/metadata/creationTimestamp")?;
    ensure!(!created.starts_with("2001"), "the client's time is taken");
    same("generation", made.at("/metadata/generation")?, &json!(1))?;
    same("deletionTimestamp", &made.body["metadata"]["deletionTimestamp"], &json!(null))?;
    same("status", &made.body["status"], &json!(null))?;
    let mut widget = crds::widget("b");
    widget["metadata"]["resourceVersion"] = json!("5");
    scratch.post(&scratch.widgets(""), &widget).await?.check(
        "500 Failure
        resourceVersion should not be set on objects to be created",
    )
}

async fn not_json(scratch: &Scratch<'_>) -> Result<()> {
    let text = json!("just a text");
    scratch.post(&scratch.widgets(""), &text).await?.check_first("400 BadRequest")?;
    scratch.post(&scratch.widgets(""), &json!([])).await?.check_first("400 BadRequest")?;
    let media = scratch
        .send(
            http::Method::POST,
            &scratch.widgets(""),
            "text/plain",
            "application/json",
            Some(&text),
        )
        .await?;
    media.check_first("415 UnsupportedMediaType")
}

async fn cluster_scoped(scratch: &Scratch<'_>) -> Result<()> {
    let path = format!("{}/depots", crds::PATH);
    let name = scratch.own("d");
    let mut depot = crds::depot(&name);
    depot["status"] = json!({"kept": "without a subresource, it is a member like others"});
    let made = scratch.post(&path, &depot).await?;
    made.check("201")?;
    same("namespace", &made.body["metadata"]["namespace"], &json!(null))?;
    same("status", made.at("/status")?, &depot["status"])?;
    let listed = scratch.get(&format!("{path}?fieldSelector=metadata.name%3D{name}")).await?;
    same_text(&listed.names()?, "NS-d")?;
    scratch.delete(&format!("{path}/{name}")).await?.ok()?;
    Ok(())
}
