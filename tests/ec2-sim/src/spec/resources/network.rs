//! VPCs and what belongs to them.

use ipnet::{Ipv4Net, Ipv6Net};
use serde::Deserialize;

use crate::build::{Builder, NewReservation, NewRouteTable, NewSecurityGroup, NewSubnet, NewVpc};
use crate::id::{GroupId, ReservationId, RouteTableId, SubnetId, VpcId};
use crate::model::{ReservationKind, Tags};
use crate::spec::Problem;
use crate::spec::resources::Resource;
use crate::spec::said::{Said, values};

/// A VPC.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vpc {
    id: Option<VpcId>,
    cidr: Said<Ipv4Net>,
    #[serde(default)]
    secondary_cidrs: Vec<Said<Ipv4Net>>,
    #[serde(default)]
    ipv6_cidrs: Vec<Said<Ipv6Net>>,
    default_group: Option<GroupId>,
    main_route_table: Option<RouteTableId>,
    #[serde(default)]
    tags: Tags,
}

impl Resource for Vpc {
    fn build(&self, builder: &mut Builder<'_>) -> Result<Vec<String>, Problem> {
        let built = builder.vpc(NewVpc {
            id: self.id.clone(),
            cidr: self.cidr.0,
            secondary_cidrs: values(&self.secondary_cidrs),
            ipv6_cidrs: values(&self.ipv6_cidrs),
            default_group: self.default_group.clone(),
            main_route_table: self.main_route_table.clone(),
            tags: self.tags.clone(),
        });
        Ok(vec![built?.to_string()])
    }
}

/// A subnet and its CIDR reservations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subnet {
    id: Option<SubnetId>,
    vpc: VpcId,
    zone: String,
    zone_id: Option<String>,
    cidr: Said<Ipv4Net>,
    ipv6_cidr: Option<Said<Ipv6Net>>,
    #[serde(default)]
    reservations: Vec<Reservation>,
    #[serde(default)]
    tags: Tags,
}

/// A CIDR reservation: of its own, or of a subnet, where that need not be said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reservation {
    subnet: Option<SubnetId>,
    id: Option<ReservationId>,
    cidr: Said<Ipv4Net>,
    kind: Kind,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tags: Tags,
}

impl Reservation {
    /// Builds it in `subnet`, unless it says another one.
    fn build_in(&self, builder: &mut Builder<'_>, subnet: &SubnetId) -> Result<String, Problem> {
        let built = builder.reservation(NewReservation {
            id: self.id.clone(),
            subnet: self.subnet.as_ref().unwrap_or(subnet).clone(),
            cidr: self.cidr.0,
            kind: match self.kind {
                Kind::Prefix => ReservationKind::Prefix,
                Kind::Explicit => ReservationKind::Explicit,
            },
            description: self.description.clone(),
            tags: self.tags.clone(),
        });
        Ok(built?.to_string())
    }
}

impl Resource for Reservation {
    fn build(&self, builder: &mut Builder<'_>) -> Result<Vec<String>, Problem> {
        let subnet = self.subnet.as_ref();
        let subnet = subnet.ok_or_else(|| Problem::of("", "missing field `subnet`"))?;
        Ok(vec![self.build_in(builder, subnet)?])
    }
}

/// What a reservation is for.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Prefix,
    Explicit,
}

impl Resource for Subnet {
    fn build(&self, builder: &mut Builder<'_>) -> Result<Vec<String>, Problem> {
        let subnet = builder.subnet(NewSubnet {
            id: self.id.clone(),
            vpc: self.vpc.clone(),
            zone: self.zone.clone(),
            zone_id: self.zone_id.clone(),
            ipv4_cidr: self.cidr.0,
            ipv6_cidr: self.ipv6_cidr.map(|cidr| cidr.0),
            tags: self.tags.clone(),
        })?;
        let mut built = vec![subnet.to_string()];
        for reservation in &self.reservations {
            built.push(reservation.build_in(builder, &subnet)?);
        }
        Ok(built)
    }
}

/// A route table; its routes as pairs of destination and target.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteTable {
    id: Option<RouteTableId>,
    vpc: VpcId,
    #[serde(default)]
    subnets: Vec<SubnetId>,
    #[serde(default)]
    routes: Vec<Route>,
    #[serde(default)]
    tags: Tags,
}

/// A route.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    destination: String,
    target: String,
}

impl Resource for RouteTable {
    fn build(&self, builder: &mut Builder<'_>) -> Result<Vec<String>, Problem> {
        let route = |route: &Route| (route.destination.clone(), route.target.clone());
        let built = builder.route_table(NewRouteTable {
            id: self.id.clone(),
            vpc: self.vpc.clone(),
            subnets: self.subnets.clone(),
            routes: self.routes.iter().map(route).collect(),
            tags: self.tags.clone(),
        });
        Ok(vec![built?.to_string()])
    }
}

/// A security group.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecurityGroup {
    id: Option<GroupId>,
    vpc: VpcId,
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tags: Tags,
}

impl Resource for SecurityGroup {
    fn build(&self, builder: &mut Builder<'_>) -> Result<Vec<String>, Problem> {
        let built = builder.security_group(NewSecurityGroup {
            id: self.id.clone(),
            vpc: self.vpc.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            tags: self.tags.clone(),
        });
        Ok(vec![built?.to_string()])
    }
}
