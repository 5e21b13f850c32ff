//! The resource itself.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::de::Error as _;
use serde::ser::{Error as _, SerializeStruct};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::misfits::Misfits;
use crate::spec::{CiliumNodeSpec, Definition};
use crate::status::CiliumNodeStatus;

/// A node's addresses and network interfaces: what its agent wants, and what the operator attached.
///
/// Cluster-scoped, and named after the Kubernetes Node. Agents create it; operators never do.
#[derive(Clone, Debug, Default, PartialEq, Resource)]
#[resource(inherit = Definition)]
pub struct CiliumNode {
    /// Name, labels, annotations, owner. Cilium's agents overwrite labels and annotations with those
    /// of the Node.
    pub metadata: ObjectMeta,
    /// What the node is and wants.
    pub spec: CiliumNodeSpec,
    /// What was observed of it; absent in a new object.
    pub status: Option<CiliumNodeStatus>,
    /// What of `spec` and `status` does not have the type that belongs there. It is not in them, and
    /// is written back with them.
    pub misfits: Misfits,
}

impl CiliumNode {
    /// An object with a name and a spec, as an agent creates it.
    #[must_use]
    pub fn new(name: &str, spec: CiliumNodeSpec) -> Self {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        Self { metadata, spec, ..Self::default() }
    }
}

/// An object of which only the outermost members were read.
#[derive(Deserialize)]
struct Unread {
    metadata: ObjectMeta,
    spec: Value,
    #[serde(default)]
    status: Value,
}

impl<'de> Deserialize<'de> for CiliumNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Unread { metadata, spec, status } = Unread::deserialize(deserializer)?;
        if !spec.is_object() {
            return Err(D::Error::custom("`spec` is not an object"));
        }
        let mut object = Value::from_iter([("spec", spec), ("status", status)]);
        let misfits = Misfits::take_out(&mut object);
        let spec = serde_json::from_value(object["spec"].take()).map_err(D::Error::custom)?;
        let status = serde_json::from_value(object["status"].take()).map_err(D::Error::custom)?;
        Ok(Self { metadata, spec, status, misfits })
    }
}

impl Serialize for CiliumNode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.misfits.is_empty() {
            return Fitting(self).serialize(serializer);
        }
        let mut object = serde_json::to_value(Fitting(self)).map_err(S::Error::custom)?;
        self.misfits.put_back(&mut object);
        object.serialize(serializer)
    }
}

/// An object without its misfits.
struct Fitting<'a>(&'a CiliumNode);

impl Serialize for Fitting<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(node) = self;
        let members = 4 + usize::from(node.status.is_some());
        let mut object = serializer.serialize_struct("CiliumNode", members)?;
        object.serialize_field("apiVersion", &CiliumNode::api_version(&()))?;
        object.serialize_field("kind", &CiliumNode::kind(&()))?;
        object.serialize_field("metadata", &Metadata(&node.metadata))?;
        object.serialize_field("spec", &node.spec)?;
        if let Some(status) = &node.status {
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
