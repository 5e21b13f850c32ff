//! The real agent of a node in this process: started, killed, away, and back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use berth_agent::clock::Clock;
use berth_agent::journal::storage::FolderError;
use berth_agent::keeper::StartError;
use berth_agent::settings::Settings;
use berth_agent::shell::{self, RunError};
use berth_agent::socket::PrepareError;
use berth_agent::status;
use berth_shell::connect::connect;
use berth_shell::signals::Stop;
use http::HeaderValue;
use kube::Client;
use tokio::time::{Instant, sleep, timeout};

use super::StageError;
use super::part::{Part, Slot, Troubles};

/// How an agent calls itself to the API server.
const USER_AGENT: HeaderValue = HeaderValue::from_static("berth-agent/playground");
/// How long what a killed agent held may be in use: its ledger is closed by a thread of its own.
const HELD: Duration = Duration::from_secs(10);
/// How often it is looked whether something has become as it should.
const LOOK: Duration = Duration::from_millis(100);
/// How long the name of a socket may be (unix(7)).
pub(super) const SOCKET_MAX: usize = 107;

/// Where the parts of a node are on disk.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) folder: PathBuf,
    pub(super) socket: PathBuf,
    pub(super) queue: PathBuf,
    pub(super) cni_conf: PathBuf,
}

impl Places {
    /// Those of the node `name`, below the folder of the stage.
    pub(super) fn of(stage: &Path, name: &str) -> Result<Self, StageError> {
        let folder = stage.join(name);
        let socket = folder.join("run").join("agent.sock");
        if socket.as_os_str().len() > SOCKET_MAX {
            return Err(StageError::SocketTooLong { socket });
        }
        let (queue, cni_conf) = (folder.join("queue"), folder.join("05-cilium.conflist"));
        Ok(Self { folder, socket, queue, cni_conf })
    }
}

/// The agent of a node, whether it runs or not.
#[derive(Debug)]
pub(super) struct Agent {
    node: String,
    flags: Vec<String>,
    socket: PathBuf,
    troubles: Troubles,
    slot: Slot,
}

impl Agent {
    /// An agent that does not run yet.
    pub(super) fn new(node: &str, flags: Vec<String>, socket: PathBuf, troubles: Troubles) -> Self {
        Self { node: node.to_owned(), flags, socket, troubles, slot: Slot::default() }
    }

    /// Starts it.
    pub(super) async fn start(&self) -> Result<(), StageError> {
        self.slot.start(self.run()).await
    }

    /// Kills it, and keeps it away.
    pub(super) async fn keep_away(&self) {
        self.slot.keep_away(|| ()).await;
    }

    /// Starts it again, unless somebody else keeps it away.
    pub(super) async fn back(&self) -> Result<(), StageError> {
        self.slot.back(self.run()).await
    }

    /// Ends it for good. Answers whether it ended in good order.
    pub(super) async fn end(&self, within: Duration) -> bool {
        self.slot.end(within).await
    }

    /// Waits until it can serve pods. Answers whether it did within that time.
    pub(super) async fn serves(&self, within: Duration) -> bool {
        let ready = async {
            while !status::fetch(&self.socket).await.is_ok_and(|report| report.ready) {
                sleep(LOOK).await;
            }
        };
        timeout(within, ready).await.is_ok()
    }

    async fn run(&self) -> Result<Part, StageError> {
        let flags = self.flags.iter().map(String::as_str);
        let settings = Settings::from_arguments(flags)
            .map_err(|source| StageError::Agent { node: self.node.clone(), source })?;
        let client = connect(&settings.kubernetes, USER_AGENT).await?;
        let stop = Stop::unasked();
        let work = serve(settings, client, stop.clone());
        let name = format!("the agent of {}", self.node);
        Ok(Part::start(name, stop, self.troubles.clone(), work))
    }
}

/// Is the agent. One that was killed a moment ago may still hold the folder and the socket: that is waited for.
async fn serve(settings: Settings, client: Client, stop: Stop) -> Result<(), RunError> {
    let start = Instant::now();
    loop {
        let run = shell::run(settings.clone(), Clock::boot(), client.clone(), stop.clone());
        match Box::pin(run).await {
            Err(error) if is_held(&error) && start.elapsed() < HELD => sleep(LOOK).await,
            ended => return ended,
        }
    }
}

const fn is_held(error: &RunError) -> bool {
    matches!(
        error,
        RunError::Keeper(StartError::Folder(FolderError::Locked { .. }))
            | RunError::Socket(PrepareError::Live { .. })
    )
}
