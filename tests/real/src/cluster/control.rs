//! The control plane: a machine with etcd, API server, controllers and scheduler, and with Berth's operator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::error::ClusterError;
use super::files;
use super::machine::Machine;
use super::parts::Parts;
use super::service::Service;
use super::vpc::{EC2, Instance};
use crate::kubectl::Kubectl;
use crate::shipped::{NAMESPACE, NoAccess, deployed, operator_between, read_kubeconfig};

/// Ready takes 3 to 5 seconds on an idle machine with 2 cores.
const START_TIMEOUT: Duration = Duration::from_secs(90);
const STATE: &str = "/var/lib/kubernetes";
const OPERATOR_KUBECONFIG: &str = "etc/berth/operator.kubeconfig";

/// The control plane's machine.
#[derive(Debug)]
pub(crate) struct Control {
    operator: Service,
    kubernetes: Service,
    kubernetes_again: Service,
    machine: Machine,
}

impl Control {
    /// Its machine alone, without anything that runs in it.
    pub(crate) fn machine(parts: &Parts, folder: &Path) -> Result<Machine, ClusterError> {
        Machine::start("control", &folder.join("control"), true, &parts.of_control())
    }

    /// Starts the control plane in its machine, which is on the VPC.
    pub(crate) fn start(
        machine: Machine,
        operator_arguments: &[String],
    ) -> Result<Self, ClusterError> {
        let kubernetes = machine.service("kubeup", &kubeup(false));
        let kubernetes_again = machine.service("kubeup-again", &kubeup(true));
        let operator = machine.service("berth-operator", &operator(operator_arguments));
        let control = Self { operator, kubernetes, kubernetes_again, machine };
        control.kubernetes.start_until("ready", START_TIMEOUT)?;
        Ok(control)
    }

    /// Lets its machine end, and does not wait for that.
    pub(crate) fn let_go(&mut self) {
        self.machine.let_go();
    }

    /// kubectl as the administrator.
    pub(crate) fn kubectl(&self) -> Kubectl {
        kubectl(self.machine.door())
    }

    /// Lets Berth's operator do what its manifest allows it, and starts it.
    pub(crate) fn install_operator(&self) -> Result<(), ClusterError> {
        let token = self.account("operator")?;
        let config = self.kubeconfig(Some(&token))?;
        self.machine.write(OPERATOR_KUBECONFIG, &config)?;
        self.machine.write(files::CERTIFICATE, &self.certificate()?)?;
        self.operator.start()
    }

    /// Applies what the manifest of that name allows the account `berth-NAME`, and returns a token of the account.
    pub(crate) fn account(&self, name: &str) -> Result<String, ClusterError> {
        let path = deployed(&format!("manifests/{name}.yaml"));
        let manifest = fs::read_to_string(&path);
        let manifest = manifest.map_err(|error| NoAccess::File { path: path.clone(), error })?;
        let objects = files::without_workloads(&manifest)
            .map_err(|error| NoAccess::Kubeconfig { path, error: Box::new(error) })?;
        let kubectl = self.kubectl();
        kubectl.run_with(["apply", "-f", "-"], &objects.to_string())?;
        let account = format!("berth-{name}");
        let create = ["create", "token", &account, "--namespace", NAMESPACE, "--duration", "24h"];
        Ok(kubectl.run(create)?.trim().to_owned())
    }

    /// A way to the API server from any machine of the VPC: the administrator's, or with this token.
    pub(crate) fn kubeconfig(&self, token: Option<&str>) -> Result<String, ClusterError> {
        let admin: Value = read_kubeconfig(&self.state().join("kubeconfig"))?;
        Ok(files::kubeconfig(&admin, token))
    }

    /// The API server's certificate.
    pub(crate) fn certificate(&self) -> Result<String, ClusterError> {
        fs::read_to_string(self.state().join("server.crt"))
            .map_err(ClusterError::at("read the API server's certificate"))
    }

    /// Every write, one JSON object a line.
    pub(crate) fn audit_log(&self) -> PathBuf {
        self.state().join("audit.log")
    }

    pub(crate) const fn operator(&self) -> &Service {
        &self.operator
    }

    pub(crate) const fn on_machine(&self) -> &Machine {
        &self.machine
    }

    /// Ends API server, etcd, controllers and scheduler.
    pub(crate) fn stop(&self) -> Result<(), ClusterError> {
        if self.kubernetes.runs() { self.kubernetes.stop() } else { self.kubernetes_again.stop() }
    }

    /// Starts them again with the state that they had.
    pub(crate) fn start_again(&self) -> Result<(), ClusterError> {
        if self.kubernetes.runs() {
            return self.kubernetes.start();
        }
        self.kubernetes_again.start_until("ready", START_TIMEOUT)
    }

    /// The folder [`STATE`], as it is outside of the machine.
    fn state(&self) -> PathBuf {
        self.machine.folder().join("var-lib/kubernetes")
    }
}

/// kubectl as the administrator, in the control plane's machine.
pub(crate) fn kubectl(door: super::Door) -> Kubectl {
    Kubectl::inside(door, Path::new("kubeup"), &Path::new(STATE).join("kubeconfig"))
}

fn kubeup(again: bool) -> Command {
    let mut command = Command::new("kubeup");
    command.args(["-dir", STATE, "-port", "6443", "-with", "controllers,scheduler", "-bind"]);
    command.arg(Instance::control().address.to_string());
    if again {
        command.arg("-again");
    }
    command
}

fn operator(arguments: &[String]) -> Command {
    let kubeconfig = Path::new("/").join(OPERATOR_KUBECONFIG);
    let mut command = operator_between(Path::new("berth-operator"), EC2, &kubeconfig);
    command.args(["--mode", "normal", "--log-format", "text", "--k8s-namespace", NAMESPACE]);
    command.args(arguments);
    command
}
