//! A node: a network namespace with the uplink of an instance, its metadata service, and Berth's agent.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use ec2_sim::Ec2;
use ec2_sim::face::http::Server as Ec2Server;
use ec2_sim::face::shared::Shared;
use ec2_sim::spec::Spec;
use real::{Running, cni_programs, program};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::pod::{Network, said};
use crate::report::Report;
use real::Namespace;

/// Many times what anything here takes on a busy machine.
pub(crate) const SOON: Duration = Duration::from_mins(1);

const CONFIGURATION: &str = "../../deploy/cni/10-berth.conflist";
const INSTANCE: &str = "i-0000000a";

/// Programs that a node needs, all built or installed.
pub(crate) struct Programs {
    agent: PathBuf,
    plugins: Vec<PathBuf>,
}

impl Programs {
    /// To be called outside of a namespace without a way to the registries.
    pub(crate) fn ready() -> &'static Self {
        static PROGRAMS: OnceLock<Programs> = OnceLock::new();
        PROGRAMS.get_or_init(|| {
            let plugin = program("berth-cni").unwrap();
            let plugins = vec![cni_programs().unwrap(), plugin.parent().unwrap().to_owned()];
            Self { agent: program("berth-agent").unwrap(), plugins }
        })
    }
}

/// A node with an agent that runs or not. Its pods are namespaces beside it.
pub(crate) struct Node {
    programs: &'static Programs,
    folder: TempDir,
    kubeconfig: PathBuf,
    ec2: Shared,
    ec2_server: Ec2Server,
    agent: Mutex<Option<Running>>,
    starts: AtomicUsize,
    /// EC2 answers for as long as this is there.
    _runtime: Runtime,
}

/// Gives `test` a node that was launched with so many prefixes of 16 addresses. The whole test is inside the node's namespace.
pub(crate) fn on_a_node(prefixes: usize, test: impl FnOnce(&Node) + Send) {
    let programs = Programs::ready();
    let namespace = Namespace::new();
    namespace.inside(|| test(&Node::launched(programs, prefixes)));
}

impl Node {
    fn launched(programs: &'static Programs, prefixes: usize) -> Self {
        add_uplink();
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let spec = Spec::parse("node", &world(prefixes)).unwrap();
        let mut world = Ec2::new(spec.settings().unwrap());
        spec.populate(&mut world).unwrap();
        let ec2 = Shared::new(world);
        let server = Ec2Server::start(([127, 0, 0, 1], 0).into(), ec2.clone());
        let ec2_server = runtime.block_on(server).unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        // Nobody listens on the first port.
        fs::write(&kubeconfig, kubeconfig_of("http://127.0.0.1:1")).unwrap();
        let (agent, starts) = (Mutex::new(None), AtomicUsize::new(0));
        Self { programs, folder, kubeconfig, ec2, ec2_server, agent, starts, _runtime: runtime }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where EC2 answers.
    pub(crate) fn ec2_endpoint(&self) -> String {
        format!("http://{}", self.ec2_server.addr)
    }

    /// Where EC2's truth contradicts itself: `[]` when it does not.
    pub(crate) fn ec2_audit(&self) -> String {
        format!("{:?}", self.ec2.with(|ec2, _| ec2.audit()))
    }

    /// Lets agents that are started from now on speak to this cluster.
    pub(crate) fn join(&self, kubeconfig: &str) {
        fs::write(&self.kubeconfig, kubeconfig).unwrap();
    }

    /// Starts the agent, as its manifest does: without any capability. It need not serve yet.
    pub(crate) fn start_agent(&self, arguments: &[&str]) {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]);
        command.arg(&self.programs.agent).args(["run", "--node-name", "node-0"]);
        command.args(["--address-cool-down", "0s", "--serve-address", "127.0.0.1:0"]);
        // Without a capability it cannot set up the host's network; the suite `cluster` has it do that.
        command.arg("--host-networking=off");
        command.arg("--imds-endpoint").arg(format!("{}/_imds/{INSTANCE}", self.ec2_endpoint()));
        command.arg("--kubeconfig").arg(&self.kubeconfig);
        command.arg("--state-dir").arg(self.path("state"));
        command.arg("--socket-path").arg(self.path("agent.sock"));
        command.arg("--queue-dir").arg(self.path("deletions"));
        command.args(arguments);
        command.env_remove("BERTH_CI_CACHE").env_remove("BERTH_KUBECONFIG");
        let number = self.starts.fetch_add(1, Ordering::Relaxed);
        let log = self.path(&format!("agent-{number}.log"));
        let running = Running::start(&command, &log).expect("install setpriv (Debian: util-linux)");
        *self.agent.lock().unwrap() = Some(running);
    }

    /// Starts the agent and waits until it serves pods.
    #[track_caller]
    pub(crate) fn serve(&self, arguments: &[&str]) {
        self.start_agent(arguments);
        self.await_ready();
    }

    /// Waits until the agent serves pods.
    #[track_caller]
    pub(crate) fn await_ready(&self) {
        self.await_report("the agent does not serve", Report::is_ready);
    }

    /// Waits until the agent says so.
    #[track_caller]
    pub(crate) fn await_report(&self, otherwise: &str, holds: impl Fn(&Report) -> bool) -> Report {
        let deadline = Instant::now() + SOON;
        loop {
            let said = self.ask();
            match said {
                Ok(report) if holds(&report) => return report,
                _ if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(50)),
                said => panic!("{otherwise}: {said:?}\n{}", self.log()),
            }
        }
    }

    /// Waits until the agent says that the pods `default/NAME` have these addresses, and nobody else has one. It looks at itself ten
    /// times a second.
    #[track_caller]
    pub(crate) fn await_pods(&self, pods: &BTreeMap<Ipv4Addr, String>) -> Report {
        let named = |(address, name): (&Ipv4Addr, &String)| (*address, format!("default/{name}"));
        let owners: BTreeMap<Ipv4Addr, String> = pods.iter().map(named).collect();
        self.await_report(&format!("not in use as {owners:?}"), |report| report.owners() == owners)
    }

    fn ask(&self) -> Result<Report, String> {
        let mut command = Command::new(&self.programs.agent);
        command.args(["status", "--output", "json", "--socket-path"]).arg(self.path("agent.sock"));
        command.env_remove("BERTH_CI_CACHE").env_remove("BERTH_KUBECONFIG");
        let output = command.output().unwrap();
        // 3: it answers and is not ready.
        if matches!(output.status.code(), Some(0 | 3)) {
            return Ok(Report(serde_json::from_slice(&output.stdout).unwrap()));
        }
        said(&output).map(Report)
    }

    /// What the agent that was started last has logged.
    pub(crate) fn log(&self) -> String {
        let number = self.starts.load(Ordering::Relaxed).saturating_sub(1);
        fs::read_to_string(self.path(&format!("agent-{number}.log"))).unwrap_or_default()
    }

    /// Kills the agent.
    #[track_caller]
    pub(crate) fn kill_agent(&self) {
        let mut running = self.agent.lock().unwrap().take().unwrap();
        running.signal("KILL").unwrap();
        let ended = running.ended(SOON).unwrap();
        assert_eq!(ended.and_then(|status| status.code()), Some(128 + 9), "{}", self.log());
    }

    /// Asks the agent to end, as a kubelet does.
    #[track_caller]
    pub(crate) fn stop_agent(&self) {
        let mut running = self.agent.lock().unwrap().take().unwrap();
        running.signal("TERM").unwrap();
        let ended = running.ended(SOON).unwrap();
        assert_eq!(ended.and_then(|status| status.code()), Some(0), "{}", self.log());
    }

    /// The configuration that is shipped, with the places of this node.
    pub(crate) fn configuration(&self) -> Value {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join(CONFIGURATION);
        let mut list: Value = serde_json::from_str(&fs::read_to_string(shipped).unwrap()).unwrap();
        list["name"] = json!(format!("berth-{}", self.ec2_server.addr.port()));
        let ipam = &mut list["plugins"][0]["ipam"];
        ipam["agent-socket"] = json!(self.path("agent.sock"));
        ipam["queue-dir"] = json!(self.path("deletions"));
        list
    }

    /// The network of the pods, with its main plugin.
    pub(crate) fn network(&self) -> Network {
        Network::new(&self.configuration(), self.folder.path(), self.programs.plugins.clone())
    }

    /// The program `berth-cni`.
    pub(crate) fn plugin(&self) -> PathBuf {
        self.programs.plugins[1].join("berth-cni")
    }
}

/// What a cluster's owner installs.
pub(crate) fn shipped_configuration() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(CONFIGURATION)).unwrap()
}

/// A Region with an instance that was launched with prefixes.
fn world(prefixes: usize) -> String {
    format!(
        "settings: {{region: eu-west-1, account: '123456789012', seed: 7, latency: zero}}
vpcs: [{{id: vpc-0000000a, cidr: 10.0.0.0/16, default_group: sg-0000000a}}]
subnets: [{{id: subnet-0000000a, vpc: vpc-0000000a, zone: eu-west-1a, cidr: 10.0.0.0/18}}]
instances:
  - id: {INSTANCE}
    instance_type: m5.4xlarge
    subnet: subnet-0000000a
    primary: {{id: eni-0000000a, primary_ip: 10.0.0.10, ipv4_prefix_count: {prefixes}}}
"
    )
}

/// A way to an API server that asks nobody who he is.
fn kubeconfig_of(server: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "only",
        "clusters": [{"name": "only", "cluster": {"server": server}}],
        "users": [{"name": "only", "user": {}}],
        "contexts": [{"name": "only", "context": {"cluster": "only", "user": "only"}}],
    })
    .to_string()
}

/// Gives the namespace what an instance has: an interface with its primary address, and a way out. Nobody is at the other end.
fn add_uplink() {
    for line in [
        "link add ens5 type veth peer name nobody",
        "link set dev nobody up",
        "link set dev ens5 up",
        "address add 10.0.0.10/18 dev ens5",
        "route add default via 10.0.0.1",
    ] {
        let status = Command::new("ip").args(line.split(' ')).status().unwrap();
        assert!(status.success(), "ip {line}");
    }
}
