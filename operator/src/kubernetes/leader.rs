//! Leader election over the API: the shell of [`super::lease`].

use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use berth_shell::problem::chain;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::lease::{Decision, SeenLease, decide, given_back, in_place_of};
pub use super::lease::{InvalidTiming, LeaseTiming};

/// How long giving the lease back may take.
const GIVE_BACK: Duration = Duration::from_secs(2);

/// Which lease is wanted, and by whom.
#[derive(Debug, Clone)]
pub struct LeaderSettings {
    /// Its namespace.
    pub namespace: String,
    /// Its name: `berth-operator` unless two operators run in one cluster on purpose.
    pub name: String,
    /// Who wants it; see [`identity`].
    pub identity: String,
    /// How long things take.
    pub timing: LeaseTiming,
}

/// A name for this process that no other has: that of its pod, or else of the machine, and random letters.
#[must_use]
pub fn identity(pod_name: Option<&str>) -> String {
    let name = pod_name.filter(|name| !name.is_empty()).unwrap_or("berth-operator");
    let mut random = RandomState::new().build_hasher();
    random.write_u32(std::process::id());
    format!("{name}_{:016x}", random.finish())
}

/// Whether this process leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Standing {
    /// It does not know yet.
    #[default]
    Unknown,
    /// It leads.
    Leading,
    /// It does not.
    Following {
        /// Who does, as far as that is known.
        holder: Option<String>,
        /// Why nothing is known or could be done, if that is so.
        problem: Option<String>,
    },
}

#[derive(Debug, Clone, Default)]
struct State {
    standing: Standing,
    /// Until when the process may act; in the past once it leads no more.
    until: Option<Instant>,
}

/// What the election says, for everybody who must know. Clones see the same.
#[derive(Debug, Clone)]
pub struct Leadership {
    state: watch::Receiver<State>,
    said: Standing,
}

impl Leadership {
    /// Until when this process leads for certain: no change may be sent to EC2 after that. `None` while it does not lead.
    #[must_use]
    pub fn leads_until(&self) -> Option<Instant> {
        self.state.borrow().until.filter(|until| Instant::now() < *until)
    }

    /// Whether this process leads now.
    #[must_use]
    pub fn is_leading(&self) -> bool {
        self.leads_until().is_some()
    }

    /// What was found out last.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.state.borrow().standing.clone()
    }

    /// Waits until the standing is another than the one that was answered here last. When the campaign has ended, it
    /// answers that nobody leads, and then never again.
    pub async fn changed(&mut self) -> Standing {
        loop {
            let standing = self.state.borrow_and_update().standing.clone();
            if standing != self.said {
                self.said = standing;
                return self.said.clone();
            }
            if self.state.changed().await.is_err() {
                let ended = Standing::Following { holder: None, problem: None };
                if self.said == Standing::Leading {
                    self.said = ended;
                    return self.said.clone();
                }
                std::future::pending::<()>().await;
            }
        }
    }
}

/// The attempt to lead, for as long as it runs.
#[derive(Debug)]
pub struct Campaign {
    leases: Api<Lease>,
    settings: LeaderSettings,
    state: watch::Sender<State>,
    seen: Option<SeenLease>,
    /// Whether `seen` is what was read or written last, so that it can be written over without reading again.
    is_current: bool,
    holds_until: Option<Instant>,
}

/// An election: what it says, and what must be run for it to say anything.
#[must_use]
pub fn campaign(client: Client, settings: LeaderSettings) -> (Leadership, Campaign) {
    let (sender, receiver) = watch::channel(State::default());
    let leases = Api::namespaced(client, &settings.namespace);
    let campaign = Campaign {
        leases,
        settings,
        state: sender,
        seen: None,
        is_current: false,
        holds_until: None,
    };
    (Leadership { state: receiver, said: Standing::Unknown }, campaign)
}

/// Why a round did not succeed.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error("the lease could not be read or written")]
    Api(#[from] kube::Error),
    #[error("no answer from the API server in time")]
    NoAnswer,
}

impl Campaign {
    /// Takes the lease and keeps it, until `shutdown` ends; then it gives the lease back. Whoever leads
    /// lets `shutdown` end after its last change was answered.
    ///
    /// Dropped before that, the lease is left to run out.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        {
            let mut shutdown = std::pin::pin!(shutdown);
            loop {
                tokio::select! {
                    () = &mut shutdown => break,
                    () = self.round_and_pause() => {}
                }
            }
        }
        self.give_back().await;
    }

    async fn round_and_pause(&mut self) {
        let start = Instant::now();
        let retry = self.settings.timing.retry();
        // A holder whose requests hang says so when its time is over, not when they end. What hangs is given up before
        // the next renewal would be too late.
        let patience = self.settings.timing.renew_deadline() / 2;
        let give_up =
            self.holds_until.map_or(start + patience, |until| until.min(start + patience));
        let result = timeout_at(give_up, self.round(start)).await;
        match result.unwrap_or(Err(RoundError::NoAnswer)) {
            Ok(()) => self.say(None),
            Err(error) => {
                self.is_current = false;
                self.say(Some(chain(&error)));
            }
        }
        let next = start + retry;
        match self.holds_until.filter(|until| *until < next) {
            Some(end) => {
                sleep_until(end).await;
                self.say(None);
            }
            None => sleep_until(next).await,
        }
    }

    /// Keeps the lease or tries to get it. Who was beaten looks at once by whom: a holder that has lost its lease must not go
    /// on until its time is over.
    async fn round(&mut self, start: Instant) -> Result<(), RoundError> {
        if self.attempt(start).await? {
            return Ok(());
        }
        self.attempt(start).await.map(drop)
    }

    /// Reads the lease where it is not known, decides, and writes. Answers whether nobody was faster.
    async fn attempt(&mut self, start: Instant) -> Result<bool, RoundError> {
        let me = self.settings.identity.clone();
        let is_mine = self.seen.as_ref().is_some_and(|seen| seen.holder() == Some(me.as_str()));
        if !(self.is_current && is_mine) {
            self.read().await?;
        }
        let time = MicroTime(Timestamp::now());
        let decision = decide(self.seen.as_ref(), &me, self.settings.timing, Instant::now(), &time);
        // Until the answer is there, nobody knows what the lease is: this may be cut off here.
        let was_current = std::mem::take(&mut self.is_current);
        let written = match decision {
            Decision::Wait => {
                self.is_current = was_current;
                self.holds_until = None;
                return Ok(true);
            }
            Decision::Create(spec) => self.create(spec).await,
            Decision::Take(spec) | Decision::Renew(spec) => self.replace(spec).await,
        };
        let kept = self.keep(written?);
        if kept {
            self.holds_until = Some(start + self.settings.timing.renew_deadline());
        }
        Ok(kept)
    }

    async fn read(&mut self) -> Result<(), RoundError> {
        let lease = self.leases.get_opt(&self.settings.name).await?;
        let before = self.seen.take();
        self.seen = lease.map(|lease| SeenLease::new(lease, before.as_ref(), Instant::now()));
        self.is_current = true;
        Ok(())
    }

    async fn create(&self, spec: LeaseSpec) -> Result<Option<Lease>, kube::Error> {
        let name = Some(self.settings.name.clone());
        let metadata = ObjectMeta { name, ..ObjectMeta::default() };
        let lease = Lease { metadata, spec: Some(spec) };
        unless_beaten(self.leases.create(&PostParams::default(), &lease).await, &[409])
    }

    async fn replace(&self, spec: LeaseSpec) -> Result<Option<Lease>, kube::Error> {
        let Some(seen) = &self.seen else { return Ok(None) };
        let lease = in_place_of(seen, spec);
        let name = &self.settings.name;
        unless_beaten(self.leases.replace(name, &PostParams::default(), &lease).await, &[404, 409])
    }

    /// Notes what was written. Answers whether it was.
    fn keep(&mut self, written: Option<Lease>) -> bool {
        self.is_current = written.is_some();
        let Some(lease) = written else { return false };
        self.seen = Some(SeenLease::new(lease, None, Instant::now()));
        true
    }

    /// Tells everybody how it stands.
    fn say(&mut self, problem: Option<String>) {
        let now = Instant::now();
        self.holds_until = self.holds_until.filter(|until| now < *until);
        let standing = if self.holds_until.is_some() {
            Standing::Leading
        } else {
            let holder = self.seen.as_ref().and_then(SeenLease::holder).map(str::to_owned);
            Standing::Following { holder, problem }
        };
        self.state.send_replace(State { standing, until: self.holds_until });
    }

    async fn give_back(&mut self) {
        let held = self.holds_until.take().is_some();
        self.say(None);
        if !held {
            return;
        }
        let lease = async {
            if !self.is_current {
                self.read().await?;
            }
            let me = self.settings.identity.as_str();
            let Some(seen) = self.seen.as_ref().filter(|seen| seen.holder() == Some(me)) else {
                return Ok(None);
            };
            self.replace(given_back(seen, &MicroTime(Timestamp::now())))
                .await
                .map_err(RoundError::from)
        };
        // Whether it worked or not: without it, the others wait until the lease runs out.
        if let Ok(Err(error)) = timeout(GIVE_BACK, lease).await {
            tracing::info!(error = %chain(&error), "the lease was not given back");
        }
    }
}

/// `None` when somebody else was faster, which the codes in `beaten` say.
fn unless_beaten(
    result: Result<Lease, kube::Error>,
    beaten: &[u16],
) -> Result<Option<Lease>, kube::Error> {
    match result {
        Ok(lease) => Ok(Some(lease)),
        Err(kube::Error::Api(status)) if beaten.contains(&status.code) => Ok(None),
        Err(error) => Err(error),
    }
}
