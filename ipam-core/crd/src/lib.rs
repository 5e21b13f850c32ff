//! The `cilium.io/v2` `CiliumNode` resource as it crosses the wire.
//!
//! One cluster-scoped object per Kubernetes node, named after it, is all that agents and operator
//! say to each other. Two generations of agents use it in two ways, see [`contract()`].
//!
//! **What this crate knows:** the JSON names, types and writers of the members; the schema that an
//! API server checks them with ([`crd`], printed by the program `crdgen`); which contract a node
//! speaks. **What it does not know:** clients, watches, EC2, and what to do about any of it.
//!
//! **Invariant: reading and writing back changes nothing.** Agents and operators are upgraded at
//! different times, so a member this crate has never heard of is kept in the `unknown` member of
//! the struct that holds it, and a member that is absent, empty or false stays exactly that, which
//! is why nearly everything is an [`Option`]. Three things lie outside of it: an explicit `null` in
//! place of a member named here is read as absent; `metadata` is the Kubernetes libraries' type;
//! and beside `spec` and `status` there is nothing, because API servers store nothing else there.
//!
//! Addresses, prefixes and ids are plain text here. They are checked when they become values of
//! `ipam-core`, entry by entry, so that one bad entry does not make a whole node unreadable. The same
//! goes for a member or an entry of another type than the schema gives it, such as a number in place
//! of an object: it is kept in [`CiliumNode::misfits`] and written back.
//!
//! **What cannot be read at all:** an object without a `spec` that is an object, `metadata` of another
//! shape, and what the JSON reader itself refuses, such as more than the 128 levels that `serde_json`
//! follows. Whoever lists nodes must therefore decode the list item by item, or one such object hides
//! all others.
//!
//! Sources: the recorded field listings of the CRD's schema versions 1.32.5 and 1.33.9, and 55
//! objects recorded from the operators of both generations (`tests/data`).

mod clouds;
mod contract;
pub mod convert;
mod eni;
mod ipam;
mod misfits;
mod node;
mod schema;
mod spec;
mod status;

use std::collections::BTreeMap;

pub use clouds::{AlibabaCloudSpec, AlibabaCloudStatus, AzureSpec, AzureStatus};
pub use contract::{IGNORE_ANNOTATION, contract, is_ignored};
pub use convert::convert;
pub use eni::{Eni, EniSpec, EniStatus, EniSubnet, EniVpc};
pub use ipam::{
    AllocatedPool, Allocation, Allocations, DEFAULT_POOL, IpamSpec, IpamStatus, Needed,
    OperatorStatus, PodCidr, Pools, ReleaseState, RequestedPool,
};
pub use misfits::{Misfit, Misfits};
pub use node::CiliumNode;
pub use schema::{SCHEMA_VERSION, SCHEMA_VERSION_LABEL, crd, crd_yaml};
pub use spec::{CiliumNodeSpec, Encryption, FamilyAddresses, NodeAddress};
pub use status::CiliumNodeStatus;

/// The members of one JSON object that its struct does not name, kept to be written back.
///
/// A key that the struct does name never gets in by reading, and must not be put in by hand: it
/// would be written twice.
pub type Unknown = BTreeMap<String, serde_json::Value>;

/// Tags of an EC2 resource, or a condition that several tags must all meet.
pub type Tags = BTreeMap<String, String>;
