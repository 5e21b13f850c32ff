//! A host: a network namespace with devices as those of an instance, and the task that looks after its network.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use berth_agent::host_net::{self, Handle, NotEnsured, Observer, Options};
use ipam_core::agent::{Counts, EniFacts, EniStanding, HostView, Lease, Problems, Status};
use ipam_core::pool::{CidrUsage, Claim, GrantId, ListedCidr};
use ipnet::IpNet;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

use real::Namespace;

/// Longer than anything takes: drift is to be repaired within 5 s, and an ADD of which nothing comes is forgotten after 30 s.
const SOON: Duration = Duration::from_mins(1);
/// Between two ADDs of a pod.
const AGAIN: Duration = Duration::from_millis(100);
/// A keeper shows its status so often at least, changed or not.
const SHOWN: Duration = Duration::from_millis(200);

/// A network namespace with the primary interface of an instance.
pub(crate) struct Host {
    pub(crate) namespace: Namespace,
}

impl Host {
    pub(crate) fn new() -> Self {
        let host = Self { namespace: Namespace::new() };
        host.device("eth0", 0);
        host.run(
            "ip link set eth0 mtu 9001 up
            ip address add 10.0.1.4/24 dev eth0
            ip route add default via 10.0.1.1 dev eth0",
        );
        host
    }

    /// Makes the device of the interface with this number, as it comes: down, without address.
    pub(crate) fn device(&self, name: &str, number: u8) {
        self.run(&format!(
            "ip link add {name} address {} type veth peer name peer-{name}
            ip link set peer-{name} up",
            mac(number)
        ));
    }

    /// Runs a program inside for each line, and gives what they print.
    #[track_caller]
    pub(crate) fn run(&self, lines: &str) -> String {
        lines.lines().map(|line| self.run_line(line.trim())).collect()
    }

    #[track_caller]
    fn run_line(&self, line: &str) -> String {
        let mut words = line.split_whitespace();
        let mut inside = Command::new("nsenter");
        inside.arg(format!("--net={}", self.namespace.path())).args(words.by_ref());
        let ran = inside.output().expect("install nsenter (Debian: util-linux)");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{line}: {said}");
        String::from_utf8(ran.stdout).unwrap()
    }

    /// A line for each rule and route of Berth, in the tables 11 and 12, and for the state of the devices eth1 and eth2.
    pub(crate) fn state(&self) -> BTreeSet<String> {
        let mut state = BTreeSet::new();
        for rule in self.run("ip rule\nip -6 rule").lines().filter(|rule| rule.contains("proto 66"))
        {
            let rule = rule.replace("from all ", "").replace(" proto 66", "");
            state.insert(rule.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        for table in [11, 12] {
            let routes = self.run("ip route show table all\nip -6 route show table all");
            let table = format!("table {table} ");
            let ours =
                routes.lines().filter(|line| line.contains(&table) && line.contains("proto 66"));
            state.extend(ours.map(|line| line.replace("proto 66 ", "").trim().to_owned()));
        }
        for link in self.run("ip -oneline link").lines().filter(|link| link.contains(": eth")) {
            let name = link.split([':', '@']).nth(1).unwrap().trim();
            if name == "eth0" {
                continue;
            }
            let words: Vec<&str> = link.split_whitespace().collect();
            let up = if link.contains(",UP") || link.contains("<UP") { "up" } else { "down" };
            let mtu = words[words.iter().position(|word| *word == "mtu").unwrap() + 1];
            let addresses = self.run(&format!("ip -oneline -4 address show dev {name}"));
            let addresses = addresses.lines().filter_map(|line| line.split_whitespace().nth(3));
            let addresses: Vec<&str> = addresses.collect();
            let strict = self.run(&format!("cat /proc/sys/net/ipv4/conf/{name}/rp_filter"));
            let strict = strict.trim();
            state.insert(format!(
                "{name} {up} mtu {mtu} rp_filter {strict} {}",
                addresses.join(" ")
            ));
        }
        state
    }

    /// Waits until the state is this.
    #[track_caller]
    pub(crate) fn awaits(&self, expected: &str) {
        let expected: BTreeSet<String> = expected
            .lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect();
        let start = Instant::now();
        while self.state() != expected {
            if start.elapsed() > SOON {
                assert_eq!(self.state(), expected);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// All that is not Berth's, as `ip` shows it.
    pub(crate) fn foreign(&self) -> String {
        let all =
            self.run("ip rule\nip -6 rule\nip route show table all\nip -6 route show table all");
        let others = all.lines().filter(|line| !line.contains("proto 66"));
        // What the kernel itself adds with the primary address of an interface.
        let others = others.filter(|line| {
            !(line.contains("table local")
                || line.contains("eth1") && line.contains("proto kernel"))
        });
        others.map(str::trim).collect::<Vec<_>>().join("\n")
    }
}

fn mac(number: u8) -> String {
    format!("02:00:00:00:00:{number:02x}")
}

/// The task, on a thread inside, with a keeper that says what a test has it say.
pub(crate) struct Agent {
    handle: Handle,
    status: Arc<watch::Sender<Arc<Status>>>,
    seen: Arc<Seen>,
    runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Agent {
    pub(crate) fn start(host: &Host, said: &str) -> Self {
        Self::start_with(host, Options::default(), said)
    }

    pub(crate) fn start_with(host: &Host, options: Options, said: &str) -> Self {
        let (status, watched) = watch::channel(Arc::new(status(said)));
        let status = Arc::new(status);
        let shown = Arc::clone(&status);
        let seen = Arc::new(Seen::default());
        let (stop, stopped) = oneshot::channel();
        let observer = Arc::clone(&seen);
        let (handle, task) = host_net::start(options, watched, observer);
        let thread = host.namespace.inside(|| {
            thread::spawn(move || {
                let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    tokio::select! {
                        () = task => {}
                        () = show_again(&shown) => {}
                        _ = stopped => {}
                    }
                });
            })
        });
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { handle, status, seen, runtime, stop: Some(stop), thread: Some(thread) }
    }

    /// What the keeper shows: words like `eni 1 5` for the interface with number 1 and primary address 10.0.1.5, and `1 10.0.1.16/28` for a
    /// used CIDR of it, each in a line.
    pub(crate) fn show(&self, said: &str) {
        self.status.send_replace(Arc::new(status(said)));
    }

    /// Waits for the rules of CIDRs of the interface with this number: again and again, as a runtime repeats an ADD.
    #[track_caller]
    pub(crate) fn ensure(&self, number: u32, cidrs: &[&str]) {
        self.runtime.block_on(ensured(&self.handle, &leases(number, cidrs))).unwrap();
    }

    /// Asks for them once, and is refused.
    #[track_caller]
    pub(crate) fn refused(&self, number: u32, cidrs: &[&str]) -> NotEnsured {
        self.runtime.block_on(self.handle.ensure(&leases(number, cidrs))).unwrap_err()
    }

    /// Waits for each of many at once.
    #[track_caller]
    pub(crate) fn ensure_all(&self, number: u32, cidrs: &[String]) {
        let all = cidrs.iter().map(|cidr| {
            let (handle, leases) = (self.handle.clone(), leases(number, &[cidr]));
            self.runtime.spawn(async move { ensured(&handle, &leases).await })
        });
        let all: Vec<_> = all.collect();
        self.runtime.block_on(async {
            for one in all {
                one.await.unwrap().unwrap();
            }
        });
    }

    /// Waits until the last view is so.
    #[track_caller]
    pub(crate) fn awaits_view(&self, is_so: impl Fn(&HostView) -> bool) -> HostView {
        let start = Instant::now();
        loop {
            let last = self.seen.0.lock().unwrap().0.last().cloned();
            match last {
                Some(view) if is_so(&view) => return view,
                last => assert!(start.elapsed() < SOON, "{last:?}"),
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// How many changes were made for which cause.
    pub(crate) fn changes(&self, cause: &str) -> usize {
        let seen = self.seen.0.lock().unwrap();
        seen.1.iter().filter(|(of, _)| *of == cause).map(|(_, count)| count).sum()
    }
}

/// Asks for the rules until they are there.
async fn ensured(handle: &Handle, leases: &[Lease]) -> Result<(), NotEnsured> {
    let start = Instant::now();
    loop {
        match handle.ensure(leases).await {
            Err(_) if start.elapsed() < SOON => sleep(AGAIN).await,
            ended => return ended,
        }
    }
}

async fn show_again(status: &watch::Sender<Arc<Status>>) {
    loop {
        sleep(SHOWN).await;
        status.send_modify(|_| ());
    }
}

type Record = (Vec<HostView>, Vec<(&'static str, usize)>);

#[derive(Default)]
struct Seen(Mutex<Record>);

impl Observer for Seen {
    fn on_view(&self, view: HostView) {
        self.0.lock().unwrap().0.push(view);
    }

    fn on_changes(&self, cause: &'static str, count: usize) {
        self.0.lock().unwrap().1.push((cause, count));
    }

    fn on_ensured(&self, _result: &'static str, _took: Duration) {}
}

fn facts(number: u32) -> Arc<EniFacts> {
    Arc::new(EniFacts {
        id: format!("eni-{number}").parse().unwrap(),
        mac: mac(u8::try_from(number).unwrap()),
        number,
        subnet: Some("10.0.1.0/24".parse().unwrap()),
        vpc: vec!["10.0.0.0/16".parse().unwrap()],
    })
}

fn leases(number: u32, cidrs: &[&str]) -> Vec<Lease> {
    let eni = facts(number);
    let lease = |cidr: &&str| {
        let cidr: IpNet = cidr.parse().unwrap();
        let id = GrantId::from_u64(1);
        Lease { address: cidr.addr(), id, claim: Claim::NotNeeded, cidr, eni: Arc::clone(&eni) }
    };
    cidrs.iter().map(lease).collect()
}

fn status(said: &str) -> Status {
    let (mut enis, mut cidrs) = (Vec::new(), Vec::new());
    for line in said.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["eni", number, last] => enis.push(EniStanding {
                facts: facts(number.parse().unwrap()),
                primary: Some(Ipv4Addr::new(10, 0, 1, last.parse().unwrap())),
                carries: true,
                problem: None,
            }),
            [number, cidr] => cidrs.push(CidrUsage {
                listed: ListedCidr {
                    cidr: cidr.parse().unwrap(),
                    eni: format!("eni-{number}").parse().unwrap(),
                },
                withdrawn: false,
                free: 0,
                used: 1,
                cooling: 0,
                promised: 0,
            }),
            _ => panic!("{line}: no such thing"),
        }
    }
    Status {
        instance: None,
        families: Vec::new(),
        cidrs,
        enis,
        holdings: Vec::new(),
        waiting: 0,
        attachments: 0,
        ready: Ok(()),
        word: None,
        publishing: None,
        problems: Problems::default(),
        counts: Counts::default(),
    }
}
