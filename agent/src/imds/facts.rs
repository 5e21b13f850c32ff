//! Who and where the instance is.

use std::str::FromStr;

use ipam_core::ids::{InstanceId, InstanceType, MacAddress, SubnetId, VpcId, ZoneName};

use super::path_of;
use super::problem::ImdsError;
use super::texts::Texts;

/// Who and where an instance is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceFacts {
    /// Its id.
    pub instance: InstanceId,
    /// Its type.
    pub instance_type: InstanceType,
    /// The hardware address of its primary interface.
    pub mac: MacAddress,
    /// The VPC of that.
    pub vpc: VpcId,
    /// The subnet of that.
    pub subnet: SubnetId,
    /// The availability zone.
    pub zone: ZoneName,
    /// The region, where the service says it.
    pub region: Option<String>,
}

const MAC: &str = "mac";
const REGION: &str = "placement/region";

/// What is read first.
pub(super) const PATHS: [&str; 5] =
    ["instance-id", "instance-type", MAC, "placement/availability-zone", REGION];

/// What is read of the primary interface.
pub(super) fn paths_of_primary(mac: MacAddress) -> [String; 2] {
    ["vpc-id", "subnet-id"].map(|leaf| path_of(mac, leaf))
}

/// The hardware address of the primary interface.
pub(super) fn primary_mac(texts: &Texts) -> Result<MacAddress, ImdsError> {
    texts.required(MAC, "a MAC address")
}

/// A name of a region: lower-case letters, digits and `-`.
struct Region(String);

impl FromStr for Region {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        // Zones are made of the same letters.
        text.parse::<ZoneName>().map_err(|_| ())?;
        Ok(Self(text.to_owned()))
    }
}

impl InstanceFacts {
    /// Reads what the service said.
    pub(super) fn parse(texts: &Texts) -> Result<Self, ImdsError> {
        let mac = primary_mac(texts)?;
        let region: Option<Region> = texts.optional(REGION, "a region")?;
        Ok(Self {
            instance: texts.required("instance-id", "an instance id")?,
            instance_type: texts.required("instance-type", "an instance type")?,
            mac,
            vpc: texts.required(&path_of(mac, "vpc-id"), "a VPC id")?,
            subnet: texts.required(&path_of(mac, "subnet-id"), "a subnet id")?,
            zone: texts.required("placement/availability-zone", "an availability zone")?,
            region: region.map(|Region(name)| name),
        })
    }
}
