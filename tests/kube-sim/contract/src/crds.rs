//! The custom resources that the cases share.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionStatus,
};
use kube::api::{DeleteParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

/// The group of the resources that were made for these tests.
pub(crate) const GROUP: &str = "contract.berth.example";

/// Where they are served.
pub(crate) const PATH: &str = "/apis/contract.berth.example/v1";

/// Where the project's own resource is served.
pub(crate) const CILIUM_NODES: &str = "/apis/cilium.io/v2/ciliumnodes";

/// The project's own resource, as clusters get it.
const CILIUM_NODE_CRD: &str = include_str!("../../../../deploy/crds/ciliumnodes.yaml");

/// In namespaces, with a status subresource, a schema of every kind of rule, and printer columns.
const WIDGET_CRD: &str = include_str!("crds/widgets.yaml");

/// In no namespace, without subresources.
const DEPOT_CRD: &str = include_str!("crds/depots.yaml");

/// How long a server may take to serve a new resource.
const ESTABLISHED: Duration = Duration::from_secs(30);

/// A widget that the schema allows.
pub(crate) fn widget(name: &str) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": "Widget",
        "metadata": {"name": name},
        "spec": {"size": 1},
    })
}

/// A depot: no member of its own is required.
pub(crate) fn depot(name: &str) -> Value {
    json!({"apiVersion": format!("{GROUP}/v1"), "kind": "Depot", "metadata": {"name": name}})
}

/// Registers what is not there yet, waits until all are served, and returns the names of the new ones.
pub(crate) async fn register(client: &Client) -> Result<Vec<&'static str>> {
    let api = Api::<CustomResourceDefinition>::all(client.clone());
    let mut new = Vec::new();
    for (name, yaml) in [
        ("ciliumnodes.cilium.io", CILIUM_NODE_CRD),
        ("widgets.contract.berth.example", WIDGET_CRD),
        ("depots.contract.berth.example", DEPOT_CRD),
    ] {
        let crd: CustomResourceDefinition = serde_saphyr::from_str(yaml).context(name)?;
        ensure!(crd.name_any() == name, "{name} is called {} in its file", crd.name_any());
        if api.get_opt(name).await.context(name)?.is_none() {
            api.create(&PostParams::default(), &crd).await.context(name)?;
            new.push(name);
        }
        wait_established(&api, name).await?;
    }
    Ok(new)
}

/// Takes resources away, with all their objects.
pub(crate) async fn remove(client: &Client, names: &[&str]) -> Result<()> {
    let api = Api::<CustomResourceDefinition>::all(client.clone());
    for name in names {
        api.delete(name, &DeleteParams::default()).await.with_context(|| (*name).to_owned())?;
    }
    Ok(())
}

/// Waits until a registered resource can be used.
pub(crate) async fn wait_established(
    api: &Api<CustomResourceDefinition>,
    name: &str,
) -> Result<CustomResourceDefinition> {
    let start = tokio::time::Instant::now();
    loop {
        let crd = api.get(name).await.with_context(|| name.to_owned())?;
        if crd.status.as_ref().is_some_and(is_established) {
            return Ok(crd);
        }
        ensure!(start.elapsed() < ESTABLISHED, "{name} is not served: {:?}", crd.status);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn is_established(status: &CustomResourceDefinitionStatus) -> bool {
    let mut conditions = status.conditions.iter().flatten();
    conditions.any(|condition| condition.type_ == "Established" && condition.status == "True")
}
