//! The programs that a cluster is made of.

use std::env;
use std::path::{self, Path, PathBuf};

use super::Ipam;
use super::error::ClusterError;
use super::machine::Shown;
use crate::build;
use crate::programs::{NoProgram, cni_programs, environment, program};

/// The programs that a cluster is made of, all built or installed.
#[derive(Debug, Clone)]
pub struct Parts {
    kubeup: PathBuf,
    /// With containerd and the image of the pods.
    node: PathBuf,
    plugins: PathBuf,
    ec2_sim: PathBuf,
    fabric: PathBuf,
    /// None where no program of Berth is to run.
    berth: Option<Berth>,
}

#[derive(Debug, Clone)]
struct Berth {
    agent: PathBuf,
    plugin: PathBuf,
    operator: PathBuf,
}

/// A folder with programs of Berth that were built otherwise, such as `target/release`; those that it has not are built.
const PROGRAMS_VARIABLE: &str = "CLUSTER_PROGRAMS";

fn of_berth(name: &str) -> Result<PathBuf, NoProgram> {
    let given = env::var_os(PROGRAMS_VARIABLE).map(|folder| Path::new(&folder).join(name));
    match given.filter(|path| path.exists()) {
        Some(path) => {
            path::absolute(path).map_err(|error| NoProgram::Start { maker: name.to_owned(), error })
        }
        None => program(name),
    }
}

impl Parts {
    /// Builds and installs what no earlier run did, for a cluster whose pods get their addresses like this: minutes on a machine where
    /// nothing is there yet, which is said on the standard error.
    ///
    /// # Errors
    ///
    /// When a build fails, or something to build with is missing.
    pub fn ready(ipam: Ipam) -> Result<Self, ClusterError> {
        let berth = || -> Result<Berth, NoProgram> {
            Ok(Berth {
                agent: of_berth("berth-agent")?,
                plugin: of_berth("berth-cni")?,
                operator: of_berth("berth-operator")?,
            })
        };
        Ok(Self {
            kubeup: build::kubeup()?,
            node: environment("node/environment")?,
            plugins: cni_programs()?,
            ec2_sim: program("ec2-sim")?,
            fabric: program("fabric")?,
            berth: (ipam == Ipam::Berth).then(berth).transpose()?,
        })
    }

    /// What the control plane's machine shows.
    pub(crate) fn of_control(&self) -> Vec<Shown> {
        let operator = self.berth.iter().map(|berth| in_path("berth-operator", &berth.operator));
        operator.chain([in_path("kubeup", &self.kubeup)]).collect()
    }

    /// What a node shows.
    pub(crate) fn of_node(&self) -> Vec<Shown> {
        let mut shown = vec![in_path("kubeup", &self.kubeup)];
        for program in ["containerd", "containerd-shim-runc-v2", "ctr"] {
            shown.push(in_path(program, &self.node.join(program)));
        }
        shown.push((super::node::ARCHIVE.to_owned(), self.node.join("app.tar")));
        for plugin in ["cnitool", "host-local", "loopback", "ptp"] {
            shown.push((format!("opt/cni/bin/{plugin}"), self.plugins.join(plugin)));
        }
        if let Some(Berth { agent, plugin, operator: _ }) = &self.berth {
            shown.push(in_path("berth-agent", agent));
            shown.push(("opt/cni/bin/berth-cni".to_owned(), plugin.clone()));
        }
        shown
    }

    /// What the VPC's machine shows.
    pub(crate) fn of_vpc(&self) -> Vec<Shown> {
        vec![in_path("ec2-sim", &self.ec2_sim), in_path("fabric", &self.fabric)]
    }
}

fn in_path(name: &str, file: &Path) -> Shown {
    (format!("bin/{name}"), file.to_owned())
}
