//! The agent of a node: what an ADD costs inside of it, with its ledger on disk.
//!
//! `cargo bench -p benches --bench agent` prints the figures beside the goals: 110 pods, as many as a node has by default, ask at once.

#![expect(clippy::expect_used, reason = "what the benches are made of is constant")]

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use benches::goals::{Goal, print};
use berth_agent::clock::Clock;
use berth_agent::keeper::{Keeper, KeeperOptions, KeeperThread, NoObserver};
use ipam_core::agent::{
    Agent, AgentSettings, Answer, Attachment, Call, CallId, EniFacts, ShownEni, Start,
};
use ipam_core::pool::LedgerSettings;
use ipam_core::time::Tick;
use tokio::runtime::Runtime;

/// No more pods run on a node unless it is configured so (Kubernetes, "Considerations for large clusters").
const PODS: usize = 110;
/// Thousands of changes without a pause are no node's life: after so many rounds there is a moment of quiet, in which the keeper shortens
/// its ledger. Without it the ledger would be written anew in the middle of every twentieth round or so.
const ROUNDS_OF_A_BURST: usize = 8;
const REST: Duration = Duration::from_millis(70);
/// What the memory is to be measured with.
const MANY: usize = 1_000;
/// An ADD at p99, in microseconds.
const ON_DISK: f64 = 1_000.0;
const IN_MEMORY: f64 = 100.0;
/// Megabytes of the agent with [`MANY`] addresses.
const MEMORY: f64 = 25.0;

fn main() {
    // What cargo passes when benches are only tried out.
    let is_trial = std::env::args().any(|argument| argument == "--test");
    let rounds = if is_trial { 2 } else { 300 };
    let on_disk = Path::new(env!("CARGO_TARGET_TMPDIR")).join("agent-bench");
    let runtime = Runtime::new().expect("a runtime");
    let mut goals = runtime.block_on(memory(&on_disk));
    goals.extend(machine_alone(if is_trial { 10 } else { 100_000 }));
    goals.extend(runtime.block_on(at_once("on disk", &on_disk, rounds, ON_DISK)));
    let in_memory = PathBuf::from("/dev/shm").join(format!("berth-bench-{}", std::process::id()));
    if in_memory.parent().is_some_and(Path::is_dir) {
        goals.extend(runtime.block_on(at_once("on tmpfs", &in_memory, rounds, IN_MEMORY)));
    } else {
        say("an ADD on tmpfs: skipped, there is no /dev/shm");
    }
    print(&goals);
}

fn settings() -> AgentSettings {
    // Round after round, the same addresses.
    let second = Duration::from_secs(1);
    let ledger = LedgerSettings::new(Duration::ZERO, second, Duration::ZERO);
    AgentSettings { ledger: ledger.expect("settings"), ..AgentSettings::default() }
}

fn start(folder: &Path) -> (Keeper, KeeperThread) {
    let _ = fs::remove_dir_all(folder);
    let options = KeeperOptions {
        settings: settings(),
        state_dir: folder.to_owned(),
        instance: Some("i-1".parse().expect("an id")),
        boot: "a boot".to_owned(),
        clock: Clock::boot(),
        observer: Arc::new(NoObserver),
    };
    let (keeper, mut outputs, thread) = Keeper::start(options).expect("a keeper");
    tokio::spawn(async move { while outputs.publications.recv().await.is_some() {} });
    tokio::spawn(async move { while outputs.events.recv().await.is_some() {} });
    keeper.on_metadata(vec![shown()]);
    (keeper, thread)
}

/// Returns when nobody writes into the folder any more: the next keeper may have the same one.
async fn stop(keeper: Keeper, thread: KeeperThread) {
    keeper.stop();
    thread.ended().await.expect("a keeper that does not panic");
}

/// One interface with 64 prefixes.
fn shown() -> ShownEni {
    let facts = EniFacts {
        id: "eni-1".parse().expect("an id"),
        mac: "02:00:00:00:00:01".to_owned(),
        number: 0,
        subnet: Some("10.0.0.0/16".parse().expect("a CIDR")),
        vpc: vec!["10.0.0.0/16".parse().expect("a CIDR")],
    };
    let prefix = |number: u32| format!("10.0.{}.{}/28", 1 + number / 16, number % 16 * 16);
    ShownEni {
        facts,
        network_card: 0,
        primary: Some([10, 0, 0, 4].into()),
        addresses: [IpAddr::from([10, 0, 0, 4])].into(),
        prefixes: (0..64).map(|number| prefix(number).parse().expect("a CIDR")).collect(),
    }
}

fn attachment(number: usize) -> Attachment {
    Attachment {
        network: "berth".to_owned(),
        container: format!("{number:064x}"),
        interface: "eth0".to_owned(),
    }
}

fn add(number: usize) -> Call {
    Call::Add {
        attachment: attachment(number),
        pod: format!("shop/cart-{number}").parse().expect("a pod"),
        uid: Some(format!("{number:08x}-0000-4000-8000-000000000000")),
        wait: None,
    }
}

fn del(number: usize) -> Call {
    Call::Del { attachment: attachment(number) }
}

/// Calls at the same time; how long each waited for its answer.
async fn together(keeper: &Keeper, calls: Vec<Call>) -> Vec<Duration> {
    let tasks: Vec<_> = calls
        .into_iter()
        .map(|call| {
            let keeper = keeper.clone();
            tokio::spawn(async move {
                let began = Instant::now();
                let answer = keeper.call(call).await;
                let took = began.elapsed();
                assert!(!matches!(answer, Answer::Refused(_)), "{answer:?}");
                took
            })
        })
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.push(task.await.expect("a task"));
    }
    took
}

async fn at_once(place: &str, folder: &Path, rounds: usize, goal: f64) -> Vec<Goal> {
    let (keeper, thread) = start(folder);
    let (mut all, mut whole) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let adds = (0..PODS).map(add).collect();
        let began = Instant::now();
        let took = together(&keeper, adds).await;
        // The first one is not warm.
        if round > 0 {
            whole.push(began.elapsed());
            all.extend(took);
        }
        together(&keeper, (0..PODS).map(del).collect()).await;
        if round % ROUNDS_OF_A_BURST == 0 {
            tokio::time::sleep(REST).await;
        }
    }
    stop(keeper, thread).await;
    let _ = fs::remove_dir_all(folder);
    vec![
        Goal::figure(format!("ADD {place}, {PODS} at once, p50, µs"), percentile(&mut all, 50)),
        Goal::at_most(
            format!("ADD {place}, {PODS} at once, p99, µs"),
            percentile(&mut all, 99),
            goal,
        ),
        Goal::figure(format!("all {PODS} of them, p50, µs"), percentile(&mut whole, 50)),
        // What it costs when nothing else wants the processors.
        Goal::figure(format!("all {PODS} of them, the best round, µs"), percentile(&mut whole, 0)),
    ]
}

/// In microseconds.
fn percentile(durations: &mut [Duration], percent: usize) -> f64 {
    durations.sort_unstable();
    let at = (durations.len() * percent / 100).min(durations.len() - 1);
    durations[at].as_secs_f64() * 1e6
}

async fn memory(folder: &Path) -> Vec<Goal> {
    let (keeper, thread) = start(folder);
    for number in 0..MANY {
        together(&keeper, vec![add(number)]).await;
    }
    let status = fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    let kibibytes = line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number");
    stop(keeper, thread).await;
    let what = format!("memory of this process with {MANY} addresses in use, MB");
    vec![Goal::at_most(what, kibibytes * 1024.0 / 1e6, MEMORY)]
}

/// The machine without thread and disk: among many addresses in use, one more and back.
fn machine_alone(rounds: u64) -> Vec<Goal> {
    let boot = "a boot".to_owned();
    let start =
        Start { state: None, trusted: true, instance: Some("i-1".parse().expect("an id")), boot };
    let now = Tick::from_millis(1);
    let mut agent = Agent::new(settings(), start, now).expect("an agent");
    agent.on_metadata(now, vec![shown()]);
    for number in 0..MANY {
        handle(&mut agent, now, CallId(number as u64 + 1), add(number));
    }
    let calls: Vec<_> =
        (0..rounds).map(|round| (round * 2 + 10_000, add(MANY), del(MANY))).collect();
    let began = Instant::now();
    for (id, add, del) in calls {
        handle(&mut agent, now, CallId(id), add);
        handle(&mut agent, now, CallId(id + 1), del);
    }
    let each = began.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(rounds).expect("few"));
    vec![Goal::figure(format!("the machine alone, ADD and DEL among {MANY}, µs"), each)]
}

fn handle(agent: &mut Agent, now: Tick, id: CallId, call: Call) {
    agent.on_call(now, id, call);
    while let Some((record, _)) = agent.poll_record() {
        agent.on_durable(now, record);
    }
    let (answered, answer) = agent.poll_answer().expect("an answer");
    assert!(answered == id && !matches!(answer, Answer::Refused(_)), "{answer:?}");
    while agent.poll_event().is_some() {}
}

#[expect(clippy::print_stdout, reason = "what is not measured is said")]
fn say(line: &str) {
    println!("{line}");
}
