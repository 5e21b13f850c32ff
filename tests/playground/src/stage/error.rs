//! What can keep a stage from being built.

use std::io;
use std::path::PathBuf;

use berth_operator::aws;
use berth_operator::kubernetes::crd::CrdError;
use berth_shell::connect::ConnectError;
use berth_shell::http::BindError;
use ec2_sim::build::BuildError;
use kube::config::KubeconfigError;
use kube_sim::status::Status;

use super::RUN_LABEL;
use super::agent::SOCKET_MAX;

/// Why the stage, or a part of it, cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// A file or folder.
    #[error("{} cannot be written", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder for temporary files is too deep.
    #[error(
        "the socket {} would have a path of {} bytes, and {SOCKET_MAX} are possible: set TMPDIR to a shorter one",
        socket.display(), socket.as_os_str().len()
    )]
    SocketTooLong {
        /// The socket.
        socket: PathBuf,
    },
    /// A server cannot listen on loopback.
    #[error("no port of 127.0.0.1 can be listened on")]
    Listen(#[source] io::Error),
    /// The port of the operator.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The simulated EC2 does not take a part of the plan.
    #[error("EC2: {0}")]
    Ec2(#[from] BuildError),
    /// A node that EC2 does not launch.
    #[error("{node} cannot be launched: {source}")]
    Launch {
        /// The node.
        node: String,
        /// Why.
        source: Box<StageError>,
    },
    /// A name that no subnet of the plan has.
    #[error("there is no subnet {name:?} in the plan")]
    NoSubnet {
        /// The name.
        name: String,
    },
    /// Flags of the operator.
    #[error("the operator's flags: {0}")]
    Operator(#[from] berth_operator::settings::SettingsError),
    /// Flags of an agent.
    #[error("the flags of the agent of {node}: {source}")]
    Agent {
        /// Its node.
        node: String,
        /// What is wrong with them.
        source: berth_agent::settings::SettingsError,
    },
    /// The operator's way to EC2.
    #[error(transparent)]
    Aws(#[from] aws::ConnectError),
    /// The way to the API server.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A kubeconfig.
    #[error("the kubeconfig {} cannot be used", path.display())]
    Kubeconfig {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: KubeconfigError,
    },
    /// The simulated API server does not take the definition of `CiliumNode`.
    #[error("the definition of CiliumNode is refused: {0:?}")]
    Definition(Box<Status>),
    /// There are no `CiliumNode`s.
    #[error(transparent)]
    Crd(#[from] CrdError),
    /// An object that cannot be written as JSON, or read from it.
    #[error("{what} is not as Kubernetes has it")]
    Object {
        /// Which.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// The API server refuses something, or does not answer.
    #[error("the API server: {what}")]
    Kubernetes {
        /// What it was about.
        what: String,
        /// What it says.
        source: Box<kube::Error>,
    },
    /// The cluster is somebody's.
    #[error(
        "this cluster is in use: {kind} {name} and {} more of its kind are not the playground's (they have no label {RUN_LABEL}), and its operator would act on them. \
         Give --kubeconfig of an empty cluster, such as kubeup in tests/real starts, or leave it out", count - 1
    )]
    Occupied {
        /// Of what kind.
        kind: &'static str,
        /// The first one.
        name: String,
        /// How many there are.
        count: usize,
    },
    /// Another playground plays there.
    #[error(
        "another playground uses this cluster: {holder} holds the Lease of its operator. Wait until it has ended"
    )]
    InUse {
        /// Who.
        holder: String,
    },
}
