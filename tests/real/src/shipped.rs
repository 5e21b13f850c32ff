//! Berth's programs and manifests, as a cluster's owner uses them.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::kubectl::ProgramError;
use crate::kubernetes::Kubernetes;

/// The namespace of everything that the manifests install.
pub const NAMESPACE: &str = "berth-system";

/// Why an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoAccess {
    /// kubectl said no.
    #[error(transparent)]
    Kubectl(#[from] ProgramError),
    /// The administrator's kubeconfig cannot be read.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is not what `kubeup` writes.
    #[error("{path} is no kubeconfig: {error}")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: Box<serde_saphyr::Error>,
    },
}

/// A file of the folder `deploy`.
pub(crate) fn deployed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(path)
}

/// Applies `deploy/manifests/NAME.yaml`, and makes a kubeconfig with what it allows the account `berth-NAME`, and no more.
///
/// # Errors
///
/// When the API server refuses something.
pub fn access(kubernetes: &Kubernetes, name: &str) -> Result<String, NoAccess> {
    let manifest = deployed(&format!("manifests/{name}.yaml")).display().to_string();
    let kubectl = kubernetes.kubectl();
    kubectl.run(["apply", "-f", &manifest])?;
    let account = format!("berth-{name}");
    let token = kubectl.run(["create", "token", &account, "--namespace", NAMESPACE])?;
    let mut config = read_kubeconfig(kubernetes.kubeconfig())?;
    config["users"][0]["user"] = json!({"token": token.trim()});
    Ok(config.to_string())
}

/// A kubeconfig that `kubeup` wrote.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn read_kubeconfig(path: &Path) -> Result<Value, NoAccess> {
    let text = fs::read_to_string(path)
        .map_err(|error| NoAccess::File { path: path.to_owned(), error })?;
    serde_saphyr::from_str(&text)
        .map_err(|error| NoAccess::Kubeconfig { path: path.to_owned(), error: Box::new(error) })
}

/// The writes by the account `berth-NAME` that the API server carried out, such as `patch ciliumnodes/status node-0`.
///
/// # Errors
///
/// When the audit log cannot be read, or has a line that is no event.
pub fn writes_of(name: &str, audit_log: &Path) -> io::Result<Vec<Write>> {
    let user = format!("system:serviceaccount:{NAMESPACE}:berth-{name}");
    let mut writes = Vec::new();
    for line in fs::read_to_string(audit_log)?.lines() {
        let event: Value = serde_json::from_str(line)?;
        let done = event["responseStatus"]["code"].as_u64().is_some_and(|code| code < 300);
        if done && event["user"]["username"] == user.as_str() {
            writes.push(written(&event));
        }
    }
    Ok(writes)
}

fn written(event: &Value) -> Write {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let object = &event["objectRef"];
    Write {
        verb: text(&event["verb"]),
        resource: text(&object["resource"]),
        subresource: object["subresource"].as_str().map(str::to_owned),
        name: text(&object["name"]),
    }
}

/// A write in the audit log of an API server. Shown like `patch ciliumnodes/status node-0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Such as `patch`.
    pub verb: String,
    /// Such as `ciliumnodes`.
    pub resource: String,
    /// Such as `status`.
    pub subresource: Option<String>,
    /// The object's; empty where the server was to choose it, or learns it from the object.
    pub name: String,
}

impl fmt::Display for Write {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, resource, subresource, name } = self;
        write!(out, "{verb} {resource}")?;
        if let Some(subresource) = subresource {
            write!(out, "/{subresource}")?;
        }
        write!(out, " {name}")
    }
}

/// The operator's program between an EC2 and a Kubernetes, with credentials that the simulated EC2 takes, and without the variables of
/// these tests, which it would take for settings of its own.
#[must_use]
pub fn operator_between(program: &Path, ec2: &str, kubeconfig: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["run", "--region", "eu-west-1", "--ec2-api-endpoint", ec2]);
    command.args(["--operator-prometheus-serve-addr", "127.0.0.1:0", "--kubeconfig"]);
    command.arg(kubeconfig);
    command.env("AWS_ACCESS_KEY_ID", "any").env("AWS_SECRET_ACCESS_KEY", "any");
    command.env_remove("BERTH_CI_CACHE").env_remove("BERTH_KUBECONFIG");
    command
}
