//! What is different with a real API server: it may be somebody's, it wants an account for pods and signs of life, and nothing there goes by itself.

use std::fmt::Debug;
use std::time::Duration;

use berth_operator::kubernetes::crd;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Namespace, Node, Pod, ServiceAccount};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::super::objects;
use super::{NAMESPACE, NOT_FOUND, RUN_LABEL, StageError, cilium_nodes, code, create};

/// Where kubelets give their signs of life.
const NODE_LEASES: &str = "kube-node-lease";
/// How often they do.
const ALIVE_EVERY: Duration = Duration::from_secs(10);
/// How long the definition of `CiliumNode` may take.
const DEFINITION: Duration = Duration::from_secs(20);
/// How long a controller may take to do its work before it is taken that there is none.
const CONTROLLERS: Duration = Duration::from_secs(3);
/// How long controllers that are there may take to end the namespace.
const NAMESPACE_ENDS: Duration = Duration::from_secs(7);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// Makes sure that the cluster is nobody's, and that it has `CiliumNode`s. What an earlier run of the playground left is taken away.
pub(super) async fn prepare(client: &Client) -> Result<(), StageError> {
    refuse_others(&Api::<Node>::all(client.clone()), "Node").await?;
    refuse_others(&cilium_nodes(client.clone()), "CiliumNode").await?;
    refuse_namespace(client).await?;
    refuse_another_run(client).await?;
    clear(client).await?;
    crd::ensure(client, true, DEFINITION).await?;
    Ok(())
}

/// The operator would act on all of them.
async fn refuse_others<K>(api: &Api<K>, kind: &'static str) -> Result<(), StageError>
where
    K: Clone + DeserializeOwned + Debug,
{
    let others = ListParams::default().labels(&format!("!{RUN_LABEL}"));
    let others = match api.list_metadata(&others).await {
        // There is no such resource yet.
        Err(error) if code(&error) == Some(NOT_FOUND) => return Ok(()),
        listed => listed.map_err(|source| failed(kind, source))?.items,
    };
    match others.first() {
        None => Ok(()),
        Some(first) => Err(StageError::Occupied {
            kind,
            name: first.metadata.name.clone().unwrap_or_default(),
            count: others.len(),
        }),
    }
}

/// What is in it would be taken away at the end.
async fn refuse_namespace(client: &Client) -> Result<(), StageError> {
    let found = Api::<Namespace>::all(client.clone()).get_opt(NAMESPACE).await;
    match found.map_err(|source| failed(NAMESPACE, source))? {
        Some(found) if !found.labels().contains_key(RUN_LABEL) => {
            Err(StageError::Occupied { kind: "Namespace", name: NAMESPACE.to_owned(), count: 1 })
        }
        _ => Ok(()),
    }
}

/// A run that goes on holds the Lease of its operator.
async fn refuse_another_run(client: &Client) -> Result<(), StageError> {
    let api = Api::<Lease>::namespaced(client.clone(), NAMESPACE);
    let leases = api.list(&ListParams::default()).await;
    for lease in leases.map_err(|source| failed("the Lease of an operator", source))? {
        let Some(spec) = lease.spec else { continue };
        let (Some(holder), Some(renewed)) = (spec.holder_identity, spec.renew_time) else {
            continue;
        };
        let lasts = SignedDuration::from_secs(spec.lease_duration_seconds.unwrap_or(15).into());
        if !holder.is_empty() && Timestamp::now().duration_since(renewed.0) < lasts {
            return Err(StageError::InUse { holder });
        }
    }
    Ok(())
}

/// Pods need a service account. Where controllers run, it appears.
pub(super) async fn make_account(client: &Client) -> Result<(), StageError> {
    let api = Api::<ServiceAccount>::namespaced(client.clone(), NAMESPACE);
    let start = Instant::now();
    while start.elapsed() < CONTROLLERS {
        let found = api.get_opt("default").await;
        if found.map_err(|source| failed("the service account of the pods", source))?.is_some() {
            return Ok(());
        }
        sleep(LOOK).await;
    }
    let account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default"},
    });
    create(&api, account).await.map(drop)
}

/// Gives the signs of life of kubelets, so that no controller takes the nodes for dead.
pub(super) async fn keep_alive(client: &Client, run: &str, names: impl Fn() -> Vec<String>) {
    let api = Api::<Lease>::namespaced(client.clone(), NODE_LEASES);
    let parameters = PatchParams::apply("playground").force();
    let mut ticks = interval(ALIVE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for name in names() {
            let now = format!("{:.6}", Timestamp::now());
            let lease = Patch::Apply(objects::lease(&name, run, &now));
            if let Err(error) = api.patch(&name, &parameters, &lease).await {
                tracing::warn!(%error, name, "a node cannot give a sign of life");
            }
        }
    }
}

/// Takes away all that runs of the playground made. The definition of `CiliumNode` stays: somebody may have begun to use it.
pub(super) async fn clear(client: &Client) -> Result<(), StageError> {
    let ours = ListParams::default().labels(RUN_LABEL);
    remove_all(&cilium_nodes(client.clone()), &ours).await?;
    remove_all(&Api::<Node>::all(client.clone()), &ours).await?;
    remove_all(&Api::<Lease>::namespaced(client.clone(), NODE_LEASES), &ours).await?;
    let namespaces = Api::<Namespace>::all(client.clone()).list_metadata(&ours).await;
    let namespaces = namespaces.map_err(|source| failed(NAMESPACE, source))?.items;
    if namespaces.iter().any(|found| found.metadata.name.as_deref() == Some(NAMESPACE)) {
        remove_namespace(client).await?;
    }
    Ok(())
}

async fn remove_all<K>(api: &Api<K>, which: &ListParams) -> Result<(), StageError>
where
    K: Clone + DeserializeOwned + Debug,
{
    let at_once = DeleteParams::default().grace_period(0);
    match api.delete_collection(&at_once, which).await {
        Err(error) if code(&error) != Some(NOT_FOUND) => Err(failed("what was made", error)),
        _ => Ok(()),
    }
}

/// Ends the namespace with what is in it: by the hands of the controllers if there are any, which takes them some seconds.
async fn remove_namespace(client: &Client) -> Result<(), StageError> {
    let (api, all) = (Api::<Namespace>::all(client.clone()), ListParams::default());
    remove_all(&Api::<Pod>::namespaced(client.clone(), NAMESPACE), &all).await?;
    remove_all(&Api::<Lease>::namespaced(client.clone(), NAMESPACE), &all).await?;
    super::delete(&api, NAMESPACE).await?;
    let (start, mut patience) = (Instant::now(), CONTROLLERS);
    while start.elapsed() < patience {
        let found = api.get_opt(NAMESPACE).await.map_err(|source| failed(NAMESPACE, source))?;
        let Some(found) = found else { return Ok(()) };
        if found.status.and_then(|status| status.conditions).is_some() {
            // A controller says what it still waits for.
            patience = NAMESPACE_ENDS;
        }
        sleep(LOOK).await;
    }
    if patience == NAMESPACE_ENDS { Ok(()) } else { end_namespace(client).await }
}

/// What controllers would do.
async fn end_namespace(client: &Client) -> Result<(), StageError> {
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), NAMESPACE);
    remove_all(&accounts, &ListParams::default()).await?;
    let ended = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE},
        "spec": {"finalizers": []},
    });
    let request = http::Request::put(format!("/api/v1/namespaces/{NAMESPACE}/finalize"))
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(ended.to_string().into_bytes())
        .map_err(|error| failed(NAMESPACE, kube::Error::HttpError(error)))?;
    match client.request::<serde_json::Value>(request).await {
        Err(error) if code(&error) != Some(NOT_FOUND) => Err(failed(NAMESPACE, error)),
        _ => Ok(()),
    }
}

fn failed(what: &str, source: kube::Error) -> StageError {
    StageError::Kubernetes { what: what.to_owned(), source: Box::new(source) }
}
