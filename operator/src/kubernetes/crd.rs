//! The definition of the `CiliumNode` resource: there, or installed, and never replaced.

use std::fmt;
use std::time::Duration;

use cilium_node::CiliumNode;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionVersion, JSONSchemaProps,
    JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::api::{ListParams, PostParams};
use kube::{Api, Client, Resource};
use tokio::time::{Instant, sleep, timeout_at};

/// How often it is looked whether a definition is in force, or whether the API server is back.
const PAUSE: Duration = Duration::from_millis(500);

/// What is wrong with a definition that the API server has not looked at yet, or does not take.
const NOT_ESTABLISHED: &str = "it is not established yet";

/// Members that a schema may lack without anybody missing them: other clouds, other modes, and what became obsolete.
const DISPENSABLE: [&str; 17] = [
    "spec.alibaba-cloud",
    "spec.azure",
    "spec.bootid",
    "spec.eni.instance-id",
    "spec.eni.max-above-watermark",
    "spec.eni.min-allocate",
    "spec.eni.pre-allocate",
    "spec.ingress",
    "spec.ipam.ipv6-pool",
    "spec.ipam.podCIDRs",
    "spec.nodeidentity",
    "status.alibaba-cloud",
    "status.azure",
    "status.ipam.ipv6-used",
    "status.ipam.operator-status",
    "status.ipam.pod-cidrs",
    "status.ipam.release-ipv6s",
];

/// What a definition that somebody else installed has not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum MissingMember {
    /// The version in which agents and operators speak.
    Version,
    /// The subresource through which the status is written.
    StatusSubresource,
    /// A member. The API server silently drops it from whatever is written.
    Member {
        /// Where it belongs: `status.eni.enis.*.ipv6-prefixes`, a `*` for each key or index.
        path: String,
    },
}

impl fmt::Display for MissingMember {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version => write!(to, "version {}", CiliumNode::version(&())),
            Self::StatusSubresource => to.write_str("subresource status"),
            Self::Member { path } => to.write_str(path),
        }
    }
}

/// How it stands with the definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrdState {
    /// It was there already, and stays as it is.
    Present {
        /// What it has not.
        missing: Vec<MissingMember>,
    },
    /// It was not there and is now.
    Installed,
    /// Definitions may not be read, but `CiliumNode`s are served. Whether something is missing is not known.
    NotReadable,
}

/// Why there are no `CiliumNode`s.
#[derive(Debug, thiserror::Error)]
pub enum CrdError {
    /// There is no definition, and it must not be installed.
    #[error(
        "the API server has no resource {resource}: let the operator install its definition, or apply deploy/crds"
    )]
    Absent {
        /// `ciliumnodes.cilium.io`.
        resource: String,
    },
    /// A permission is missing.
    #[error(
        "no permission to {verb} {resource}: grant it, or apply deploy/crds and grant list on ciliumnodes.cilium.io"
    )]
    Forbidden {
        /// The verb.
        verb: &'static str,
        /// The resource.
        resource: String,
        /// What the API server says.
        source: Box<kube::Error>,
    },
    /// The API server finds the definition wrong.
    #[error("the API server does not take the definition of {resource}")]
    Refused {
        /// `ciliumnodes.cilium.io`.
        resource: String,
        /// What the API server says.
        source: Box<kube::Error>,
    },
    /// It took too long.
    #[error("no definition in force after {waited:?}: {problem}")]
    NotInTime {
        /// How long was waited.
        waited: Duration,
        /// What was wrong last.
        problem: String,
    },
}

/// Makes sure that `CiliumNode`s are served: installs the definition when there is none and `install` says so, and
/// waits until it is in force. Definitions that are there are compared and left alone.
///
/// # Errors
/// When `CiliumNode`s are not served after `patience`, or cannot be.
pub async fn ensure(
    client: &Client,
    install: bool,
    patience: Duration,
) -> Result<CrdState, CrdError> {
    let end = Instant::now() + patience;
    let definition = Definition { client, api: Api::all(client.clone()), install };
    let mut installed = false;
    let mut problem = "no answer from the API server".to_owned();
    loop {
        match timeout_at(end, definition.look(&mut installed)).await {
            Ok(Ok(state)) => return Ok(state),
            Ok(Err(Obstacle::Final(error))) => return Err(error),
            Ok(Err(Obstacle::Passing(text))) => problem = text,
            Err(_) => return Err(CrdError::NotInTime { waited: patience, problem }),
        }
        sleep(PAUSE).await;
    }
}

/// Why it is not so far.
enum Obstacle {
    /// It never will be.
    Final(CrdError),
    /// It may be soon.
    Passing(String),
}

impl From<kube::Error> for Obstacle {
    fn from(error: kube::Error) -> Self {
        Self::Passing(berth_shell::problem::chain(&error))
    }
}

struct Definition<'a> {
    client: &'a Client,
    api: Api<CustomResourceDefinition>,
    install: bool,
}

impl Definition<'_> {
    async fn look(&self, installed: &mut bool) -> Result<CrdState, Obstacle> {
        match self.api.get_opt(&name()).await {
            Ok(Some(definition)) => match not_in_force(&definition) {
                Some(why) => Err(Obstacle::Passing(why.to_owned())),
                None if *installed => Ok(CrdState::Installed),
                None => Ok(CrdState::Present { missing: missing(&definition) }),
            },
            Ok(None) if self.install => {
                *installed |= self.create().await?;
                Err(Obstacle::Passing(NOT_ESTABLISHED.to_owned()))
            }
            Ok(None) => Err(Obstacle::Final(CrdError::Absent { resource: name() })),
            Err(error) if code(&error) == Some(403) => self.without_reading(error).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Answers whether this call made it.
    async fn create(&self) -> Result<bool, Obstacle> {
        let Err(error) = self.api.create(&PostParams::default(), &cilium_node::crd()).await else {
            return Ok(true);
        };
        let resource = name();
        match code(&error) {
            Some(409) => Ok(false),
            Some(403) => {
                let (verb, resource) = ("create", "customresourcedefinitions".to_owned());
                let source = Box::new(error);
                Err(Obstacle::Final(CrdError::Forbidden { verb, resource, source }))
            }
            Some(400 | 422) => {
                Err(Obstacle::Final(CrdError::Refused { resource, source: Box::new(error) }))
            }
            _ => Err(error.into()),
        }
    }

    async fn without_reading(&self, refused: kube::Error) -> Result<CrdState, Obstacle> {
        let nodes = Api::<CiliumNode>::all(self.client.clone());
        match nodes.list_metadata(&ListParams::default().limit(1)).await {
            Ok(_) => Ok(CrdState::NotReadable),
            Err(error) if matches!(code(&error), Some(403 | 404)) => {
                let (verb, resource) = ("get", "customresourcedefinitions".to_owned());
                let source = Box::new(refused);
                Err(Obstacle::Final(CrdError::Forbidden { verb, resource, source }))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn name() -> String {
    format!("{}.{}", CiliumNode::plural(&()), CiliumNode::group(&()))
}

const fn code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// Why it is not in force; `None` when it is.
fn not_in_force(definition: &CustomResourceDefinition) -> Option<&'static str> {
    // Until everything of its kind is gone, it is still there and says that it is established.
    if definition.metadata.deletion_timestamp.is_some() {
        return Some("it is being deleted");
    }
    let conditions = definition.status.as_ref().and_then(|status| status.conditions.as_ref());
    let mut conditions = conditions.into_iter().flatten();
    if conditions.any(|condition| condition.type_ == "Established" && condition.status == "True") {
        return None;
    }
    Some(NOT_ESTABLISHED)
}

/// What a definition has not that Berth or the agents write.
#[must_use]
pub fn missing(definition: &CustomResourceDefinition) -> Vec<MissingMember> {
    let ours = cilium_node::crd();
    let (Some(ours), Some(theirs)) = (version(&ours), version(definition)) else {
        return vec![MissingMember::Version];
    };
    let mut missing = vec![];
    if theirs.subresources.as_ref().is_none_or(|it| it.status.is_none()) {
        missing.push(MissingMember::StatusSubresource);
    }
    if let (Some(ours), Some(theirs)) = (root(ours), root(theirs)) {
        compare(ours, theirs, "", &mut missing);
    }
    missing
}

fn version(definition: &CustomResourceDefinition) -> Option<&CustomResourceDefinitionVersion> {
    let name = CiliumNode::version(&());
    definition.spec.versions.iter().find(|version| version.name == name && version.served)
}

fn root(version: &CustomResourceDefinitionVersion) -> Option<&JSONSchemaProps> {
    version.schema.as_ref()?.open_api_v3_schema.as_ref()
}

/// Notes the members of `ours` that `theirs` does not keep, those in them not again.
fn compare(
    ours: &JSONSchemaProps,
    theirs: &JSONSchemaProps,
    path: &str,
    missing: &mut Vec<MissingMember>,
) {
    let known = theirs.properties.as_ref();
    for (name, member) in ours.properties.iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match known.and_then(|known| known.get(name)) {
            Some(known) => compare(member, known, &path, missing),
            None if keeps_unknown(theirs) || DISPENSABLE.contains(&path.as_str()) => {}
            None => missing.push(MissingMember::Member { path }),
        }
    }
    if let (Some(ours), Some(theirs)) = (entries(ours), entries(theirs)) {
        compare(ours, theirs, &format!("{path}.*"), missing);
    }
}

/// Whether the API server keeps members that the schema does not name.
fn keeps_unknown(schema: &JSONSchemaProps) -> bool {
    schema.x_kubernetes_preserve_unknown_fields == Some(true)
        || !matches!(schema.additional_properties, None | Some(JSONSchemaPropsOrBool::Bool(false)))
}

/// The schema of the entries of a list or of a map.
fn entries(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        return Some(items);
    }
    match &schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(values)) => Some(values),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
