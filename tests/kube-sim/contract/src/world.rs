//! One server that the cases run against.

use anyhow::Result;
use futures::future::BoxFuture;
use kube::Client;
use tokio::sync::RwLock;

use crate::crds;

/// Makes a server forget everything but the present: of its history, which it may keep as long as it likes.
pub type Compaction = Box<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// One server that the cases run against.
pub struct World {
    pub(crate) name: String,
    pub(crate) client: Client,
    pub(crate) compaction: Option<Compaction>,
    /// Held shared by each case, and by one that compacts alone: the others count on history.
    pub(crate) history: RwLock<()>,
}

impl World {
    /// A server, under the name that its tests get. `client` must be allowed to do everything.
    #[must_use]
    pub fn new(name: &str, client: Client) -> Self {
        Self { name: name.to_owned(), client, compaction: None, history: RwLock::new(()) }
    }

    /// Says how this server is made to forget. Without it, the cases about that are reported as ignored.
    #[must_use]
    pub fn with_compaction(mut self, compaction: Compaction) -> Self {
        self.compaction = Some(compaction);
        self
    }

    /// Registers the custom resources that all cases share, and returns those that were not there.
    ///
    /// # Errors
    ///
    /// What the server answered when it refused one, or that it does not serve one in time.
    pub(crate) async fn prepare(&self) -> Result<Vec<&'static str>> {
        crds::register(&self.client).await
    }

    /// Takes the custom resources away again that [`World::prepare`] registered.
    pub(crate) async fn clean(&self, registered: &[&str]) -> Result<()> {
        crds::remove(&self.client, registered).await
    }
}
