//! The loop around the machine: what happens goes in, what the machine wants is carried out.
//!
//! One task owns the machine and whatever writes to Kubernetes. Everything else (watches, calls to EC2, writes, the
//! election) runs beside it and sends it what came of that. The loop itself waits for nothing but the next thing to
//! happen.
//!
//! A machine lives for one *term*, from the moment the Lease is won to the moment it is lost. Then it is dropped with all
//! calls that are on their way: what came of them is for the next leader to observe.

mod feeds;
mod report;
mod term;
mod unread;
mod work;
#[cfg(test)]
mod written;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use ipam_core::reconcile::{Allowance, Mode};
use kube::Client;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::board::{Board, Readiness};
use crate::cloud::Cloud;
use crate::kubernetes::crd::{self, CrdState};
use crate::kubernetes::leader::{
    InvalidTiming, LeaderSettings, Leadership, LeaseTiming, Standing, campaign,
};
use crate::settings::{LeaseSettings, Settings};
use term::{End, Term};

/// Why the operator cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The times of the election make no sense together.
    #[error("leader election: {0}")]
    Timing(#[from] InvalidTiming),
    /// The election ended by itself.
    #[error("leader election ended by itself")]
    ElectionEnded,
    /// A watch broke.
    #[error("a watch broke, and without it nothing is seen any more")]
    WatchBroken,
}

/// How long the CRD, or the API server, may take before that is said.
const CRD_PATIENCE: Duration = Duration::from_secs(5);
/// Between two attempts to find the CRD.
const CRD_PAUSE: Duration = Duration::from_secs(5);
/// How long the end of the election may take: giving the Lease back.
const GIVE_BACK: Duration = Duration::from_secs(3);

/// Be the operator until `shutdown`: look for the CRD, wait for the Lease, and lead.
///
/// Afterwards changes that were on their way have been answered, or seven seconds have passed, and the Lease is given
/// back. Dropped before that, it stops like a process that is killed.
///
/// # Errors
/// It cannot start. What goes wrong later is said and tried again.
pub async fn run<C: Cloud>(
    settings: Settings,
    cloud: C,
    client: Client,
    board: Arc<Board>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    for notice in &settings.notices {
        warn!("{notice}");
    }
    let mode = settings.machine.mode;
    let LeaseSettings { name: lease, identity, .. } = &settings.kubernetes.lease;
    info!(?mode, lease, identity, "starting");
    board.say(|state| state.mode = Some(mode));
    let mut shutdown = pin!(shutdown);
    tokio::select! {
        () = &mut shutdown => return Ok(()),
        () = find_crd(&client, installs_crd(&settings), &board) => {}
    }
    let (leadership, election) =
        campaign(client.clone(), leader_settings(&settings.kubernetes.lease, &client)?);
    let (give_back, asked) = oneshot::channel::<()>();
    // Dropped with this future, which then leaves the Lease to run out.
    let mut elections = JoinSet::new();
    elections.spawn(election.run(async { drop(asked.await) }));
    let allowance = Allowance::new(&settings.machine, board.now());
    let office = Office { settings, cloud: Arc::new(cloud), client, board, leadership, allowance };
    tokio::select! {
        result = office.serve(&mut shutdown) => result?,
        _ended = elections.join_next() => return Err(RunError::ElectionEnded),
    }
    drop(give_back);
    if timeout(GIVE_BACK, elections.join_next()).await.is_err() {
        warn!("the Lease was not given back in time: others wait until it runs out");
    }
    info!("stopped");
    Ok(())
}

fn leader_settings(
    lease: &LeaseSettings,
    client: &Client,
) -> Result<LeaderSettings, InvalidTiming> {
    let LeaseSettings { name, namespace, identity, duration, renew_deadline, retry_period } = lease;
    Ok(LeaderSettings {
        namespace: namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned()),
        name: name.clone(),
        identity: identity.clone(),
        timing: LeaseTiming::new(*duration, *renew_deadline, *retry_period)?,
    })
}

/// Who only observes writes nothing but its Lease.
fn installs_crd(settings: &Settings) -> bool {
    settings.kubernetes.install_crd && settings.machine.mode != Mode::Observe
}

/// Until the API server serves `CiliumNode`s. An API server that is away is waited for.
async fn find_crd(client: &Client, install: bool, board: &Board) {
    let mut said = None;
    loop {
        match crd::ensure(client, install, CRD_PATIENCE).await {
            Ok(state) => return report_crd(&state, board),
            Err(error) => {
                let problem = format!("{:#}", anyhow::Error::new(error));
                if said.as_ref() != Some(&problem) {
                    warn!(problem, "waiting for the CRD of CiliumNode");
                    said = Some(problem);
                }
            }
        }
        sleep(CRD_PAUSE).await;
    }
}

fn report_crd(state: &CrdState, board: &Board) {
    match state {
        CrdState::Installed => info!("the CRD of CiliumNode was installed"),
        CrdState::Present { missing } => {
            for member in missing {
                warn!("the installed CRD of CiliumNode lacks {member}");
            }
            board.say(|state| state.crd_lacks = missing.len());
        }
        CrdState::NotReadable => {
            warn!("the CRD of CiliumNode may not be read: whether it lacks members is not known");
        }
    }
}

/// What stays from term to term.
struct Office<C> {
    settings: Settings,
    cloud: Arc<C>,
    client: Client,
    board: Arc<Board>,
    leadership: Leadership,
    allowance: Allowance,
}

impl<C: Cloud> Office<C> {
    /// Stands by and leads in turn, until `shutdown`.
    async fn serve(
        mut self,
        shutdown: &mut Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), RunError> {
        loop {
            self.board.say(|state| state.readiness = Readiness::Standby);
            let standing = tokio::select! {
                () = &mut *shutdown => return Ok(()),
                standing = self.leadership.changed() => standing,
            };
            match standing {
                Standing::Leading => match self.lead(shutdown).await {
                    End::Shutdown => return Ok(()),
                    End::Broken => return Err(RunError::WatchBroken),
                    End::Lost => {}
                },
                Standing::Following { holder, problem } => say_who_leads(holder, problem),
                Standing::Unknown => {}
            }
        }
    }

    async fn lead(&mut self, shutdown: &mut Pin<&mut impl Future<Output = ()>>) -> End {
        info!("this replica leads");
        let watch_pods = self.settings.kubernetes.watch_pods;
        self.board.say(|state| {
            state.readiness = Readiness::Observing;
            state.pods_watched = watch_pods.then_some(true);
        });
        let mut term = Term::new(self);
        let end = term.serve(&mut self.leadership, shutdown).await;
        self.allowance = term.into_allowance();
        if end == End::Lost {
            warn!("the Lease is lost: everything is dropped, and nothing more is changed");
        }
        self.board.forget_term();
        end
    }
}

fn say_who_leads(holder: Option<String>, problem: Option<String>) {
    match (holder, problem) {
        (_, Some(problem)) => warn!(problem, "the Lease cannot be had"),
        (Some(holder), None) => info!(holder, "another replica leads"),
        (None, None) => info!("nobody leads yet"),
    }
}
