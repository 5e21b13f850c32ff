//! The resource itself.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::ser::{Error, SerializeStruct};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::spec::{CiliumNodeSpec, Definition};
use crate::status::CiliumNodeStatus;

/// A node's addresses and network interfaces: what its agent wants, and what the operator attached.
///
/// Cluster-scoped, and named after the Kubernetes Node. Agents create it; operators never do.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Resource)]
#[resource(inherit = Definition)]
pub struct CiliumNode {
    /// Name, labels, annotations, owner. Cilium's agents overwrite labels and annotations with those
    /// of the Node.
    pub metadata: ObjectMeta,
    /// What the node is and wants.
    pub spec: CiliumNodeSpec,
    /// What was observed of it; absent in a new object.
    pub status: Option<CiliumNodeStatus>,
}

impl CiliumNode {
    /// An object with a name and a spec, as an agent creates it.
    #[must_use]
    pub fn new(name: &str, spec: CiliumNodeSpec) -> Self {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        Self { metadata, spec, status: None }
    }
}

impl Serialize for CiliumNode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = 4 + usize::from(self.status.is_some());
        let mut object = serializer.serialize_struct("CiliumNode", members)?;
        object.serialize_field("apiVersion", &Self::api_version(&()))?;
        object.serialize_field("kind", &Self::kind(&()))?;
        object.serialize_field("metadata", &Metadata(&self.metadata))?;
        object.serialize_field("spec", &self.spec)?;
        if let Some(status) = &self.status {
            object.serialize_field("status", status)?;
        }
        object.end()
    }
}

/// Metadata as it was read. The type of the Kubernetes libraries reads an owner reference without
/// `uid` as one with an empty `uid`, and would write that.
struct Metadata<'a>(&'a ObjectMeta);

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut owners = self.0.owner_references.iter().flatten();
        if owners.all(|owner| !owner.uid.is_empty()) {
            return self.0.serialize(serializer);
        }
        let mut metadata = serde_json::to_value(self.0).map_err(S::Error::custom)?;
        let owners = metadata["ownerReferences"].as_array_mut();
        for owner in owners.into_iter().flatten().filter_map(Value::as_object_mut) {
            if owner.get("uid").is_some_and(|uid| uid == "") {
                owner.remove("uid");
            }
        }
        metadata.serialize(serializer)
    }
}
