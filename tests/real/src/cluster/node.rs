//! A node: a machine with containerd, a kubelet, the plugins and Berth's agent.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use super::door::Door;
use super::error::{ClusterError, wait_for};
use super::files;
use super::machine::Machine;
use super::parts::Parts;
use super::service::Service;
use super::vpc::Instance;
use super::{Ipam, Options};
use crate::kubectl::ProgramError;
use crate::shipped::deployed;

/// The image of the pods, below a machine's folder.
pub(crate) const ARCHIVE: &str = "opt/images/app.tar";
/// Half a second on an idle machine.
const CONTAINERD_TIMEOUT: Duration = Duration::from_mins(1);
const KUBECONFIG: &str = "etc/kubernetes/kubeconfig";
const AGENT_KUBECONFIG: &str = "etc/berth/kubeconfig";

/// A node of a cluster. Its name is that of its Node object.
#[derive(Debug)]
pub struct Node {
    agent: Service,
    kubelet: Service,
    containerd: Service,
    instance: Instance,
    machine: Machine,
}

impl Node {
    /// Starts the machine of a node and its container runtime.
    pub(crate) fn start(
        parts: &Parts,
        folder: &Path,
        number: u8,
        options: &Options,
    ) -> Result<Self, ClusterError> {
        let (name, instance) = (format!("n{number}"), Instance::node(number));
        let machine = Machine::start(&name, &folder.join(&name), true, &parts.of_node())?;
        write_files(&machine, &instance, options)?;
        let containerd = machine.service("containerd", &containerd());
        let kubelet = machine.service("kubelet", &kubelet(&instance));
        let agent = machine.service("berth-agent", &agent(&name, options));
        let node = Self { agent, kubelet, containerd, instance, machine };
        node.start_containerd()?;
        let import = ["ctr", "--namespace", "k8s.io", "images", "import", &format!("/{ARCHIVE}")];
        node.machine.succeed(&import)?;
        Ok(node)
    }

    /// Lets kubelet and agent, which are on the VPC now, join the cluster.
    pub(crate) fn join(&self, invitation: &Invitation) -> Result<(), ClusterError> {
        self.machine.write(files::CERTIFICATE, &invitation.certificate)?;
        self.machine.write(KUBECONFIG, &invitation.kubelet)?;
        self.kubelet.start()?;
        let Some(agent) = &invitation.agent else { return Ok(()) };
        self.machine.write(AGENT_KUBECONFIG, agent)?;
        self.agent.start()
    }

    /// Such as `n1`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.machine.name()
    }

    /// The id of its instance at EC2.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance.id
    }

    /// Lets its machine end, and does not wait for that.
    pub(crate) fn let_go(&mut self) {
        self.machine.let_go();
    }

    pub(crate) const fn at_ec2(&self) -> &Instance {
        &self.instance
    }

    /// Its own address: the primary one of its primary interface.
    #[must_use]
    pub const fn address(&self) -> Ipv4Addr {
        self.instance.address
    }

    /// Where its files are: `etc`, `opt` and `var-lib` are its `/etc`, `/opt` and `/var/lib`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.machine.folder()
    }

    /// The way into it.
    #[must_use]
    pub const fn door(&self) -> Door {
        self.machine.door()
    }

    /// Runs a program in it to its end, without input.
    ///
    /// # Errors
    ///
    /// When it cannot be run. Every exit code is good.
    pub fn run(&self, arguments: &[&str]) -> Result<Output, ProgramError> {
        self.machine.run(arguments)
    }

    /// Starts the agent. It need not serve yet.
    ///
    /// # Errors
    ///
    /// When it runs or cannot be started.
    pub fn start_agent(&self) -> Result<(), ClusterError> {
        self.agent.start()
    }

    /// Kills the agent.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn kill_agent(&self) -> Result<(), ClusterError> {
        self.agent.kill()
    }

    /// Asks the agent to end, as a kubelet does, and waits for that.
    ///
    /// # Errors
    ///
    /// When it does not run or does not end.
    pub fn stop_agent(&self) -> Result<(), ClusterError> {
        self.agent.stop()
    }

    /// Starts containerd, and waits until it answers.
    ///
    /// # Errors
    ///
    /// When it runs, cannot be started or does not answer.
    pub fn start_containerd(&self) -> Result<(), ClusterError> {
        self.containerd.start()?;
        let (what, log) =
            (format!("containerd of {} does not answer", self.name()), self.containerd.last_log());
        wait_for(&what, CONTAINERD_TIMEOUT, &log, || {
            self.containerd.check()?;
            Ok(self.run(&["ctr", "version"])?.status.success())
        })
    }

    /// Ends containerd; containers go on running.
    ///
    /// # Errors
    ///
    /// When it does not run or does not end.
    pub fn stop_containerd(&self) -> Result<(), ClusterError> {
        self.containerd.stop()
    }

    /// What the agent says of itself: `berth-agent status`, with every address in use.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub fn status(&self) -> Result<Value, ClusterError> {
        let output = self.run(&["berth-agent", "status", "--output", "json", "--all"])?;
        let said = String::from_utf8_lossy(&output.stdout);
        // An agent that is not ready says so with its exit code, too.
        serde_json::from_str(&said).map_err(|_| {
            let said = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
            ClusterError::NotJson { what: format!("berth-agent status on {}", self.name()), said }
        })
    }

    /// What a program has logged in all its lives: `berth-agent`, `kubelet` or `containerd`.
    #[must_use]
    pub fn log(&self, program: &str) -> String {
        match program {
            "berth-agent" => self.agent.log(),
            "containerd" => self.containerd.log(),
            _ => self.kubelet.log(),
        }
    }

    /// Waits until the kubelet is Ready and, where an agent runs, until it serves and has taken off the taint. `object` is
    /// the Node object, null where there is none.
    pub(crate) fn wait_ready(
        &self,
        within: Duration,
        agent: bool,
        object: impl Fn() -> Result<Value, ClusterError>,
    ) -> Result<(), ClusterError> {
        let (what, log) = (format!("{} is not Ready", self.name()), self.kubelet.last_log());
        wait_for(&what, within, &log, || {
            self.kubelet.check()?;
            Ok(is_ready(&object()?))
        })?;
        if !agent {
            return Ok(());
        }
        let what = format!("the agent of {} does not serve", self.name());
        wait_for(&what, within, &self.agent.last_log(), || {
            self.agent.check()?;
            let serves = self.status().is_ok_and(|status| status["ready"] == true);
            let object = object()?;
            Ok(serves && object["spec"].is_object() && object["spec"]["taints"].is_null())
        })
    }
}

/// What a node needs to join a cluster: ways to the API server, and its certificate.
#[derive(Debug)]
pub(crate) struct Invitation {
    pub(crate) kubelet: String,
    /// None where no agent runs.
    pub(crate) agent: Option<String>,
    pub(crate) certificate: String,
}

/// Whether a Node object says that the kubelet is Ready.
fn is_ready(node: &Value) -> bool {
    let conditions = node["status"]["conditions"].as_array();
    conditions.is_some_and(|conditions| {
        conditions.iter().any(|it| it["type"] == "Ready" && it["status"] == "True")
    })
}

fn write_files(
    machine: &Machine,
    instance: &Instance,
    options: &Options,
) -> Result<(), ClusterError> {
    let berth = options.ipam == Ipam::Berth;
    machine.write("etc/containerd/config.toml", &files::containerd())?;
    let kubelet = files::kubelet(instance.address, options.max_pods, berth);
    machine.write("etc/kubernetes/kubelet.yaml", &kubelet.to_string())?;
    // A kubelet wants it to be there from the beginning.
    let static_pods = machine.folder().join("etc/kubernetes/manifests");
    fs::create_dir(&static_pods).map_err(ClusterError::at("make the folder of static pods"))?;
    if !berth {
        let configuration = files::host_local(instance.subnet()).to_string();
        return machine.write("etc/cni/net.d/10-host-local.conflist", &configuration);
    }
    let shipped = deployed("cni/10-berth.conflist");
    let failed = ClusterError::at(format!("read {}", shipped.display()));
    let configuration = fs::read_to_string(&shipped).map_err(failed)?;
    machine.write("etc/cni/net.d/10-berth.conflist", &configuration)
}

fn containerd() -> Command {
    let mut command = Command::new("containerd");
    command.args(["--log-level", "info"]);
    command
}

fn kubelet(instance: &Instance) -> Command {
    let mut command = Command::new("kubeup");
    command.args(["kubelet", "--config=/etc/kubernetes/kubelet.yaml"]);
    command.arg(format!("--kubeconfig=/{KUBECONFIG}"));
    command.arg(format!("--node-ip={}", instance.address));
    command.arg(format!("--provider-id=aws:///eu-west-1a/{}", instance.id));
    command
}

/// With one capability alone: routes and rules of the host are its business.
fn agent(node: &str, options: &Options) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all,+net_admin", "--inh-caps=-all", "--no-new-privs"]);
    command.args(["berth-agent", "run", "--node-name", node]);
    command.arg(format!("--kubeconfig=/{AGENT_KUBECONFIG}"));
    command.args(["--contract", options.contract.name()]).args(&options.agent_arguments);
    command
}
