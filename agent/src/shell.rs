//! What happens in which order: from the first byte of the ledger to the last.
//!
//! 1. the port for probes and metrics; 2. the CNI configuration, which is waited for if one is named; 3. what the metadata of the instance
//!    says, if it says it at once; 4. the ledger, restored; 5. the sockets, on which nobody is answered yet; 6. the DELs that plugins queued
//!    while the agent was away; 7. ADDs are answered.
//!
//! Nothing of this waits for the API server, EC2 or the operator. What speaks to them runs beside it: the instance's metadata, the
//! `CiliumNode`, the pods, the taint.
//!
//! When a part of it ends by itself, the process ends with it, so that it is started anew. When it is told to stop, it takes no more
//! requests, answers those that it has, publishes what changed last, and leaves the ledger without changes to replay.

mod conf;
mod host;
mod leftovers;
mod node;
mod report;
mod serving;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use berth_shell::http::{BindError, Bounds, bind, serve};
use berth_shell::signals::Stop;
use ipam_core::agent::AgentSettings;
use ipam_core::ids::InstanceId;
use kube::Client;
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio::time::timeout;
use tracing::info;

use crate::clock::{self, Clock};
use crate::cni_conf::CniConfError;
use crate::http::{Reception, router};
use crate::imds::{Imds, InstanceFacts};
use crate::keeper::{Keeper, KeeperOptions, KeeperThread, Outputs, Panicked, StartError};
use crate::kubernetes::OwnNode;
use crate::metrics::Metrics;
use crate::settings::{PluginSettings, Settings};
use crate::socket::{self, PrepareError, Prepared};
use conf::Conf;

/// Why the agent cannot run, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The port of probes and metrics.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The CNI configuration.
    #[error(transparent)]
    CniConf(#[from] CniConfError),
    /// The ledger.
    #[error(transparent)]
    Keeper(#[from] StartError),
    /// A socket.
    #[error(transparent)]
    Socket(#[from] PrepareError),
    /// Which boot of the machine this is cannot be read.
    #[error("cannot read which boot of the machine this is")]
    Boot(#[source] io::Error),
    /// The ledger's thread ended.
    #[error(transparent)]
    Ledger(#[from] Panicked),
    /// A part ended by itself, and nothing does its work any more.
    #[error("{part} ended by itself")]
    PartEnded {
        /// Which.
        part: &'static str,
    },
    /// A part ended by a panic.
    #[error("a part of the agent broke")]
    PartBroke(#[source] JoinError),
}

/// How long the metadata service may take before the agent starts without it: its answers take milliseconds.
const FACTS_PATIENCE: Duration = Duration::from_secs(1);

/// What ends by itself only when it is broken: each answers which it was.
type Parts = JoinSet<&'static str>;

/// Adds a part.
fn add(parts: &mut Parts, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
    parts.spawn(async move {
        work.await;
        name
    });
}

/// Is the agent until `stop` is asked for.
///
/// Dropped before that, it stops like a process that is killed, apart from the thread of the ledger: that ends by itself a little later, and
/// writes the ledger anew.
///
/// # Errors
/// It cannot start, or a part of it broke. That somebody else is away is neither: it is said and tried again.
pub async fn run(
    settings: Settings,
    clock: Clock,
    client: Client,
    stop: Stop,
) -> Result<(), RunError> {
    let metrics = Metrics::new();
    let reception = Reception::new(metrics.clone());
    let mut parts = Parts::new();
    serve_people(&settings, &reception, &mut parts).await?;
    let started = tokio::select! {
        () = stop.asked() => return Ok(()),
        started = start(settings, clock, metrics, &reception) => started?,
    };
    let keeper = started.keeper.clone();
    reception.open(keeper.clone());
    let serving = tokio::select! {
        () = stop.asked() => {
            keeper.stop();
            return Ok(());
        }
        serving = started.serve(client, parts) => serving,
    };
    serving.until(&stop).await
}

async fn serve_people(
    settings: &Settings,
    reception: &Reception<Keeper>,
    parts: &mut Parts,
) -> Result<(), RunError> {
    let listener = bind(&settings.serve.address, "--serve-address").await?;
    if let Ok(address) = listener.local_addr() {
        info!(version = env!("CARGO_PKG_VERSION"), %address, "listening");
    }
    let router = router(reception.clone(), settings.serve.metrics);
    add(
        parts,
        "the HTTP server",
        serve(listener, router, Bounds::default(), std::future::pending()),
    );
    Ok(())
}

/// An agent with its ledger and its sockets, which answers nobody yet.
struct Started {
    settings: Settings,
    conf: Conf,
    tuning: OwnNode,
    metrics: Metrics,
    imds: Imds,
    /// What the instance is, if its metadata said it at once.
    facts: Option<InstanceFacts>,
    keeper: Keeper,
    outputs: Outputs,
    thread: KeeperThread,
    listening: Listening,
}

/// Sockets at which plugins can wait, and how they will be answered.
struct Listening {
    socket: Prepared,
    cilium_socket: Option<Prepared>,
    options: socket::Options,
}

async fn start(
    settings: Settings,
    clock: Clock,
    metrics: Metrics,
    reception: &Reception<Keeper>,
) -> Result<Started, RunError> {
    reception.wait_for("the CNI configuration");
    let conf = conf::read(&settings.tuning).await?;
    reception.wait_for("the ledger to be restored");
    let imds = Imds::new(settings.node.imds.clone());
    let facts = timeout(FACTS_PATIENCE, imds.facts()).await.ok().and_then(Result::ok);
    let tuning = conf.say(facts.as_ref());
    let machine = machine(&settings, &tuning);
    let instance = facts.as_ref().map(|facts| facts.instance.clone());
    let (keeper, outputs, thread) =
        restore(&settings, machine.clone(), instance, clock, &metrics).await?;
    let listening = match listen(&settings.plugins, socket::Options::new(&machine)).await {
        Ok(listening) => listening,
        Err(error) => {
            keeper.stop();
            thread.ended().await?;
            return Err(error.into());
        }
    };
    Ok(Started { settings, conf, tuning, metrics, imds, facts, keeper, outputs, thread, listening })
}

/// Makes the sockets: Berth's, and that of Cilium's calls if there is to be one.
async fn listen(
    settings: &PluginSettings,
    options: socket::Options,
) -> Result<Listening, PrepareError> {
    let socket = socket::prepare(&settings.socket).await?;
    let cilium_socket = match &settings.cilium_socket {
        Some(path) => Some(socket::prepare(path).await?),
        None => None,
    };
    Ok(Listening { socket, cilium_socket, options })
}

async fn restore(
    settings: &Settings,
    machine: AgentSettings,
    instance: Option<InstanceId>,
    clock: Clock,
    metrics: &Metrics,
) -> Result<(Keeper, Outputs, KeeperThread), RunError> {
    let options = KeeperOptions {
        settings: machine,
        state_dir: settings.plugins.state_dir.clone(),
        instance,
        boot: clock::boot_id().map_err(RunError::Boot)?,
        clock,
        observer: Arc::new(metrics.clone()),
    };
    let started = spawn_blocking(move || Keeper::start(options)).await;
    Ok(started.map_err(RunError::PartBroke)??)
}

/// The settings of the machine, with what of them the CNI configuration says.
fn machine(settings: &Settings, tuning: &OwnNode) -> AgentSettings {
    let Settings { node, plugins, .. } = settings;
    let defaults = AgentSettings::default();
    let number = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
    let pre_allocate = number(tuning.ipam.pre_allocate).filter(|count| *count > 0);
    AgentSettings {
        contract: node.contract,
        ipv4: node.ipv4,
        ipv6: node.ipv6,
        ledger: plugins.ledger,
        pre_allocate: pre_allocate.unwrap_or(defaults.pre_allocate),
        min_allocate: number(tuning.ipam.min_allocate).unwrap_or_default(),
        max_above_watermark: number(tuning.ipam.max_above_watermark).unwrap_or_default(),
        first_interface_index: number(tuning.eni.first_interface_index).unwrap_or_default(),
        use_primary_address: tuning.eni.use_primary_address.unwrap_or_default(),
        fast_start: tuning.eni.exclude_interface_tags.is_none(),
        host_networking: settings.host.networking.is_some(),
        own: node.own.iter().copied().collect::<BTreeSet<_>>(),
        wait_max: plugins.wait_max,
        waiting_max: socket::WAITING_MAX,
        latest: node.publish_latest,
        ..defaults
    }
}
