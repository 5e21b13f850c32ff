//! The task that keeps the host's network as it should be, and what it says of it.
//!
//! It looks when the keeper's status wants something else than before, when an ADD waits, when the kernel says that somebody has changed
//! something that matters, and every 4 s in any case. It never ends: what goes wrong is said once, kept as a problem of the interfaces
//! that it concerns, and tried again.

mod aim;
mod board;
mod disputes;
mod round;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipam_core::agent::{HostView, Status};
use ipam_core::ids::EniId;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};

use self::aim::Aim;
pub use self::board::{Handle, NotEnsured};
use self::board::{Shared, Shown};
use self::disputes::Disputes;
use self::round::{Change, Last, Outcome, round};
use super::kernel::{KernelError, Netlink, Network, Thoroughness};
use super::words::{Numbers, Problem};
use crate::backoff::Backoff;

/// The kernel is looked at so often at least: not everything that it changes it tells.
const AGAIN: Duration = Duration::from_secs(4);

/// The pauses after rounds in which something was refused, or the kernel could not be asked.
const RETRIES: Backoff = Backoff::new(Duration::from_millis(100), AGAIN);

/// The pauses between a change by somebody else and the look at it: the first for the rest of it to come, the others because somebody makes
/// the same change again and again.
const SETTLING: Backoff = Backoff::new(Duration::from_millis(20), AGAIN);

/// A message names so many changes at most.
const NAMED: usize = 6;

/// How the host's network is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Berth's numbers.
    pub numbers: Numbers,
    /// The MTU of secondary interfaces; that of the primary one's device where it is not said.
    pub mtu: Option<u32>,
    /// Whether traffic of pods that leaves the VPC is masqueraded.
    pub masquerade: bool,
    /// Where the kernel's settings (sysctl) are read and written.
    pub proc_sys: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            numbers: Numbers::default(),
            mtu: None,
            masquerade: false,
            proc_sys: "/proc/sys".into(),
        }
    }
}

/// Is told what the host's network can carry, and what was done for that.
pub trait Observer: Send + Sync + 'static {
    /// Which interfaces are ready, and what keeps the others: once after the first look, and whenever it has changed.
    fn on_view(&self, view: HostView);
    /// So many changes were made, because of `wanted` (something is to be otherwise than before) or `drift` (somebody else had changed
    /// it).
    fn on_changes(&self, cause: &'static str, count: usize);
    /// An ADD's rules were `ready`, were `waited` for, or `failed`.
    fn on_ensured(&self, result: &'static str, took: Duration);
}

/// Makes the way to the task, and the task itself: a future that never ends. The network namespace that it looks after is that of the thread
/// that polls it first, which has to be that of its others too.
pub fn start(
    options: Options,
    status: watch::Receiver<Arc<Status>>,
    observer: Arc<dyn Observer>,
) -> (Handle, impl Future<Output = ()> + Send + 'static) {
    let proc_sys = options.proc_sys.clone();
    start_on(options, status, observer, move || Netlink::open(&proc_sys))
}

/// The same on any kernel, which `open` opens as often as it is lost.
fn start_on<N: Network>(
    options: Options,
    status: watch::Receiver<Arc<Status>>,
    observer: Arc<dyn Observer>,
    open: impl FnMut() -> Result<N, KernelError> + Send + 'static,
) -> (Handle, impl Future<Output = ()> + Send + 'static) {
    let shared = Arc::new(Shared::default());
    let handle = Handle { shared: Arc::clone(&shared), observer: Arc::clone(&observer) };
    let follow = Follow {
        options,
        observer,
        shared,
        status,
        open,
        network: None,
        last: None,
        view: None,
        has_failed: false,
        lost: None,
        disputes: Disputes::default(),
        retries: RETRIES,
        settling: SETTLING,
    };
    (handle, follow.run())
}

struct Follow<N, Open> {
    options: Options,
    observer: Arc<dyn Observer>,
    shared: Arc<Shared>,
    status: watch::Receiver<Arc<Status>>,
    open: Open,
    network: Option<N>,
    /// None before the first round.
    last: Option<Last>,
    view: Option<HostView>,
    /// Whether the last look came to nothing.
    has_failed: bool,
    /// Why the kernel cannot be asked, as it was said.
    lost: Option<String>,
    disputes: Disputes,
    retries: Backoff,
    settling: Backoff,
}

impl<N: Network, Open: FnMut() -> Result<N, KernelError> + Send> Follow<N, Open> {
    async fn run(mut self) {
        let mut shown = Shown::new(self.status.clone());
        let mut thoroughness = Thoroughness::Full;
        loop {
            let is_settled = self.round(&mut shown, thoroughness).await;
            thoroughness = self.rest(&mut shown, is_settled).await;
        }
    }

    /// Looks, and does what is to be done. Whether nothing is left to be tried again.
    async fn round(&mut self, shown: &mut Shown, thoroughness: Thoroughness) -> bool {
        let aim = self.shared.begin(shown, &self.options);
        let numbers = &self.options.numbers;
        let outcome = match self.network.take().map_or_else(&mut self.open, Ok) {
            Ok(mut network) => {
                let last = self.last.as_ref();
                let outcome = round(&mut network, &aim, last, numbers, thoroughness).await;
                self.network = Some(network);
                outcome
            }
            Err(error) => Err(error),
        };
        let is_settled = match outcome {
            Ok(outcome) => self.note(aim, outcome),
            Err(error) => self.fail(aim, &error),
        };
        if is_settled {
            self.retries.reset();
        }
        is_settled
    }

    fn note(&mut self, aim: Aim, outcome: Outcome) -> bool {
        let Outcome { made, repaired, problems, left } = outcome;
        self.has_failed = false;
        if self.lost.take().is_some() {
            info!("the host's network can be read again");
        }
        self.tell(&made, &repaired);
        if repaired.is_empty() {
            self.settling.reset();
        }
        let now = Instant::now();
        for Change { text, enis, .. } in repaired {
            self.disputes.note(now, text, &enis);
        }
        // Of these it is known what they wait for: nothing that is tried again sooner.
        let is_settled = left.is_empty()
            && !problems.values().any(|problem| matches!(problem, Problem::Refused { .. }));
        let lacking: BTreeSet<EniId> = problems.keys().cloned().collect();
        let ready = aim.wanted.enis.keys().filter(|eni| !lacking.contains(*eni));
        let ready: BTreeSet<EniId> = ready.cloned().collect();
        let mut texts = self.disputes.standing(now);
        let said = left.into_iter().chain(problems);
        texts.extend(said.map(|(eni, problem)| (eni, problem.to_string())));
        self.shared.end(&aim, &ready, texts.clone());
        self.show(HostView { ready, problems: texts });
        self.last = Some(Last { aim, lacking: Some(lacking) });
        is_settled
    }

    /// The kernel could not be asked: nothing is counted on until it can. Once is no reason to take interfaces out of use: a busy host changes
    /// while it is read.
    fn fail(&mut self, aim: Aim, error: &KernelError) -> bool {
        let text = format!("the host's network cannot be read: {error}");
        let enis = aim.wanted.enis.keys();
        let problems: BTreeMap<EniId, String> =
            enis.map(|eni| (eni.clone(), text.clone())).collect();
        if error.is_lost() {
            self.network = None;
        }
        self.shared.end(&aim, &BTreeSet::new(), problems.clone());
        self.last = Some(Last { aim, lacking: None });
        if !std::mem::replace(&mut self.has_failed, true) {
            debug!("{text}; it is tried again");
            return false;
        }
        if self.lost.as_ref() != Some(&text) {
            warn!("{text}; it is tried again");
        }
        self.lost = Some(text);
        self.show(HostView { ready: BTreeSet::new(), problems });
        false
    }

    fn show(&mut self, view: HostView) {
        if self.view.as_ref() != Some(&view) {
            self.view = Some(view.clone());
            self.observer.on_view(view);
        }
    }

    fn tell(&self, made: &[Change], repaired: &[Change]) {
        let (of_pods, of_node): (Vec<_>, Vec<_>) = made.iter().partition(|it| it.is_of_pods);
        if !of_node.is_empty() {
            info!("the host's network was changed: {}", list(&of_node));
        }
        if !of_pods.is_empty() {
            debug!("the host's network was changed: {}", list(&of_pods));
        }
        let repaired: Vec<_> = repaired.iter().collect();
        if !repaired.is_empty() {
            warn!("something else changed the host's network; repaired: {}", list(&repaired));
        }
        for (cause, count) in [("wanted", made.len()), ("drift", repaired.len())] {
            if count > 0 {
                self.observer.on_changes(cause, count);
            }
        }
    }

    /// Until the next round is due, and how thorough that has to be.
    async fn rest(&mut self, shown: &mut Shown, is_settled: bool) -> Thoroughness {
        let pause = if is_settled { AGAIN } else { self.retries.pause() };
        let mut due = Instant::now() + pause;
        let mut has_changed = false;
        loop {
            let network = &self.network;
            let changed = async {
                match network {
                    Some(network) if !has_changed => network.changed().await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                () = shown.changed() => {
                    let aim = self.shared.aim(shown, &self.options);
                    if self.last.as_ref().is_some_and(|last| last.aim != aim) {
                        return Thoroughness::Quick;
                    }
                }
                () = self.shared.pinned.notified() => return Thoroughness::Quick,
                () = changed => {
                    self.shared.doubt();
                    has_changed = true;
                    due = due.min(Instant::now() + self.settling.pause());
                }
                () = sleep_until(due) => return Thoroughness::Full,
            }
        }
    }
}

/// What was changed, shortened.
fn list(changes: &[&Change]) -> String {
    let mut text: Vec<&str> =
        changes.iter().take(NAMED).map(|change| change.text.as_str()).collect();
    let more = format!("{} more", changes.len().saturating_sub(NAMED));
    if changes.len() > NAMED {
        text.push(&more);
    }
    text.join("; ")
}
