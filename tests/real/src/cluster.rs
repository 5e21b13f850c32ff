//! A cluster whose cloud is the simulated EC2: a control plane and nodes with kubelet and containerd, each on a little machine of its own.
//!
//! A [`Cluster`] runs for as long as the value is there, and nothing is left of it, however the process that has it ends.

mod control;
mod door;
mod error;
mod files;
mod machine;
mod node;
mod parts;
mod record;
mod service;
mod vpc;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

pub use door::Door;
pub use error::ClusterError;
pub use node::Node;
pub use parts::Parts;
pub use record::Record;

use crate::kubectl::ProgramError;
use control::Control;
use node::Invitation;
use vpc::{Instance, Vpc};

/// The image of the pods, which every node has; `imagePullPolicy: Never`. A busybox, which waits until it is ended if nothing else is said.
pub const IMAGE: &str = "localhost/app:1";

/// Third part of the addresses of the last node.
const NODES_MAX: usize = 200;

/// How agents and operator speak with each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Contract {
    /// As Cilium's agents do up to 1.19.
    #[default]
    PerIp,
    /// As they do from 1.20 on.
    Cidr,
}

impl Contract {
    const fn name(self) -> &'static str {
        match self {
            Self::PerIp => "per-ip",
            Self::Cidr => "cidr",
        }
    }
}

/// Who gives pods their addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ipam {
    /// Berth: operator, agents and `berth-cni`.
    #[default]
    Berth,
    /// The plugin `host-local`, to compare with: no program of Berth runs.
    HostLocal,
}

/// What a cluster is to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How many nodes.
    pub nodes: usize,
    /// The type of their instances at EC2.
    pub instance_type: String,
    /// Whether the operator asks for blocks of 16 addresses.
    pub prefix_delegation: bool,
    /// How agents and operator speak with each other.
    pub contract: Contract,
    /// Who gives pods their addresses.
    pub ipam: Ipam,
    /// Where everything is written, and stays; `None` for a temporary folder, which goes with the cluster.
    pub folder: Option<PathBuf>,
    /// How many pods a kubelet takes.
    pub max_pods: usize,
    /// Further arguments of `berth-operator run`.
    pub operator_arguments: Vec<String>,
    /// Further arguments of `berth-agent run`.
    pub agent_arguments: Vec<String>,
    /// How long a node may take to become Ready, and its agent to have addresses. Seconds, on an idle machine.
    pub ready_within: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: 2,
            instance_type: "m5.large".to_owned(),
            prefix_delegation: false,
            contract: Contract::default(),
            ipam: Ipam::default(),
            folder: None,
            max_pods: 110,
            operator_arguments: Vec::new(),
            agent_arguments: Vec::new(),
            ready_within: Duration::from_mins(2),
        }
    }
}

/// Where a cluster writes.
#[derive(Debug)]
enum Folder {
    Own(TempDir),
    Given(PathBuf),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Own(folder) => folder.path(),
            Self::Given(folder) => folder,
        }
    }
}

/// A running cluster. When this goes, or the process that has it, everything ends.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
    control: Control,
    vpc: Vpc,
    /// How many nodes there have been.
    launched: u8,
    invitation: Invitation,
    parts: Parts,
    options: Options,
    // Removed last: fields go in this order.
    folder: Folder,
}

impl Cluster {
    /// Starts a cluster and waits until every node is Ready and gives addresses to pods. `say` is told what is done.
    ///
    /// # Errors
    ///
    /// When a part cannot be built or started, or does not become ready in time; with the end of the log that matters. Nothing is left
    /// running then.
    pub fn up(options: &Options, say: &(dyn Fn(&str) + Sync)) -> Result<Self, ClusterError> {
        say("programs");
        let parts = Parts::ready(options.ipam)?;
        let folder = folder(options)?;
        say("VPC and control plane");
        let machine = Control::machine(&parts, folder.path())?;
        let vpc = Vpc::start(&parts, folder.path(), machine.door())?;
        let control = Control::start(machine, &operator_arguments(options))?;
        let berth = options.ipam == Ipam::Berth;
        if berth {
            control.install_operator()?;
        }
        let invitation = invitation(&control, berth)?;
        let (nodes, launched, options) = (Vec::new(), 0, options.clone());
        let mut cluster =
            Self { nodes, control, vpc, launched, invitation, parts, options, folder };
        say("nodes");
        cluster.add_nodes(cluster.options.nodes)?;
        say("ready");
        Ok(cluster)
    }

    /// Where everything is written.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What another process needs to find the cluster.
    #[must_use]
    pub fn record(&self) -> Record {
        let nodes = self.nodes.iter().map(|node| (node.name().to_owned(), node.door()));
        let control = ("control".to_owned(), self.control.on_machine().door());
        let vpc = ("vpc".to_owned(), self.vpc.machine().door());
        Record::new(nodes.chain([control, vpc]).collect())
    }

    /// The nodes, in the order in which they came.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A node, by its place in [`nodes`](Self::nodes).
    ///
    /// # Panics
    ///
    /// When there are not that many.
    #[must_use]
    pub fn node(&self, place: usize) -> &Node {
        &self.nodes[place]
    }

    /// Launches one more node, waits until it is ready, and tells its place.
    ///
    /// # Errors
    ///
    /// When it cannot be started or is not ready in time.
    pub fn add_node(&mut self) -> Result<usize, ClusterError> {
        self.add_nodes(1)?;
        Ok(self.nodes.len() - 1)
    }

    /// Terminates the instance of a node, and its machine ends. The Node object stays: it is for whoever looks after nodes to delete it.
    ///
    /// # Errors
    ///
    /// When there is no such node, or EC2 says no.
    pub fn remove_node(&mut self, place: usize) -> Result<(), ClusterError> {
        if place >= self.nodes.len() {
            return Err(ClusterError::State(format!("there is no node at place {place}")));
        }
        let node = self.nodes.remove(place);
        self.vpc.terminate(node.at_ec2())
    }

    fn add_nodes(&mut self, count: usize) -> Result<(), ClusterError> {
        let first = usize::from(self.launched) + 1;
        let numbers: Vec<u8> = (first..first + count)
            .filter(|number| *number <= NODES_MAX)
            .filter_map(|number| u8::try_from(number).ok())
            .collect();
        if numbers.len() < count {
            return Err(ClusterError::State(format!("there are at most {NODES_MAX} nodes")));
        }
        self.launched += u8::try_from(count).unwrap_or_default();
        let place = self.nodes.len();
        let this = &*self;
        let nodes: Result<Vec<Node>, ClusterError> = thread::scope(|scope| {
            let launched: Vec<_> = numbers
                .into_iter()
                .map(|number| scope.spawn(move || this.launch(number)))
                .collect();
            let joined = launched.into_iter().map(|thread| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            joined.collect()
        });
        self.nodes.extend(nodes?);
        self.nodes[place..].iter().try_for_each(|node| self.wait_ready(node))
    }

    /// A node that has been told to join.
    fn launch(&self, number: u8) -> Result<Node, ClusterError> {
        let options = &self.options;
        let node = Node::start(&self.parts, self.folder.path(), number, options)?;
        let prefixes = match options.ipam {
            Ipam::Berth => Vec::new(),
            Ipam::HostLocal => files::host_local_prefixes(number),
        };
        let instance = Instance::node(number);
        self.vpc.launch(&instance, node.door(), &options.instance_type, &prefixes)?;
        node.join(&self.invitation)?;
        Ok(node)
    }

    /// Waits until pods can be scheduled to the node and get addresses there.
    fn wait_ready(&self, node: &Node) -> Result<(), ClusterError> {
        let berth = self.options.ipam == Ipam::Berth;
        node.wait_ready(self.options.ready_within, berth, || {
            if berth {
                self.control.operator().check()?;
            }
            // There is none before the kubelet has made it.
            Ok(self.json(&["get", "node", node.name()]).unwrap_or_default())
        })
    }

    /// Runs kubectl as the administrator, and returns what it printed.
    ///
    /// # Errors
    ///
    /// When it ends with another code than 0.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String, ProgramError> {
        self.control.kubectl().run(arguments)
    }

    /// Runs kubectl with this input, which `-f -` reads.
    ///
    /// # Errors
    ///
    /// When it ends with another code than 0.
    pub fn kubectl_with(&self, arguments: &[&str], input: &str) -> Result<String, ProgramError> {
        self.control.kubectl().run_with(arguments, input)
    }

    /// Runs kubectl with the output format `json`.
    ///
    /// # Errors
    ///
    /// When it fails, or prints something else.
    pub fn json(&self, arguments: &[&str]) -> Result<Value, ClusterError> {
        let said = self.control.kubectl().run(arguments.iter().chain(&["--output=json"]))?;
        serde_json::from_str(&said).map_err(|_| {
            let what = format!("kubectl {}", arguments.join(" "));
            ClusterError::NotJson { what, said }
        })
    }

    /// Ends Berth's operator in good order.
    ///
    /// # Errors
    ///
    /// When it does not run or does not end.
    pub fn stop_operator(&self) -> Result<(), ClusterError> {
        self.control.operator().stop()
    }

    /// Starts Berth's operator again.
    ///
    /// # Errors
    ///
    /// When it runs or cannot be started.
    pub fn start_operator(&self) -> Result<(), ClusterError> {
        self.control.operator().start()
    }

    /// What the operator has logged in all its lives.
    #[must_use]
    pub fn operator_log(&self) -> String {
        self.control.operator().log()
    }

    /// Ends API server, etcd, controllers and scheduler.
    ///
    /// # Errors
    ///
    /// When they do not run or do not end.
    pub fn stop_control_plane(&self) -> Result<(), ClusterError> {
        self.control.stop()
    }

    /// Starts them again with the state that they had.
    ///
    /// # Errors
    ///
    /// When they run, or are not ready in time.
    pub fn start_control_plane(&self) -> Result<(), ClusterError> {
        self.control.start_again()
    }

    /// Where the API server records every write, one JSON object a line.
    #[must_use]
    pub fn audit_log(&self) -> PathBuf {
        self.control.audit_log()
    }

    /// What EC2's control API answers to a GET, such as `/_sim/audit`.
    ///
    /// # Errors
    ///
    /// When it says no.
    pub fn ec2(&self, path: &str) -> Result<Value, ClusterError> {
        self.vpc.get(path)
    }

    /// What EC2's control API answers to a POST.
    ///
    /// # Errors
    ///
    /// When it says no.
    pub fn ec2_post(&self, path: &str, body: &Value) -> Result<Value, ClusterError> {
        self.vpc.post(path, body)
    }

    /// How many packets the VPC has dropped because their source was not of the interface that they came from.
    ///
    /// # Errors
    ///
    /// When the VPC does not say.
    pub fn drops(&self) -> Result<u64, ClusterError> {
        self.vpc.drops()
    }

    /// Runs a program in the VPC's machine, between the instances, to its end.
    ///
    /// # Errors
    ///
    /// When it cannot be run. Every exit code is good.
    pub fn fabric_run(&self, arguments: &[&str]) -> Result<Output, ProgramError> {
        self.vpc.machine().run(arguments)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A machine takes seconds to end, which they do at the same time.
        self.nodes.iter_mut().for_each(Node::let_go);
        self.control.let_go();
    }
}

fn folder(options: &Options) -> Result<Folder, ClusterError> {
    let Some(folder) = &options.folder else {
        let made = tempfile::Builder::new().prefix("berth-cluster-").tempdir();
        return made.map(Folder::Own).map_err(ClusterError::at("make a temporary folder"));
    };
    let failed = || ClusterError::at(format!("make the folder {}", folder.display()));
    fs::create_dir_all(folder).map_err(failed())?;
    let folder = folder.canonicalize().map_err(failed())?;
    if fs::read_dir(&folder).map_err(failed())?.next().is_some() {
        let text = format!("{} is not empty: name a new folder", folder.display());
        return Err(ClusterError::State(text));
    }
    Ok(Folder::Given(folder))
}

fn operator_arguments(options: &Options) -> Vec<String> {
    let prefixes = format!("--aws-enable-prefix-delegation={}", options.prefix_delegation);
    [prefixes].into_iter().chain(options.operator_arguments.iter().cloned()).collect()
}

fn invitation(control: &Control, berth: bool) -> Result<Invitation, ClusterError> {
    let agent = berth.then(|| control.kubeconfig(Some(&control.account("agent")?)));
    Ok(Invitation {
        kubelet: control.kubeconfig(None)?,
        agent: agent.transpose()?,
        certificate: control.certificate()?,
    })
}
