//! Registering, changing and removing custom resources.

use anyhow::{Context, Result};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use serde_json::{Value, json};

use crate::case::cases;
use crate::crds;
use crate::reply::{Reply, same, same_text};
use crate::scratch::Scratch;

cases!("definitions": life, a_new_schema, what_is_refused, a_second_version, shapes_of_the_answer);

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// A resource of the case's own: cluster-scoped Gears in a group named after the case.
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) group: String,
    /// Where its objects are.
    pub(super) path: String,
}

impl Definition {
    fn of(scratch: &Scratch<'_>) -> Self {
        let group = format!("{}.berth.example", scratch.ns);
        Self { name: format!("gears.{group}"), path: format!("/apis/{group}/v1/gears"), group }
    }

    /// What registers it, with these properties of `spec`.
    fn body(&self, properties: &Value) -> Value {
        let schema = json!({"openAPIV3Schema": {
            "type": "object",
            "properties": {"spec": {"type": "object", "properties": properties}},
        }});
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": self.name},
            "spec": {
                "group": self.group, "scope": "Cluster",
                "names": {"plural": "gears", "singular": "gear", "kind": "Gear", "listKind": "GearList"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
            },
        })
    }

    /// Registers it and waits until it is served.
    pub(super) async fn register(scratch: &Scratch<'_>) -> Result<Self> {
        let new = Self::of(scratch);
        let teeth = json!({"teeth": {"type": "integer"}});
        scratch.post(DEFINITIONS, &new.body(&teeth)).await?.check("201")?;
        crds::wait_established(&Api::all(scratch.client()), &new.name).await?;
        Ok(new)
    }

    pub(super) async fn make(&self, scratch: &Scratch<'_>, name: &str) -> Result<Reply> {
        let gear = self.gear(name, &json!({"teeth": 9}));
        let reply = scratch.post(&self.path, &gear).await?;
        reply.ok()?;
        Ok(reply)
    }

    fn gear(&self, name: &str, spec: &Value) -> Value {
        let version = format!("{}/v1", self.group);
        json!({"apiVersion": version, "kind": "Gear", "metadata": {"name": name}, "spec": spec})
    }

    /// Changes the properties of `spec`.
    pub(super) async fn change(&self, scratch: &Scratch<'_>, properties: &Value) -> Result<Reply> {
        let patch = json!({"spec": self.body(properties)["spec"]});
        let reply = scratch.merge(&format!("{DEFINITIONS}/{}", self.name), &patch).await?;
        reply.ok()?;
        Ok(reply)
    }

    /// Takes it away, and waits until it is gone.
    pub(super) async fn remove(&self, scratch: &Scratch<'_>) -> Result<()> {
        let path = format!("{DEFINITIONS}/{}", self.name);
        scratch.delete(&path).await?.ok()?;
        scratch.until(&path, 404).await?;
        Ok(())
    }
}

async fn life(scratch: &Scratch<'_>) -> Result<()> {
    let definition = Definition::of(scratch);
    let (code, _) = scratch.get_text(&definition.path).await?;
    same("before", &json!(code), &json!(404))?;
    let definition = Definition::register(scratch).await?;
    definition.make(scratch, "a").await?.check("201")?;
    same_text(&scratch.get(&definition.path).await?.names()?, "a")?;
    let group = scratch.get(&format!("/apis/{}", definition.group)).await?;
    same("discovery", group.at("/kind")?, &json!("APIGroup"))?;
    let mut watch = scratch.watch(&definition.path).await?;
    watch.check("ADDED a").await?;
    definition.remove(scratch).await?;
    watch.check("DELETED a").await?;
    let start = tokio::time::Instant::now();
    while scratch.get_text(&definition.path).await?.0 != 404 {
        anyhow::ensure!(start.elapsed().as_secs() < 20, "objects are still served");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let definition = Definition::register(scratch).await?;
    same_text(&scratch.get(&definition.path).await?.names()?, "")?;
    definition.remove(scratch).await
}

async fn a_new_schema(scratch: &Scratch<'_>) -> Result<()> {
    let definition = Definition::register(scratch).await?;
    let gear = |name: &str| definition.gear(name, &json!({"teeth": 9, "color": "red"}));
    let pruned = scratch.post(&definition.path, &gear("a")).await?;
    same("spec", pruned.at("/spec")?, &json!({"teeth": 9}))?;
    let properties = json!({"teeth": {"type": "integer"}, "color": {"type": "string"}});
    let patched = definition.change(scratch, &properties).await?;
    same("generation", patched.at("/metadata/generation")?, &json!(2))?;
    let start = tokio::time::Instant::now();
    for count in 0.. {
        let made = scratch.post(&definition.path, &gear(&format!("b{count}"))).await?;
        if *made.at("/spec")? == json!({"teeth": 9, "color": "red"}) {
            break;
        }
        anyhow::ensure!(start.elapsed().as_secs() < 20, "the new schema is not used");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    definition.remove(scratch).await
}

async fn what_is_refused(scratch: &Scratch<'_>) -> Result<()> {
    let definition = Definition::of(scratch);
    let properties = json!({});
    let change = async |pointer: &str, value: Value| {
        let mut body = definition.body(&properties);
        *body.pointer_mut(pointer).context("no such member")? = value;
        scratch.post(DEFINITIONS, &body).await
    };
    change("/metadata/name", json!("x.y")).await?.check(
        r#"422 Invalid
        CustomResourceDefinition.apiextensions.k8s.io "x.y" is invalid: metadata.name: Invalid value: "x.y": must be spec.names.plural+"."+spec.group
        details: apiextensions.k8s.io/CustomResourceDefinition/x.y
        cause FieldValueInvalid metadata.name: Invalid value: "x.y": must be spec.names.plural+"."+spec.group"#,
    )?;
    change("/spec/scope", json!("Everywhere")).await?.check(
        r#"422 Invalid
        CustomResourceDefinition.apiextensions.k8s.io "gears.NS.berth.example" is invalid: spec.scope: Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced"
        details: apiextensions.k8s.io/CustomResourceDefinition/gears.NS.berth.example
        cause FieldValueNotSupported spec.scope: Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced""#,
    )?;
    change("/spec/versions/0/schema", json!(null)).await?.check(
        r#"422 Invalid
        CustomResourceDefinition.apiextensions.k8s.io "gears.NS.berth.example" is invalid: spec.versions[0].schema.openAPIV3Schema: Required value
        details: apiextensions.k8s.io/CustomResourceDefinition/gears.NS.berth.example
        cause FieldValueRequired spec.versions[0].schema.openAPIV3Schema: Required value"#,
    )?;
    change("/spec/versions/0/storage", json!(false)).await?.check_first("422 Invalid")
}

async fn a_second_version(scratch: &Scratch<'_>) -> Result<()> {
    let definition = Definition::register(scratch).await?;
    let again = scratch.post(DEFINITIONS, &definition.body(&json!({}))).await?;
    again.check(
        r#"409 AlreadyExists
        customresourcedefinitions.apiextensions.k8s.io "gears.NS.berth.example" already exists
        details: apiextensions.k8s.io/customresourcedefinitions/gears.NS.berth.example"#,
    )?;
    definition.remove(scratch).await
}

async fn shapes_of_the_answer(scratch: &Scratch<'_>) -> Result<()> {
    let definition = Definition::register(scratch).await?;
    let path = format!("{DEFINITIONS}/{}", definition.name);
    let read = scratch.get(&path).await?;
    same("kind", read.at("/kind")?, &json!("CustomResourceDefinition"))?;
    let names = json!({
        "plural": "gears", "singular": "gear", "kind": "Gear", "listKind": "GearList",
    });
    same("accepted names", read.at("/status/acceptedNames")?, &names)?;
    same("stored versions", read.at("/status/storedVersions")?, &json!(["v1"]))?;
    let conditions = read.at("/status/conditions")?.as_array().context("no conditions")?.clone();
    for (kind, reason) in
        [("NamesAccepted", "NoConflicts"), ("Established", "InitialNamesAccepted")]
    {
        let found = conditions.iter().find(|condition| condition["type"] == kind);
        let found = found.with_context(|| format!("no condition {kind}"))?;
        same(kind, &found["status"], &json!("True"))?;
        same(kind, &found["reason"], &json!(reason))?;
    }
    let listed =
        Api::<CustomResourceDefinition>::all(scratch.client()).get(&definition.name).await?;
    same("scope", &json!(listed.spec.scope), &json!("Cluster"))?;
    definition.remove(scratch).await
}
