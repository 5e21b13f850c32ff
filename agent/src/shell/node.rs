//! What speaks to the instance's metadata and to the API server, beside the serving of pods.

use std::time::Duration;

use ipam_core::agent::{Found, PublicationId, Published, Word};
use kube::Client;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::info;

use super::conf::Conf;
use crate::imds::{self, Imds, InstanceFacts};
use crate::keeper::Keeper;
use crate::kubernetes::{Machine, taint};
use crate::metrics::Metrics;
use crate::settings::NodeSettings;

/// Where the kernel shows its routes.
pub(super) const ROUTES: &str = "/proc/net";
/// How often it is looked whether pods can be served, until they can.
const LOOK: Duration = Duration::from_millis(200);

/// The keeper, for those who tell it what they saw. Counts on the way.
#[derive(Debug, Clone)]
pub(super) struct Listener {
    keeper: Keeper,
    metrics: Metrics,
}

impl Listener {
    pub(super) fn new(keeper: Keeper, metrics: Metrics) -> Self {
        Self { keeper, metrics }
    }
}

impl Machine for Listener {
    fn on_word(&self, word: Word) {
        self.keeper.on_word(word);
    }

    fn on_found(&self, found: Vec<Found>) {
        self.keeper.on_found(found);
    }

    fn on_published(&self, id: PublicationId, published: Published) {
        self.metrics.on_publication(match &published {
            Published::Written => "written",
            Published::Failed { .. } => "failed",
        });
        self.keeper.on_published(id, published);
    }
}

/// Follows the metadata of the instance. What it is comes first, if it is not known yet; its interfaces do not wait for that.
pub(super) async fn follow_metadata(
    imds: Imds,
    keeper: Keeper,
    conf: Conf,
    facts: watch::Sender<Option<InstanceFacts>>,
    heard: watch::Receiver<bool>,
) {
    let shown_to = keeper.clone();
    let who = async {
        if facts.borrow().is_none() {
            let known = imds::facts_at_last(&imds).await;
            conf.say_facts(&known);
            keeper.on_instance(known.instance.clone());
            facts.send_replace(Some(known));
        }
    };
    let interfaces = imds::follow(imds.clone(), move |shown| shown_to.on_metadata(shown), heard);
    tokio::join!(who, interfaces);
}

/// Removes the taint once pods can be served, or it is known why not; the scheduler then hears the reason of each that is not.
pub(super) async fn untaint(client: Client, settings: NodeSettings, keeper: Keeper) {
    let Some(key) = settings.taint else {
        return std::future::pending().await;
    };
    while keeper.status().ready.is_err() {
        sleep(LOOK).await;
    }
    taint::remove(&client, &settings.name, &key).await;
    info!(key, "the node is ready for pods");
    std::future::pending::<()>().await;
}
