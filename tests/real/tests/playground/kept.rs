//! A playground that goes on running.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use real::{Kubectl, Running, aws_cli, program};
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
        let mut aws = Command::new(aws_cli().unwrap());
        aws.args(["--endpoint-url", &self.ec2, "--region", "eu-west-1", "--output", "text"]);
        aws.args(["ec2", "describe-network-interfaces", "--filters"]);
        aws.arg(format!("Name=addresses.private-ip-address,Values={address}"));
        aws.arg(format!("Name=attachment.instance-id,Values={instance}"));
        aws.args(["--query", "length(NetworkInterfaces)"]);
        aws.env("AWS_ACCESS_KEY_ID", "any").env("AWS_SECRET_ACCESS_KEY", "any");
        aws.env("NO_PROXY", "127.0.0.1");
        let ran = aws.output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().trim() == "1"
    }

    /// ctrl-c ends it, all was well, and its folder is gone.
    pub(crate) fn ends_well(&mut self) {
        self.running.signal("INT").unwrap();
        let ended = self.running.ended(SOON).unwrap().and_then(|status| status.code());
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        assert_eq!(ended, Some(0), "{log}");
    }
}

/// Waits until `holds` does. Says `what` when it does not in time.
pub(crate) fn await_true(within: Duration, what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < within, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
