//! Where ADDs that wait for their rules meet the task that makes them.
//!
//! The promise: after [`Handle::ensure`] has returned, the rules of these CIDRs are in the kernel, and stay there for as long as the address is
//! held. It needs no lock over what the kernel does, since there are three orders under the one of the board:
//!
//! * A round takes what it wants, and at once what it may remove is `there` no more. So an ADD finds a CIDR `there` only when no round that is
//!   under way removes its rules; otherwise it waits for a later one.
//! * An ADD pins its CIDRs in the moment in which it looks. So each round that begins later wants them.
//! * A pin goes when the keeper's status shows a used address in its CIDR. The status is never read before the pins: it is the last that was
//!   shown, and all that are shown later were made after the address was granted, and show it until it is given back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipam_core::agent::{Lease, Status};
use ipam_core::ids::EniId;
use ipnet::IpNet;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::aim::{self, Aim};
use super::{Observer, Options};

/// How long an ADD waits for its rules. Whoever called it tries again. Less than what the sockets allow beyond the wait for an address, so that
/// the reason is answered, and not that none came.
const PATIENCE: Duration = Duration::from_secs(3);

/// A pin goes when a status that came so long after it does not show its address used: it was given back before any did.
const PIN_LIFE: Duration = Duration::from_secs(30);

/// Why an address cannot be used yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the host's network is not ready for {cidr} of {eni} after {} s: {problem}", PATIENCE.as_secs())]
pub struct NotEnsured {
    /// A CIDR whose rules are not there.
    pub cidr: IpNet,
    /// The interface it is on.
    pub eni: EniId,
    /// What is known to be in the way.
    pub problem: String,
}

/// The way to the task. Clones are cheap.
#[derive(Clone)]
pub struct Handle {
    pub(super) shared: Arc<Shared>,
    pub(super) observer: Arc<dyn Observer>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl Handle {
    /// Waits until the rules of these addresses are in the kernel, for at most 3 s. They stay for as long as the addresses are held.
    ///
    /// # Errors
    /// [`NotEnsured`]: they are not.
    pub async fn ensure(&self, leases: &[Lease]) -> Result<(), NotEnsured> {
        let began = Instant::now();
        let mut rounds = self.shared.rounds.subscribe();
        if self.shared.pin(leases) {
            self.observer.on_ensured("ready", began.elapsed());
            return Ok(());
        }
        self.shared.pinned.notify_one();
        let there = async {
            // The sender is part of what this handle holds.
            while rounds.changed().await.is_ok() && !self.shared.board().has(leases) {}
        };
        let result = match timeout(PATIENCE, there).await {
            Ok(()) => Ok(()),
            Err(_) => self.shared.board().why_not(leases),
        };
        let word = if result.is_ok() { "waited" } else { "failed" };
        self.observer.on_ensured(word, began.elapsed());
        result
    }
}

/// What the task and the handles have together.
pub(super) struct Shared {
    board: Mutex<Board>,
    /// Somebody waits for the task.
    pub(super) pinned: Notify,
    /// How many rounds have ended.
    rounds: watch::Sender<u64>,
}

/// What is known of the rules.
#[derive(Default)]
struct Board {
    pins: BTreeMap<IpNet, Pin>,
    /// CIDRs whose rules are all in the kernel, and the interface they are for. No round that is under way removes one of these.
    there: BTreeMap<IpNet, EniId>,
    problems: BTreeMap<EniId, String>,
    /// Whether the keeper has once known all that is used.
    knows_all: bool,
}

struct Pin {
    eni: EniId,
    since: Instant,
}

impl Default for Shared {
    fn default() -> Self {
        let rounds = watch::Sender::new(0);
        Self { board: Mutex::default(), pinned: Notify::new(), rounds }
    }
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pins these CIDRs, and says whether their rules are there.
    fn pin(&self, leases: &[Lease]) -> bool {
        let mut board = self.board();
        let since = Instant::now();
        for lease in leases {
            board.pins.insert(lease.cidr, Pin { eni: lease.eni.id.clone(), since });
        }
        board.has(leases)
    }

    /// What is wanted by now. `status` is read while no pin can come.
    pub(super) fn aim(&self, status: &mut Shown, options: &Options) -> Aim {
        self.board().aim(status, options)
    }

    /// The same, for a round that begins: what is not wanted is not counted on any more.
    pub(super) fn begin(&self, status: &mut Shown, options: &Options) -> Aim {
        let mut board = self.board();
        let aim = board.aim(status, options);
        board.there.retain(|cidr, eni| aim.wanted.used.get(cidr) == Some(eni));
        aim
    }

    /// Nothing is counted on until the next round has ended: somebody has changed something.
    pub(super) fn doubt(&self) {
        self.board().there.clear();
    }

    /// A round has ended. `ready` are the interfaces whose rules are all there.
    pub(super) fn end(
        &self,
        aim: &Aim,
        ready: &BTreeSet<EniId>,
        problems: BTreeMap<EniId, String>,
    ) {
        let used = aim.wanted.used.iter().filter(|(_, eni)| ready.contains(*eni));
        let there = used.map(|(cidr, eni)| (*cidr, eni.clone())).collect();
        let mut board = self.board();
        board.there = there;
        board.problems = problems;
        drop(board);
        self.rounds.send_modify(|rounds| *rounds = rounds.wrapping_add(1));
    }
}

impl Board {
    fn has(&self, leases: &[Lease]) -> bool {
        leases.iter().all(|lease| self.there.get(&lease.cidr) == Some(&lease.eni.id))
    }

    fn why_not(&self, leases: &[Lease]) -> Result<(), NotEnsured> {
        let missing =
            leases.iter().find(|lease| self.there.get(&lease.cidr) != Some(&lease.eni.id));
        let Some(lease) = missing else { return Ok(()) };
        let known = self.problems.get(&lease.eni.id).cloned();
        let problem = known.unwrap_or_else(|| "its rules could not be made yet".to_owned());
        Err(NotEnsured { cidr: lease.cidr, eni: lease.eni.id.clone(), problem })
    }

    fn aim(&mut self, shown: &mut Shown, options: &Options) -> Aim {
        let status = shown.last();
        self.knows_all |= status.ready.is_ok();
        let used = status.cidrs.iter().filter(|usage| usage.used > 0);
        let used: BTreeSet<IpNet> = used.map(|usage| usage.listed.cidr).collect();
        self.pins.retain(|cidr, pin| {
            !used.contains(cidr) && shown.at.saturating_duration_since(pin.since) < PIN_LIFE
        });
        let pinned = self.pins.iter().map(|(cidr, pin)| (*cidr, pin.eni.clone())).collect();
        Aim { wanted: aim::wanted(&status, &pinned, options), spares: !self.knows_all }
    }
}

/// The keeper's status, and when it came.
pub(super) struct Shown {
    status: watch::Receiver<Arc<Status>>,
    at: Instant,
}

impl Shown {
    pub(super) fn new(status: watch::Receiver<Arc<Status>>) -> Self {
        Self { status, at: Instant::now() }
    }

    /// Until there is another one: for ever, once the keeper has ended.
    pub(super) async fn changed(&mut self) {
        if self.status.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.at = Instant::now();
    }

    fn last(&mut self) -> Arc<Status> {
        if self.status.has_changed().unwrap_or(false) {
            self.at = Instant::now();
        }
        Arc::clone(&self.status.borrow_and_update())
    }
}
