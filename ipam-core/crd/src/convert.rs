//! Where the wire and the words of `ipam-core` meet, and nowhere else.
//!
//! Reading ([`convert`]) never fails: it returns what is usable, and for each entry that is not its
//! exact place and what was expected there. Writing ([`eni_status`], [`pool`]) cannot produce
//! anything malformed, because it starts from checked values.

mod eni;
mod ipam;
mod problem;
mod publish;
mod settings;
mod word;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipam_core::ids::{EniId, NodeName, SubnetId, VpcId};
use ipam_core::view::{Demand, EniView, NodeIdentity, NodeSettings, VpcView};
use ipnet::{IpNet, Ipv4Net};

use crate::CiliumNode;

pub use ipam::Used;
pub use ipam_core::agent::Release;
pub use problem::{Fault, Problem};
pub use publish::{eni_status, pool, release_state};
pub use word::{Heard, word};

use problem::Problems;

/// A `CiliumNode` in the words of the core, and what in it makes no sense.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    /// What is usable.
    pub node: NodeFacts,
    /// What is not, in the order of the object's members here; last comes what has the wrong type
    /// ([`CiliumNode::misfits`]). Empty for every recorded object.
    pub problems: Vec<Problem>,
}

/// What a `CiliumNode` says, as far as it is usable.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeFacts {
    /// Which instance the node is and where; `None` when a member that it takes is missing or
    /// malformed. An object of another IPAM mode has none.
    pub identity: Option<NodeIdentity>,
    /// What its owner asked for; `None` when that is not certain. A malformed
    /// `first-interface-index`, security group or `max-allocate`, a `subnet-ids` without one
    /// well-formed id, and anything in `spec.eni` of the wrong type would each read as "no wish", and
    /// pods would get addresses where their owner does not want them, or more than they may have. Any
    /// other watermark out of range only falls back to its default.
    pub settings: Option<NodeSettings>,
    /// What its agent uses or asks for, by the contract it speaks. More than fits the type is as much
    /// as fits; 0 where it cannot be read, see `use_is_certain`.
    pub demand: Demand,
    /// Addresses in use, as a per-IP agent reports them.
    pub used: BTreeMap<Ipv4Addr, Used>,
    /// Usable addresses, as an operator published them: each with its ENI.
    pub pool: BTreeMap<Ipv4Addr, EniId>,
    /// Addresses on their way back under the per-IP contract.
    pub releases: BTreeMap<Ipv4Addr, Release>,
    /// CIDRs that the agent uses under the CIDR contract, in the pool of ENI mode.
    pub allocated: BTreeSet<IpNet>,
    /// Whether everything that `demand`, `used` and `allocated` were read from made sense. When not,
    /// nothing of the node may be released: what cannot be read may stand for an address in use or
    /// asked for.
    pub use_is_certain: bool,
    /// The attached ENIs, as an operator published them, by id.
    pub enis: Vec<EniView>,
    /// CIDRs of the subnets that the ENIs are in.
    pub subnets: BTreeMap<SubnetId, Ipv4Net>,
    /// CIDRs of the VPCs that the ENIs are in.
    pub vpcs: BTreeMap<VpcId, VpcView>,
}

/// Reads a node. One bad entry never hides the others.
///
/// ```
/// let node = serde_json::from_value(serde_json::json!({
///     "apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {"name": "n"},
///     "spec": {"ipam": {"pool": {
///         "10.0.0.1": {"resource": "eni-1"},
///         "10.0.0.999": {"resource": "eni-1"},
///     }}},
/// }))?;
/// let conversion = cilium_node::convert(&node);
/// let problems: Vec<_> = conversion.problems.iter().map(ToString::to_string).collect();
/// assert!(problems.contains(&r#"spec.ipam.pool["10.0.0.999"]: not an IPv4 address"#.to_owned()));
/// assert_eq!(conversion.node.pool.len(), 1, "the other entry is there");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use]
pub fn convert(node: &CiliumNode) -> Conversion {
    let mut problems = Problems::default();
    let name = node.metadata.name.as_deref();
    let name = problems.required::<NodeName>(name, "a node name", format_args!("metadata.name"));
    let identity = settings::identity(name, &node.spec, &mut problems);
    let settings = settings::settings(node, &mut problems);
    let ipam = ipam::read(node, &mut problems);
    let attached = eni::read(node, &mut problems);
    problems.replace_by(&node.misfits);
    let node = NodeFacts {
        identity,
        settings,
        demand: ipam.demand,
        used: ipam.used,
        pool: ipam.pool,
        releases: ipam.releases,
        allocated: ipam.allocated,
        use_is_certain: ipam.use_is_certain,
        enis: attached.enis,
        subnets: attached.subnets,
        vpcs: attached.vpcs,
    };
    Conversion { node, problems: problems.into_vec() }
}
