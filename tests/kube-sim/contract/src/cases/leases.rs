//! Leases, as two processes that want to be the only writer use them.

use anyhow::{Context, Result};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::case::cases;
use crate::reply::{same, same_text};
use crate::scratch::Scratch;

cases!("leases": renewal, two_holders, typed, a_replacement_creates);

async fn renewal(scratch: &Scratch<'_>) -> Result<()> {
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"},
        "spec": {
            "holderIdentity": "one", "leaseDurationSeconds": 15, "leaseTransitions": 0,
            "acquireTime": "2026-01-01T00:00:00.000000Z", "renewTime": "2026-01-01T00:00:00.000000Z",
        },
    });
    let made = scratch.post(&scratch.leases(""), &lease).await?;
    made.check("201")?;
    same("spec", made.at("/spec")?, &lease["spec"])?;
    let mut renewed = made.body.clone();
    renewed["spec"]["renewTime"] = json!("2026-01-01T00:00:05.123456Z");
    let renewed = scratch.put(&scratch.leases("l"), &renewed).await?;
    same("renewTime", renewed.at("/spec/renewTime")?, &json!("2026-01-01T00:00:05.123456Z"))?;
    // The rights to a lease are those of whoever read it last.
    scratch.put(&scratch.leases("l"), &made.body).await?.check(
        r#"409 Conflict
        Operation cannot be fulfilled on leases.coordination.k8s.io "l": the object has been modified; please apply your changes to the latest version and try again
        details: coordination.k8s.io/leases/l"#,
    )
}

async fn two_holders(scratch: &Scratch<'_>) -> Result<()> {
    let lease = json!({"metadata": {"name": "l"}, "spec": {"leaseDurationSeconds": 15}});
    let made = scratch.post(&scratch.leases(""), &lease).await?.body;
    let take = |holder: &str| {
        let mut lease = made.clone();
        lease["spec"]["holderIdentity"] = json!(holder);
        lease
    };
    let (path, one, two) = (scratch.leases("l"), take("one"), take("two"));
    let (first, second) = tokio::join!(scratch.put(&path, &one), scratch.put(&path, &two));
    let (first, second) = (first?, second?);
    let mut codes = [first.code, second.code];
    codes.sort_unstable();
    same("one of them", &json!(codes), &json!([200, 409]))?;
    let winner = if first.code == 200 { "one" } else { "two" };
    let read = scratch.get(&path).await?;
    same("holder", read.at("/spec/holderIdentity")?, &json!(winner))?;
    let loser = if first.code == 200 { &second } else { &first };
    loser.check(
        r#"409 Conflict
        Operation cannot be fulfilled on leases.coordination.k8s.io "l": the object has been modified; please apply your changes to the latest version and try again
        details: coordination.k8s.io/leases/l"#,
    )
}

async fn typed(scratch: &Scratch<'_>) -> Result<()> {
    let leases = Api::<Lease>::namespaced(scratch.client(), &scratch.ns);
    let metadata = ObjectMeta { name: Some("l".to_owned()), ..ObjectMeta::default() };
    let lease = Lease { metadata, spec: None };
    leases.create(&PostParams::default(), &lease).await?;
    let exists = leases.create(&PostParams::default(), &lease).await;
    let kube::Error::Api(status) = exists.err().context("created twice")? else {
        anyhow::bail!("no Status");
    };
    same_text(&format!("{} {}", status.code, status.reason), "409 AlreadyExists")?;
    let patch = Patch::Merge(json!({"spec": {"holderIdentity": "one"}}));
    let patched = leases.patch("l", &PatchParams::default(), &patch).await?;
    let holder = patched.spec.and_then(|spec| spec.holder_identity);
    same("holder", &json!(holder), &json!("one"))?;
    let absent = leases.get_opt("nope").await?;
    same("absent", &json!(absent.is_none()), &json!(true))
}

/// What does not exist is created, of the few kinds that allow it.
async fn a_replacement_creates(scratch: &Scratch<'_>) -> Result<()> {
    let lease = json!({"metadata": {"name": "l"}, "spec": {"holderIdentity": "one"}});
    scratch.put(&scratch.leases("x"), &lease).await?.check(
        "400 BadRequest
        the name of the object (l) does not match the name on the URL (x)",
    )?;
    let made = scratch.put(&scratch.leases("l"), &lease).await?;
    made.check("201")?;
    same("holder", made.at("/spec/holderIdentity")?, &json!("one"))?;
    scratch.put(&scratch.leases("l"), &lease).await?.check_first("422 Invalid")?;
    let mut other = lease.clone();
    other["metadata"] = json!({"name": "m", "uid": "1"});
    scratch.put(&scratch.leases("m"), &other).await?.check_first("409 Conflict")?;
    other["metadata"] = json!({"name": "m", "resourceVersion": "1"});
    scratch.put(&scratch.leases("m"), &other).await?.check("201")?;
    let event = json!({"metadata": {"name": "e"}, "involvedObject": {"namespace": scratch.ns}});
    scratch.put(&scratch.core("events/e"), &event).await?.check("201")?;
    let widget = crate::crds::widget("a");
    scratch.put(&scratch.widgets("a"), &widget).await?.check_first("404 NotFound")
}
