//! Asks the simulated EC2 what is true.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use http::Uri;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::vpc::Vpc;
use crate::world::{Impossible, Links, World};

const WORLD: &str = "/_sim/world";

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why it is not known what EC2 says.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The URL and the path are no URL.
    #[error("{0} is no URL")]
    Url(String, #[source] http::Error),
    /// Nothing comes.
    #[error("no answer to GET {0}")]
    Silent(Uri, #[source] Box<dyn Error + Send + Sync>),
    /// A refusal.
    #[error("GET {0} was answered with {1}: expected 200")]
    Status(Uri, http::StatusCode),
    /// It is no JSON, or of another form.
    #[error("the answer to GET {0} cannot be read")]
    Form(String, #[source] serde_json::Error),
}

/// What was seen at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// As it came: the same need not be read twice.
    world: Vec<u8>,
    links: Links,
    /// The instances with a namespace, and which one it is.
    namespaces: BTreeMap<String, (u64, u64)>,
}

impl Seen {
    /// What is to be there.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or cannot be.
    pub fn wanted(&self) -> Result<Vpc, NotWanted> {
        let world: World = parsed(WORLD, &self.world)?;
        let there: BTreeSet<String> = self.namespaces.keys().cloned().collect();
        Ok(world.wanted(&self.links, &there)?)
    }
}

/// Why what was seen says nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotWanted {
    /// It cannot be read.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// It cannot be.
    #[error("what EC2 says cannot be made true")]
    Impossible(#[from] Impossible),
}

fn parsed<T: serde::de::DeserializeOwned>(path: &str, text: &[u8]) -> Result<T, NoAnswer> {
    serde_json::from_slice(text).map_err(|error| NoAnswer::Form(path.to_owned(), error))
}

/// The simulated EC2, over HTTP.
#[derive(Debug)]
pub struct Ec2 {
    client: Client<HttpConnector, Empty<&'static [u8]>>,
    url: Uri,
    /// The world that was read last and the devices in it, if these are all that it will have.
    last: Option<(Vec<u8>, Links)>,
}

impl Ec2 {
    /// The one at `url`, such as `http://192.0.2.10:4566`.
    #[must_use]
    pub fn new(url: Uri) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, url, last: None }
    }

    /// Looks at everything once: the world first, then the devices of each running instance, which are never older than it.
    ///
    /// # Errors
    ///
    /// When EC2 does not answer.
    pub async fn look(&mut self, namespaces: &Path) -> Result<Seen, NoAnswer> {
        let world = self.get(WORLD).await?;
        let links = match &self.last {
            Some((last, links)) if *last == world => links.clone(),
            _ => self.links(&world).await?,
        };
        let number = |instance: &String| {
            // Through the symbolic link: another namespace has another number.
            let file = fs::metadata(namespaces.join(instance)).ok()?;
            Some((instance.clone(), (file.dev(), file.ino())))
        };
        let namespaces = links.keys().filter_map(number).collect();
        Ok(Seen { world, links, namespaces })
    }

    /// The devices of each running instance of `text`, which are remembered when no further one is awaited.
    async fn links(&mut self, text: &[u8]) -> Result<Links, NoAnswer> {
        let world: World = parsed(WORLD, text)?;
        let mut links = Links::new();
        for instance in world.running() {
            let path = format!("/_sim/links/{instance}");
            links.insert(instance.to_owned(), parsed(&path, &self.get(&path).await?)?);
        }
        self.last = (!world.awaits(&links)).then(|| (text.to_owned(), links.clone()));
        Ok(links)
    }

    async fn get(&self, path: &str) -> Result<Vec<u8>, NoAnswer> {
        let mut parts = self.url.clone().into_parts();
        parts.path_and_query = path.parse().ok();
        let uri =
            Uri::from_parts(parts).map_err(|error| NoAnswer::Url(path.to_owned(), error.into()))?;
        let silent = |error: Box<dyn Error + Send + Sync>| NoAnswer::Silent(uri.clone(), error);
        let exchange = async {
            let response =
                self.client.get(uri.clone()).await.map_err(|error| silent(error.into()))?;
            let status = response.status();
            let body =
                response.into_body().collect().await.map_err(|error| silent(error.into()))?;
            Ok((status, body.to_bytes().to_vec()))
        };
        let answer = tokio::time::timeout(PATIENCE, exchange).await;
        let (status, body) = answer.map_err(|error| silent(error.into()))??;
        if status.is_success() { Ok(body) } else { Err(NoAnswer::Status(uri, status)) }
    }
}
