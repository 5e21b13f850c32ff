//! Events on nodes.

use berth_operator::kubernetes::events::NodeEvents;
use ipam_core::reason::{Blocked, Reason};
use ipam_core::time::Tick;
use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::api::ListParams;
use kube_sim::KubeSim;

#[tokio::test(start_paused = true)]
async fn events_are_sent_once_for_a_reason() {
    let sim = KubeSim::default();
    let events = NodeEvents::new(sim.client("operator"), "berth-operator-0".into());
    let node = crate::bed::name("n");
    let blocked = Blocked { reason: Reason::NoSubnet, short: 3 };
    for second in 0..100 {
        events.blocked(Tick::from_millis(second * 1000), &node, &blocked).await;
    }
    events.unblocked(Tick::from_millis(100_000), &node).await;
    let found = Api::<Event>::all(sim.client("kubectl"));
    let found = found.list(&ListParams::default()).await.expect("a list").items;
    let mut found: Vec<_> = found
        .into_iter()
        .map(|it| {
            (
                it.type_.unwrap_or_default(),
                it.reason.unwrap_or_default(),
                it.message.unwrap_or_default(),
            )
        })
        .collect();
    found.sort();
    let warning = ("Warning".to_owned(), blocked.reason.label().to_owned(), blocked.to_string());
    let normal = (
        "Normal".to_owned(),
        "AddressesAvailable".to_owned(),
        "the node gets the addresses it needs".to_owned(),
    );
    assert_eq!(found, [normal, warning]);
}
