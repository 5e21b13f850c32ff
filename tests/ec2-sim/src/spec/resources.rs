//! What a world is made of, as files and the control API describe it.

mod instance;
mod network;

pub(crate) use self::instance::{ElasticIp, Instance, Interface, Principal};
#[cfg(feature = "server")]
pub(crate) use self::network::Reservation;
pub(crate) use self::network::{RouteTable, SecurityGroup, Subnet, Vpc};
use crate::build::Builder;
use crate::spec::Problem;

/// What the builder can make of a description.
pub(crate) trait Resource {
    /// Builds it. Returns the ids of what has come into being.
    fn build(&self, builder: &mut Builder<'_>) -> Result<Vec<String>, Problem>;
}
