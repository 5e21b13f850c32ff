//! A keeper that says what a test has it say, and a kernel in memory.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ipam_core::agent::{Counts, EniFacts, EniStanding, HostView, Lease, Problems, Status};
use ipam_core::ids::EniId;
use ipam_core::pool::{CidrUsage, Claim, GrantId, ListedCidr};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::host_net::follow::{Handle, Observer, Options, start_on};
use crate::host_net::kernel::{KernelError, Network, Thoroughness};
use crate::host_net::plan::tests::kernel::apply;
use crate::host_net::plan::tests::world::World;
use crate::host_net::words::{Kernel, Numbers, Step, Wanted};

/// The device of the interface that carries pods.
pub(super) const PODS: &str = "device 3 eth1 02:00:00:00:00:01";

/// The rules of the CIDR that most tests use.
pub(super) const RULES: &str = "
    rule 20: to 10.0.1.16/28 table 254
    rule 111: from 10.0.1.16/28 table 11
";

pub(super) fn eni() -> EniId {
    "eni-1".parse().unwrap()
}

/// The lines of a text.
pub(super) fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// The task, with all that is around it.
pub(super) struct Bed {
    pub(super) handle: Handle,
    status: watch::Sender<Arc<Status>>,
    kernel: Arc<Memory>,
    told: Arc<Told>,
    task: AbortHandle,
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Bed {
    /// On a kernel that has the device, with a keeper that says this.
    pub(super) fn start(said: &str) -> Self {
        Self::start_on(PODS, said)
    }

    pub(super) fn start_on(world: &str, said: &str) -> Self {
        let kernel = Arc::new(Memory::default());
        kernel.state().kernel = World::parse(world).kernel;
        let (status, watched) = watch::channel(Arc::new(status(said)));
        let told = Arc::new(Told::default());
        let memory = Arc::clone(&kernel);
        let open = move || {
            memory.state().opened += 1;
            Ok(Connection(Arc::clone(&memory)))
        };
        let observer = Arc::clone(&told);
        let (handle, task) = start_on(Options::default(), watched, observer, open);
        let task = tokio::spawn(task).abort_handle();
        Self { handle, status, kernel, told, task }
    }

    /// What the keeper shows: `CIDR USED` for CIDRs of the interface, `not ready`, or `alone` for a node without one.
    pub(super) fn show(&self, said: &str) {
        self.status.send_replace(Arc::new(status(said)));
    }

    /// What was granted to an ADD.
    pub(super) fn leases(&self, cidrs: &[&str]) -> Vec<Lease> {
        let facts = Arc::clone(&self.status.borrow().enis[0].facts);
        let lease = |cidr: &&str| {
            let cidr: ipnet::IpNet = cidr.parse().unwrap();
            let id = GrantId::from_u64(1);
            let eni = Arc::clone(&facts);
            Lease { address: cidr.addr(), id, claim: Claim::NotNeeded, cidr, eni }
        };
        cidrs.iter().map(lease).collect()
    }

    pub(super) fn rules(&self) -> BTreeSet<String> {
        self.kernel.state().kernel.rules.iter().map(ToString::to_string).collect()
    }

    /// Waits until these are the rules.
    #[track_caller]
    pub(super) fn expect(&self, rules: &str) -> impl Future<Output = ()> {
        let expected = lines(rules);
        async move {
            let come = async {
                while self.rules() != expected {
                    sleep(Duration::from_millis(10)).await;
                }
                // And nothing else comes of it.
                sleep(Duration::from_millis(50)).await;
            };
            let come = timeout(Duration::from_secs(5), come).await;
            assert_eq!(self.rules(), expected, "{come:?}");
        }
    }

    /// Somebody else changes something.
    pub(super) fn change(&self, world: &str) {
        let Kernel { links, .. } = World::parse(world).kernel;
        self.kernel.state().kernel.links.extend(links);
        self.kernel.changed.notify_one();
    }

    pub(super) fn remove_rules(&self) {
        self.kernel.state().kernel.rules.clear();
        self.kernel.changed.notify_one();
    }

    /// What the kernel says to each change of rules.
    pub(super) fn refuse(&self, error: Option<&'static str>) {
        self.kernel.state().refuses = error;
    }

    pub(super) fn lose(&self, lost: bool) {
        self.kernel.state().is_lost = lost;
    }

    pub(super) fn looks(&self) -> usize {
        self.kernel.state().looks
    }

    pub(super) fn opened(&self) -> usize {
        self.kernel.state().opened
    }

    pub(super) fn told(&self) -> Record {
        self.told.0.lock().unwrap().clone()
    }
}

pub(super) fn status(said: &str) -> Status {
    let facts = EniFacts {
        id: eni(),
        mac: "02:00:00:00:00:01".to_owned(),
        number: 1,
        subnet: Some("10.0.1.0/24".parse().unwrap()),
        vpc: vec!["10.0.0.0/16".parse().unwrap()],
    };
    let standing =
        EniStanding { facts: Arc::new(facts), primary: None, carries: true, problem: None };
    let cidrs = said.split_once(' ').filter(|(cidr, _)| cidr.contains('/'));
    let usage = |(cidr, used): (&str, &str)| CidrUsage {
        listed: ListedCidr { cidr: cidr.parse().unwrap(), eni: eni() },
        withdrawn: false,
        free: 0,
        used: used.parse().unwrap(),
        cooling: 0,
        promised: 0,
    };
    Status {
        instance: None,
        families: Vec::new(),
        cidrs: cidrs.map(usage).into_iter().collect(),
        enis: if said == "alone" { Vec::new() } else { vec![standing] },
        holdings: Vec::new(),
        waiting: 0,
        attachments: 0,
        ready: if said == "not ready" { Err("the operator's word") } else { Ok(()) },
        word: None,
        publishing: None,
        problems: Problems::default(),
        counts: Counts::default(),
    }
}

/// What an observer was told.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    pub(super) views: Vec<HostView>,
    pub(super) changes: Vec<(&'static str, usize)>,
    pub(super) ensured: Vec<&'static str>,
}

#[derive(Default)]
struct Told(Mutex<Record>);

impl Observer for Told {
    fn on_view(&self, view: HostView) {
        self.0.lock().unwrap().views.push(view);
    }

    fn on_changes(&self, cause: &'static str, count: usize) {
        self.0.lock().unwrap().changes.push((cause, count));
    }

    fn on_ensured(&self, result: &'static str, _took: Duration) {
        self.0.lock().unwrap().ensured.push(result);
    }
}

/// A kernel in memory.
#[derive(Default)]
struct Memory {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    kernel: Kernel,
    refuses: Option<&'static str>,
    is_lost: bool,
    looks: usize,
    opened: usize,
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

struct Connection(Arc<Memory>);

impl Network for Connection {
    async fn observe(
        &mut self,
        _numbers: &Numbers,
        _wanted: &Wanted,
        _thoroughness: Thoroughness,
    ) -> Result<Kernel, KernelError> {
        // It takes its time, in which others do something.
        sleep(Duration::from_micros(300)).await;
        let mut state = self.0.state();
        state.looks += 1;
        if state.is_lost { Err(KernelError::Closed) } else { Ok(state.kernel.clone()) }
    }

    async fn apply(&mut self, numbers: &Numbers, step: &Step) -> Result<(), KernelError> {
        sleep(Duration::from_micros(20)).await;
        let mut state = self.0.state();
        if let (Some(error), Step::AddRule(_)) = (state.refuses, step) {
            return Err(KernelError::Refused(io::Error::other(error)));
        }
        apply(&mut state.kernel, step, numbers);
        Ok(())
    }

    async fn changed(&self) {
        self.0.changed.notified().await;
    }
}
