//! A real Kubernetes control plane for one test.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::build;
use crate::control_plane::{ControlPlane, StartError};
use crate::kubectl::{Kubectl, ProgramError, succeed};

/// Names the kubeconfig of a cluster to use instead of starting one.
const KUBECONFIG_VARIABLE: &str = "BERTH_KUBECONFIG";

/// What is to run beside etcd and the API server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// The controllers: garbage collection, the end of namespaces, deployments.
    pub controllers: bool,
    /// The scheduler.
    pub scheduler: bool,
}

/// A Kubernetes API to test against: one started for this value, which ends with it, or the one that
/// `BERTH_KUBECONFIG` names.
#[derive(Debug)]
pub struct Kubernetes {
    kubeup: PathBuf,
    kubeconfig: PathBuf,
    own: Option<ControlPlane>,
}

impl Kubernetes {
    /// Builds what [`start`](Self::start) starts, where that was not done on this machine: before a test leaves the network behind.
    ///
    /// # Errors
    ///
    /// When Go is missing or the build fails.
    pub fn build() -> Result<(), StartError> {
        build::kubeup()?;
        Ok(())
    }

    /// Starts a control plane in a temporary folder, on ports that nobody else has, and waits until it is ready. Where
    /// `BERTH_KUBECONFIG` is set, nothing is started, and `options` are what that cluster is expected to run.
    ///
    /// The first call on a machine builds `kubeup`, which takes minutes and is said on the standard error.
    ///
    /// # Errors
    ///
    /// When Go is missing, the build fails, or the control plane does not become ready.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let kubeup = build::kubeup()?;
        if let Some(kubeconfig) = env::var_os(KUBECONFIG_VARIABLE).filter(|path| !path.is_empty()) {
            return Ok(Self { kubeup, kubeconfig: PathBuf::from(kubeconfig), own: None });
        }
        let own = ControlPlane::start(&kubeup, options)?;
        Ok(Self { kubeup, kubeconfig: own.path("kubeconfig"), own: Some(own) })
    }

    /// Where the administrator's credentials and the server's address are.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Where every write is recorded, one JSON object a line. None where the cluster is not ours.
    #[must_use]
    pub fn audit_log(&self) -> Option<PathBuf> {
        self.own.as_ref().map(|own| own.path("audit.log"))
    }

    /// The process id of `kubeup`. None where the cluster is not ours.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.own.as_ref().map(|own| own.process.id())
    }

    /// An administrator's client.
    ///
    /// # Errors
    ///
    /// When the kubeconfig cannot be read, or names what the client cannot do.
    pub async fn client(&self) -> Result<Client, kube::Error> {
        let kubeconfig = Kubeconfig::read_from(&self.kubeconfig)?;
        let options = KubeConfigOptions::default();
        Client::try_from(Config::from_custom_kubeconfig(kubeconfig, &options).await?)
    }

    /// kubectl as the administrator.
    #[must_use]
    pub fn kubectl(&self) -> Kubectl {
        Kubectl::new(&self.kubeup, &self.kubeconfig)
    }

    /// What makes etcd forget everything but the present. None where the cluster is not ours.
    #[must_use]
    pub fn compaction(&self) -> Option<Compaction> {
        let folder = self.own.as_ref()?.folder.path().to_owned();
        Some(Compaction { kubeup: self.kubeup.clone(), folder })
    }
}

/// Makes the etcd of a control plane forget everything but the present.
#[derive(Debug, Clone)]
pub struct Compaction {
    kubeup: PathBuf,
    folder: PathBuf,
}

impl Compaction {
    /// Compacts etcd now, and tells the API server, which takes up to 15 seconds to hear of it.
    ///
    /// # Errors
    ///
    /// When etcd does not answer.
    pub fn run(&self) -> Result<(), ProgramError> {
        let mut command = Command::new(&self.kubeup);
        succeed(command.arg("compact").arg(&self.folder)).map(drop)
    }
}
