//! A playground that goes on running.

use std::path::PathBuf;
use std::process::Command;

use real::{Kubectl, Running, aws_at, program};
use tempfile::TempDir;

use super::SOON;

/// A playground that goes on running, and who looks at it.
pub(crate) struct Kept {
    running: Running,
    kubectl: Kubectl,
    ec2: String,
    folder: TempDir,
}

impl Kept {
    /// Starts it, and waits until it says how to reach it.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut play = Command::new(program("playground").unwrap());
        play.args(arguments).args(["--keep", "--lines", "--report"]);
        play.arg(folder.path().join("report.html"));
        play.arg("--cni-plugin").arg(program("berth-cni").unwrap());
        let running = Running::start(&play, &folder.path().join("log")).unwrap();
        let [mut kubeconfig, mut ec2] = [None, None];
        while kubeconfig.is_none() || ec2.is_none() {
            let line = running.line(SOON).unwrap();
            let after =
                |words: &str| line.split_once(words).map(|(_, rest)| rest.trim().to_owned());
            kubeconfig = kubeconfig.or_else(|| after("export KUBECONFIG="));
            ec2 = ec2.or_else(|| after("export AWS_ENDPOINT_URL_EC2="));
        }
        let kubectl = Kubectl::with_kubeconfig(&PathBuf::from(kubeconfig.unwrap())).unwrap();
        Self { running, kubectl, ec2: ec2.unwrap(), folder }
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        self.kubectl.run(arguments).unwrap()
    }

    pub(crate) fn apply(&self, manifest: &str) {
        self.kubectl.run_with(["apply", "-f", "-"], manifest).unwrap();
    }

    /// `kubectl get cn -w`, as it runs.
    pub(crate) fn watch_nodes(&self) -> Running {
        let mut command = self.kubectl.command();
        command.args(["get", "cn", "-w"]);
        Running::start(&command, &self.folder.path().join("watch.log")).unwrap()
    }

    /// Whether the aws CLI says that the address is on an interface of that instance.
    pub(crate) fn is_attached(&self, address: &str, instance: &str) -> bool {
        let address = format!("Name=addresses.private-ip-address,Values={address}");
        let instance = format!("Name=attachment.instance-id,Values={instance}");
        let arguments = ["describe-network-interfaces", "--filters", &address, &instance];
        let query = ["--query", "length(NetworkInterfaces)"];
        aws_at(&self.ec2, arguments.into_iter().chain(query)).unwrap().trim() == "1"
    }

    /// ctrl-c ends it, all was well, and its folder is gone.
    pub(crate) fn ends_well(&mut self) {
        self.running.signal("INT").unwrap();
        let ended = self.running.ended(SOON).unwrap().and_then(|status| status.code());
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        assert_eq!(ended, Some(0), "{log}");
    }
}
