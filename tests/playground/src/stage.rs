//! Everything that is played on: a simulated EC2, a Kubernetes API, the real operator, and nodes with a real agent each, all in this process.
//!
//! What runs here speaks over loopback: the operator to EC2 and to the API server, the agents to the metadata of their instances and to the
//! API server. Plugins reach the agents through their sockets.

mod agent;
mod cluster;
mod error;
mod files;
mod flags;
mod happen;
mod launch;
mod objects;
mod operator;
mod part;
mod world;

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use berth_operator::board::Board;
use ec2_sim::face::shared::Shared;
use futures::future::join_all;
use kube::Client;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use self::cluster::Cluster;
pub use self::error::StageError;
pub use self::happen::Evict;
use self::launch::Crew;
use self::operator::{Operator, Surroundings};
use self::part::Troubles;
use self::world::World;
use crate::book::Book;
use crate::news::News;
use crate::nodes::Nodes;
use crate::plan::{NodeGroup, Plan, Served, What};

/// The namespace of the pods that come and go by themselves, and of the operator's Lease. Pods of other namespaces are served and left alone.
pub const NAMESPACE: &str = "playground";
/// The label of every Node, `CiliumNode` and namespace that the playground makes.
pub const RUN_LABEL: &str = "berth.playground/run";

/// How long all of the end may take.
const END: Duration = Duration::from_secs(15);
/// And what was made in a real cluster beside it: its controllers may have much to do.
const CLEARED: Duration = Duration::from_secs(30);
/// How long the agents may take of that, and then the operator.
const PART_ENDS: Duration = Duration::from_secs(6);

/// Where the stage is built.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The way to a real API server; without it one is simulated.
    pub kubeconfig: Option<PathBuf>,
    /// Whether the folder of the stage outlives it.
    pub keeps_folder: bool,
}

/// Everything that is played on.
pub struct Stage {
    scene: Arc<Scene>,
    servers: Servers,
    folder: TempDir,
    /// What lasts: happenings, nodes that join later, signs of life.
    lasting: Mutex<JoinSet<()>>,
}

/// What is served over loopback.
struct Servers {
    ec2: ec2_sim::face::http::Server,
    kubernetes: Option<kube_sim::Server>,
}

/// What everything that happens works with.
struct Scene {
    plan: Plan,
    folder: PathBuf,
    world: World,
    cluster: Cluster,
    operator: Operator,
    crew: Crew,
    nodes: Nodes,
    news: News,
    troubles: Troubles,
}

impl Stage {
    /// Builds EC2 with the network of the plan and the way to the API server, and starts the operator. There are no nodes yet.
    ///
    /// # Errors
    /// [`StageError`]: something cannot be built, or a real cluster is somebody's. Nothing was written there then.
    pub async fn build(plan: &Plan, place: Place, news: News) -> Result<Self, StageError> {
        files::raise_limit(plan, &news);
        let folder = make_folder(&place)?;
        let (world, ec2) = World::build(plan).await?;
        let (cluster, kubernetes) = Cluster::build(&place, folder.path(), plan.seed).await?;
        let troubles = Troubles::new(news.clone());
        let surroundings = Surroundings {
            flags: plan.operator.clone(),
            prefixes: plan.nodes.iter().any(takes_prefixes),
            ec2: world.endpoint(),
            region: world.region.clone(),
            kubeconfig: cluster.kubeconfig("operator"),
            api_server: cluster.url.clone(),
        };
        let operator = Operator::new(surroundings, troubles.clone());
        if let Err(error) = operator.start().await {
            cluster.clear().await?;
            return Err(error);
        }
        let scene = Scene {
            plan: plan.clone(),
            folder: folder.path().to_owned(),
            world,
            cluster,
            operator,
            crew: Crew::default(),
            nodes: Nodes::default(),
            news,
            troubles,
        };
        let servers = Servers { ec2, kubernetes };
        Ok(Self { scene: Arc::new(scene), servers, folder, lasting: Mutex::default() })
    }

    /// The simulated EC2.
    #[must_use]
    pub fn ec2(&self) -> &Shared {
        &self.scene.world.ec2
    }

    /// The URL of the EC2 API.
    #[must_use]
    pub fn ec2_endpoint(&self) -> String {
        self.scene.world.endpoint()
    }

    /// The Region of EC2.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.scene.world.region
    }

    /// A client of the API server.
    #[must_use]
    pub fn client(&self) -> Client {
        self.scene.cluster.client.clone()
    }

    /// A kubeconfig for people.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.scene.cluster.kubeconfig("kubectl")
    }

    /// The nodes that are there.
    #[must_use]
    pub fn nodes(&self) -> &Nodes {
        &self.scene.nodes
    }

    /// What the operator shows that runs now; none while it is away.
    #[must_use]
    pub fn board(&self) -> Option<Arc<Board>> {
        self.scene.operator.board()
    }

    /// Where the operator serves `/nodes`, `/metrics`, `/healthz` and `/readyz`.
    #[must_use]
    pub fn operator_address(&self) -> Option<SocketAddr> {
        self.scene.operator.address()
    }

    /// The folder of everything that is on disk.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What of the stage itself broke so far: parts of Berth that ended by themselves, nodes that could not be made.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        self.scene.troubles.all()
    }

    /// Launches the nodes that join at the start, and takes what others have of the subnets. Those that join later come by themselves. Whether
    /// any of them serves pods is not waited for.
    ///
    /// # Errors
    /// A node cannot be launched or cannot join.
    pub async fn open(&self) -> Result<(), StageError> {
        let (now, later): (Vec<_>, Vec<_>) =
            self.scene.plan.nodes.iter().cloned().partition(|group| group.joins_at.is_zero());
        let mut launched = Vec::new();
        for group in now.into_iter().map(Arc::new) {
            for blueprint in self.scene.crew.blueprints(&group) {
                let instance = self.scene.launch(&blueprint)?;
                launched.push((blueprint, instance));
            }
        }
        for subnet in &self.scene.plan.network.subnets {
            if let Some(left) = subnet.left {
                self.scene.world.leave(&subnet.name, left)?;
            }
        }
        if let Some(error) = self.scene.join_all(launched).await.into_iter().next() {
            return Err(error);
        }
        for group in later {
            self.keep(Arc::clone(&self.scene).join_later(Arc::new(group)));
        }
        if self.scene.cluster.is_real() {
            let scene = Arc::clone(&self.scene);
            self.keep(async move { scene.keep_alive().await });
        }
        Ok(())
    }

    /// Lets something of the timeline happen. What lasts goes on beside the rest; bursts of pods are not the stage's.
    pub fn happen<E: Evict>(&self, what: &What, book: &Book, pods: &Arc<E>) {
        let scene = Arc::clone(&self.scene);
        self.keep(scene.happen(what.clone(), book.clone(), Arc::clone(pods)));
    }

    fn keep(&self, lasting: impl Future<Output = ()> + Send + 'static) {
        let mut all = self.lasting.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(ended) = all.try_join_next() {
            self.scene.note(&ended);
        }
        all.spawn(lasting);
    }

    /// Ends everything: what still lasts, the agents, the operator, what was made in a real cluster, the servers. It takes 15 seconds at most,
    /// and half a minute more where something is to be taken away of a real cluster. Answers what broke.
    pub async fn end(self) -> Vec<String> {
        let Self { scene, servers, folder, lasting } = self;
        let mut lasting = lasting.into_inner().unwrap_or_else(PoisonError::into_inner);
        let within = if scene.cluster.is_real() { END + CLEARED } else { END };
        let deadline = Instant::now() + within;
        let orderly = async {
            while let Some(ended) = lasting.try_join_next() {
                scene.note(&ended);
            }
            lasting.shutdown().await;
            scene.end().await;
            servers.end().await;
        };
        if timeout_at(deadline, orderly).await.is_err() {
            scene.news.warn(format!("not everything ended within {within:?}"));
        }
        drop(folder);
        scene.troubles.all()
    }
}

impl Servers {
    async fn end(self) {
        let Self { ec2, kubernetes } = self;
        let kubernetes = async {
            if let Some(kubernetes) = kubernetes {
                kubernetes.stop().await;
            }
        };
        let (_had_failed_before, ()) = tokio::join!(ec2.stop(), kubernetes);
    }
}

impl Scene {
    /// Nodes of a group that joins when something has happened already.
    async fn join_later(self: Arc<Self>, group: Arc<NodeGroup>) {
        sleep(group.joins_at).await;
        self.news.tell(format!("{} nodes of {} join", group.count, group.name));
        let mut launched = Vec::new();
        for blueprint in self.crew.blueprints(&group) {
            match self.launch(&blueprint) {
                Ok(instance) => launched.push((blueprint, instance)),
                Err(error) => self.broken("a node is not launched", &error),
            }
        }
        for error in self.join_all(launched).await {
            self.broken("a node does not join", &error);
        }
    }

    async fn keep_alive(&self) {
        let names = || self.nodes.all().into_iter().map(|node| node.name).collect();
        self.cluster.keep_alive(names).await;
    }

    /// Says that something that lasted ended by a panic.
    fn note(&self, ended: &Result<(), tokio::task::JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            self.troubles.add(format!("something that happened broke: {error}"));
        }
    }

    async fn end(&self) {
        // What is out of service would keep the agents from saying what changed last.
        self.cluster.end_all_outages();
        let agents: Vec<_> =
            self.crew.of_group(None).into_iter().filter_map(|made| made.agent).collect();
        let ended = join_all(agents.iter().map(|agent| agent.end(PART_ENDS))).await;
        let killed = ended.into_iter().filter(|in_order| !in_order).count();
        if killed > 0 {
            self.news.warn(format!("{killed} agents did not end within {PART_ENDS:?}"));
        }
        if !self.operator.end(PART_ENDS).await {
            self.news.warn(format!("the operator did not end within {PART_ENDS:?}"));
        }
        if let Err(error) = self.cluster.clear().await {
            self.broken("what was made in the cluster is not all taken away", &error);
        }
    }
}

fn takes_prefixes(group: &NodeGroup) -> bool {
    matches!(group.served, Served::Berth { prefixes: true, .. })
}

/// A folder that its owner alone can use.
fn make_folder(place: &Place) -> Result<TempDir, StageError> {
    let made = tempfile::Builder::new()
        .prefix("berth-")
        .permissions(Permissions::from_mode(0o700))
        .disable_cleanup(place.keeps_folder)
        .tempdir();
    made.map_err(|source| StageError::Folder { path: std::env::temp_dir(), source })
}
