//! Runs the program.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A network configuration and an environment, to be changed by tests.
pub(crate) struct Program {
    pub(crate) folder: TempDir,
    pub(crate) conf: Value,
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// What a run left behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) is_success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    /// One that asks at `socket`, and queues in a folder of its own.
    pub(crate) fn new(socket: &Path) -> Self {
        let folder = TempDir::new().unwrap();
        let conf = json!({
            "cniVersion": "1.1.0",
            "name": "berth",
            "type": "cilium-cni",
            "ipam": {
                "type": "berth-cni",
                "agent-socket": socket,
                "queue-dir": folder.path().join("queue"),
            },
        });
        let environment = [
            ("CNI_CONTAINERID", "c1"),
            ("CNI_NETNS", "/var/run/netns/c1"),
            ("CNI_IFNAME", "eth0"),
            ("CNI_PATH", "/opt/cni/bin"),
            (
                "CNI_ARGS",
                "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;K8S_POD_UID=u1",
            ),
        ];
        let environment = environment.map(|(name, value)| (name, value.to_owned())).to_vec();
        Self { folder, conf, environment }
    }

    /// One whose agent is away.
    pub(crate) fn alone() -> Self {
        let mut program = Self::new(Path::new("/nonexistent"));
        program.conf["ipam"]["agent-socket"] = json!(program.folder.path().join("no.sock"));
        program
    }

    pub(crate) fn queue(&self) -> PathBuf {
        self.folder.path().join("queue")
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.retain(|(other, _)| *other != name);
        self.environment.push((name, value.to_owned()));
        self
    }

    pub(crate) fn ipam(mut self, member: &str, value: Value) -> Self {
        self.conf["ipam"][member] = value;
        self
    }

    pub(crate) fn member(mut self, member: &str, value: Value) -> Self {
        self.conf[member] = value;
        self
    }

    pub(crate) fn run(&self, verb: &str) -> Ran {
        self.run_with(verb, self.conf.to_string().as_bytes())
    }

    pub(crate) fn run_with(&self, verb: &str, stdin: &[u8]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_berth-cni"));
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env("CNI_COMMAND", verb);
        finish(command, stdin)
    }
}

/// Runs a command to its end.
pub(crate) fn finish(mut command: Command, stdin: &[u8]) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may refuse its input before it has read it.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    Ran {
        is_success: status.success(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

impl Ran {
    /// Success without a word on stdout.
    #[track_caller]
    pub(crate) fn is_done(&self) {
        assert_eq!((self.is_success, self.stdout.as_str()), (true, ""), "{}", self.stderr);
    }

    /// The code of the error on stdout.
    #[track_caller]
    pub(crate) fn code(&self) -> u64 {
        assert!(!self.is_success, "{self:?}");
        let error: Value = serde_json::from_str(&self.stdout).unwrap();
        error["code"].as_u64().unwrap()
    }
}
