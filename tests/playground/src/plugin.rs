//! The CNI plugin, run for every pod as a container runtime runs it: as a program of its own, or, for scale, in this process.

mod answer;
mod find;
mod program;
mod words;

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

pub use find::FindError;

/// ADDs that run at once: each is a process, and waits for its address.
const ADDS: usize = 64;

/// ADDs that run at once on a node, so that those of a node without addresses leave room for those of others.
const ADDS_OF_A_NODE: usize = 8;

/// DELs that run at once. They are counted apart: what ADDs wait for is what DELs give back.
const DELS: usize = 16;

/// What a plugin gets beyond the time in which it ends by itself, for a machine that is busy with something else.
const LENIENCE: Duration = Duration::from_secs(10);

/// How long a DEL, and what an ADD does beside waiting, takes by the plugin's own word.
const WITHOUT_WAITING: Duration = Duration::from_secs(10);

/// The CNI plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plugin {
    /// The program `berth-cni`, by its path: a process for every pod, as on a node.
    Program(PathBuf),
    /// What the program does, in this process.
    InProcess,
}

impl Plugin {
    /// Finds the program: at `explicit` if that is said; else where Cargo builds it, if Cargo started this process; else beside
    /// this process's own program. It may take as long as Cargo builds, and says so on the standard error.
    ///
    /// # Errors
    /// There is no program there, or it does not build.
    pub fn find(explicit: Option<&Path>) -> Result<Self, FindError> {
        find::find(explicit).map(Self::Program)
    }
}

/// The sandbox of a pod and where its node is asked for addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// 64 hexadecimal digits, as container runtimes make them.
    pub container: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The pod's uid.
    pub uid: String,
    /// Where the agent of the node listens.
    pub socket: PathBuf,
    /// Where DELs wait that find no agent.
    pub queue: PathBuf,
}

/// What a container runtime asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Del,
}

/// Why a plugin did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// It said no.
    #[error("{msg}{} (code {code})", if details.is_empty() { String::new() } else { format!(": {details}") })]
    Refused {
        /// As the CNI specification or the plugin's manual has it; 11 is worth trying again.
        code: u64,
        /// What.
        msg: String,
        /// Why.
        details: String,
    },
    /// It could not be run.
    #[error("{} cannot be run", program.display())]
    Start {
        /// Which program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It was killed, or left alone, because it took too long.
    #[error("no answer from the plugin within {} s", within.as_secs())]
    Late {
        /// How long it had.
        within: Duration,
    },
    /// What it said is neither a result with addresses nor an error.
    #[error("the plugin's answer is neither a result with addresses nor an error: {text:?}")]
    Unreadable {
        /// How it begins.
        text: String,
    },
}

impl PluginError {
    /// Why, in short: the same text for all pods that it holds up, where the whole text has figures and paths of one.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Refused { msg, details, .. } => answer::reason(msg, details),
            Self::Start { .. } => "the plugin cannot be run".to_owned(),
            Self::Late { .. } => "no answer from the plugin".to_owned(),
            Self::Unreadable { .. } => "the plugin's answer is not understood".to_owned(),
        }
    }
}

/// What runs plugins on behalf of all nodes, some at a time. A clone is the same.
#[derive(Debug, Clone)]
pub struct Runtime {
    plugin: Plugin,
    wait: Duration,
    adds: Arc<Semaphore>,
    dels: Arc<Semaphore>,
    of_nodes: Arc<Mutex<BTreeMap<PathBuf, Arc<Semaphore>>>>,
}

/// The permission to run one ADD.
#[derive(Debug)]
pub struct Turn {
    _of_the_node: Option<OwnedSemaphorePermit>,
    _of_all: Option<OwnedSemaphorePermit>,
}

impl Runtime {
    /// Runs `plugin`; its ADDs wait so long for an address.
    #[must_use]
    pub fn new(plugin: Plugin, wait: Duration) -> Self {
        let (adds, dels) = (Arc::new(Semaphore::new(ADDS)), Arc::new(Semaphore::new(DELS)));
        Self { plugin, wait, adds, dels, of_nodes: Arc::default() }
    }

    /// Waits for a turn to run an ADD. Until then nothing runs.
    pub async fn turn(&self, sandbox: &Sandbox) -> Turn {
        let of_node = {
            let mut of_nodes = self.of_nodes.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Semaphore::new(ADDS_OF_A_NODE));
            Arc::clone(of_nodes.entry(sandbox.socket.clone()).or_insert_with(new))
        };
        // Neither semaphore is ever closed.
        let of_the_node = of_node.acquire_owned().await.ok();
        let of_all = Arc::clone(&self.adds).acquire_owned().await.ok();
        Turn { _of_the_node: of_the_node, _of_all: of_all }
    }

    /// Asks for the addresses of a sandbox: at least one. Dropped, it leaves no process; what it may have got meanwhile is for a
    /// DEL to give back.
    ///
    /// # Errors
    /// It was refused, or nothing is known: a DEL, or the same ADD again, must follow.
    pub async fn add(&self, sandbox: &Sandbox, turn: Turn) -> Result<Vec<IpAddr>, PluginError> {
        let text = self.run(Verb::Add, sandbox, self.wait + WITHOUT_WAITING + LENIENCE).await?;
        drop(turn);
        answer::addresses(&text)
    }

    /// Gives back whatever a sandbox holds.
    ///
    /// # Errors
    /// It was refused, or nothing is known: it must be asked for again.
    pub async fn del(&self, sandbox: &Sandbox) -> Result<(), PluginError> {
        let _turn = self.dels.acquire().await;
        self.run(Verb::Del, sandbox, WITHOUT_WAITING + LENIENCE).await.map(drop)
    }

    async fn run(
        &self,
        verb: Verb,
        sandbox: &Sandbox,
        within: Duration,
    ) -> Result<Vec<u8>, PluginError> {
        let done = match &self.plugin {
            Plugin::Program(path) => {
                let variables = words::environment(verb, sandbox, path.parent());
                let conf = words::configuration(sandbox, self.wait, None);
                timeout(within, program::run(path, variables, &conf)).await
            }
            Plugin::InProcess => {
                let variables = words::environment(verb, sandbox, None);
                // What the plugin logs would go to the standard error of this process, which may be a screen.
                let conf = words::configuration(sandbox, self.wait, Some("/dev/null"));
                timeout(within, in_process(variables, conf)).await
            }
        };
        let program::Ended { stdout, is_success } =
            done.unwrap_or(Err(PluginError::Late { within }))?;
        if is_success { Ok(stdout) } else { Err(answer::refusal(&stdout)) }
    }
}

/// Runs what the program runs. It is bounded in time by itself, and cannot be stopped before.
async fn in_process(
    variables: Vec<(&'static str, String)>,
    conf: Vec<u8>,
) -> Result<program::Ended, PluginError> {
    let run = move || {
        let get = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| value.clone())
        };
        berth_cni::plugin::run(get, &conf)
    };
    let ran = tokio::task::spawn_blocking(run).await;
    let outcome = ran.map_err(|error| PluginError::Unreadable { text: error.to_string() })?;
    Ok(program::Ended { stdout: outcome.stdout.into_bytes(), is_success: outcome.is_success })
}
