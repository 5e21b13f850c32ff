//! What an instance says of itself: its metadata service, in the version with session tokens (EC2 user guide, "Use IMDSv2").
//!
//! What is read is in paths below `latest/meta-data/` (EC2 user guide, "Instance metadata categories"). What stands there is made
//! of in functions of it alone; a text that is empty or malformed is an error that names the path and what was expected,
//! never a value: an empty instance id once made an operator list the interfaces of a whole account (cilium/cilium#15682).
//!
//! The service lags behind EC2, and while an interface comes or goes, a part of what belongs to it may be missing. Such an
//! interface is left out, and asked for again soon.

mod client;
mod endpoint;
mod facts;
mod follow;
mod interfaces;
mod problem;
mod texts;

use std::sync::Arc;

use client::Client;
use ipam_core::ids::MacAddress;
use texts::Texts;

pub use endpoint::{Endpoint, InvalidEndpoint};
pub use facts::InstanceFacts;
pub use follow::{facts_at_last, follow};
pub use interfaces::{Interfaces, LeftOut};
pub use problem::ImdsError;

/// The metadata service of this instance. Clones share a connection and a token.
#[derive(Debug, Clone)]
pub struct Imds(Arc<Client>);

impl Imds {
    /// The service at `endpoint`. Nothing is asked before something is wanted.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self(Arc::new(Client::new(endpoint)))
    }

    /// Who and where the instance is.
    ///
    /// # Errors
    /// The service cannot be asked, after some attempts, or something that it says makes no sense.
    pub async fn facts(&self) -> Result<InstanceFacts, ImdsError> {
        let mut texts = Texts::default();
        self.read(&mut texts, facts::PATHS.map(str::to_owned)).await?;
        let mac = facts::primary_mac(&texts)?;
        self.read(&mut texts, facts::paths_of_primary(mac)).await?;
        InstanceFacts::parse(&texts)
    }

    /// The interfaces that are attached, with their addresses and prefixes.
    ///
    /// # Errors
    /// The service cannot be asked, after some attempts, or its list of interfaces makes no sense. What is wrong with one
    /// interface is in [`Interfaces::left_out`].
    pub async fn interfaces(&self) -> Result<Interfaces, ImdsError> {
        let mut texts = Texts::default();
        self.read(&mut texts, [interfaces::MACS.to_owned()]).await?;
        let mut found = Interfaces::default();
        for mac in interfaces::macs(&texts)? {
            match self.read(&mut texts, interfaces::paths_of(mac)).await {
                Err(problem) if problem.is_of_one_path() => found.leave_out(mac, problem),
                Err(problem) => return Err(problem),
                Ok(()) => found.add(mac, &texts),
            }
        }
        Ok(found)
    }

    async fn read(
        &self,
        texts: &mut Texts,
        paths: impl IntoIterator<Item = String>,
    ) -> Result<(), ImdsError> {
        for path in paths {
            if let Some(text) = self.0.get(&path).await? {
                texts.insert(path, text);
            }
        }
        Ok(())
    }
}

/// The path of what the service says of an interface.
fn path_of(mac: MacAddress, leaf: &str) -> String {
    format!("{}{mac}/{leaf}", interfaces::MACS)
}

#[cfg(test)]
mod tests;
