//! The control handle: builds and disturbs the world beside the API, without throttling, permissions or read staleness.
//!
//! What it builds is visible to every reader at once, and obeys the same rules of addressing, and the same limits of instance types, as
//! what the API makes. Only quotas are not asked, so that a world can be one that somebody else has filled.

mod disturb;
mod interface;
mod network;
mod new;
#[cfg(test)]
mod tests;

pub use self::new::{
    Holding, NewAttachment, NewElasticIp, NewInstance, NewInterface, NewReservation, NewRouteTable,
    NewSecurityGroup, NewSubnet, NewVpc,
};
use crate::error::ApiError;
use crate::machine::Ec2;
use crate::world::World;

/// What could not be built, and what was expected instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A reference to what is not there.
    #[error("{kind} `{id}` is not in this world")]
    Unknown {
        /// What kind of thing was expected, such as `subnet`.
        kind: &'static str,
        /// What was given.
        id: String,
    },
    /// An id, access key or address that something else has.
    #[error("{kind} `{id}` is there already")]
    Exists {
        /// What kind of thing.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// A value that fits neither its own rules nor what is there.
    #[error("{field} `{value}`: expected {expected}")]
    Unfit {
        /// Which value, such as `subnet ipv4_cidr`.
        field: &'static str,
        /// What was given.
        value: String,
        /// What was expected.
        expected: String,
    },
    /// Something that cannot be done in the state the thing is in.
    #[error("`{id}` is {found}: expected {expected}")]
    State {
        /// What it was asked of.
        id: String,
        /// How it is.
        found: String,
        /// How it should be.
        expected: &'static str,
    },
    /// What the API would refuse, too.
    #[error("{what}: {}", .error.message)]
    Refused {
        /// What could not be built.
        what: String,
        /// In the API's words.
        error: ApiError,
    },
}

/// The control handle.
#[derive(Debug)]
pub struct Builder<'a> {
    ec2: &'a mut Ec2,
}

impl<'a> Builder<'a> {
    pub(crate) const fn new(ec2: &'a mut Ec2) -> Self {
        Self { ec2 }
    }
}

/// The id that was said, if nothing has it yet, or a new one.
fn identified<Id: Clone + std::fmt::Display>(
    said: Option<Id>,
    kind: &'static str,
    make: fn(u64) -> Id,
    builder: &mut Builder<'_>,
    exists: impl Fn(&World, &Id) -> bool,
) -> Result<Id, BuildError> {
    let id = said.unwrap_or_else(|| make(builder.ec2.region.number()));
    if exists(builder.ec2.world(), &id) {
        return Err(BuildError::Exists { kind, id: id.to_string() });
    }
    Ok(id)
}
