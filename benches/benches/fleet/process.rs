//! The program in a process of its own, in real time: its processor time and its memory.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use benches::goals::Goal;
use ec2_sim::face::http::Server;

use crate::world::{ARGUMENTS, World};

/// Names a release build of the program.
const PROGRAM: &str = "BERTH_OPERATOR";
/// Processor time of the whole scale-up, in seconds.
const CPU_SECONDS: f64 = 2.0;
/// Memory at its highest, in megabytes.
const MEMORY: f64 = 120.0;
/// What the kernel counts processor time in, per second.
const TICKS: f64 = 100.0;

/// Lets the program fill the nodes. Nothing is measured, and that is said, when there is no program.
pub(crate) fn measure(nodes: usize) -> Vec<Goal> {
    let Some(program) = std::env::var_os(PROGRAM) else {
        say(
            "the program's processor time and memory: skipped, BERTH_OPERATOR names no release build of berth-operator",
        );
        return Vec::new();
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let world = World::new(nodes, 0);
        let any_port = ([127, 0, 0, 1], 0).into();
        let ec2 = Server::start(any_port, world.ec2.clone()).await.expect("a port");
        let kube = kube_sim::Server::start(world.kube.clone(), any_port).await.expect("a port");
        let kubeconfig = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fleet-kubeconfig");
        std::fs::write(&kubeconfig, kube.kubeconfig("berth-operator")).expect("a file");
        let mut operator = Operator::start(&program, &format!("http://{}", ec2.addr), &kubeconfig);
        tokio::time::sleep(Duration::from_secs(5)).await;
        let (began, before) = (Instant::now(), operator.cpu_seconds());
        world.create_nodes().await;
        let mut waiting: BTreeSet<usize> = (0..nodes).collect();
        while !waiting.is_empty() {
            assert!(began.elapsed() < Duration::from_mins(20), "{} nodes wait", waiting.len());
            assert!(operator.runs(), "the program ended");
            tokio::time::sleep(Duration::from_millis(500)).await;
            waiting = world.short(waiting);
        }
        let took = began.elapsed().as_secs_f64();
        let cpu = operator.cpu_seconds() - before;
        vec![
            Goal::figure(format!("the program, {nodes} fresh nodes, seconds"), took),
            Goal::at_most("  its processor time, seconds", cpu, CPU_SECONDS),
            Goal::at_most("  its memory at most, MB", operator.most_memory(), MEMORY),
        ]
    })
}

/// The program; killed when this is dropped.
struct Operator(Child);

impl Operator {
    fn start(program: &OsString, ec2: &str, kubeconfig: &Path) -> Self {
        let mut command = Command::new(program);
        command.arg("run").args(ARGUMENTS).args(["--ec2-api-endpoint", ec2, "--kubeconfig"]);
        command.arg(kubeconfig).args(["--operator-prometheus-serve-addr", "127.0.0.1:0"]);
        // It would take every variable that begins with BERTH_ for a setting of its own.
        command.env_clear();
        command.env("AWS_ACCESS_KEY_ID", "bench").env("AWS_SECRET_ACCESS_KEY", "bench");
        Self(command.spawn().expect("BERTH_OPERATOR names a program"))
    }

    fn runs(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    fn cpu_seconds(&self) -> f64 {
        let stat = self.file("stat");
        // The second field is the name in parentheses, and may have spaces in it.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let times = fields.skip(11).take(2).map(|field| field.parse::<f64>().expect("a number"));
        times.sum::<f64>() / TICKS
    }

    fn most_memory(&self) -> f64 {
        let status = self.file("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
        let kibibytes = line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number");
        kibibytes * 1024.0 / 1e6
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.0.id())).expect("a live process")
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::print_stdout, reason = "what is not measured is said")]
fn say(line: &str) {
    println!("{line}");
}
