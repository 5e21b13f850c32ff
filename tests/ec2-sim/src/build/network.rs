//! VPCs, subnets, and what belongs to them.

use ipnet::{Ipv4Net, Ipv6Net};

use super::new::{
    NewElasticIp, NewReservation, NewRouteTable, NewSecurityGroup, NewSubnet, NewVpc,
};
use super::{BuildError, Builder, identified};
use crate::actions::check_tags;
use crate::id::{
    AddressAssociationId, AllocationId, GroupId, InterfaceId, ReservationId, RouteAssociationId,
    RouteTableId, SubnetId, VpcId,
};
use crate::model::{
    Association, ElasticIp, ElasticIpTarget, Interface, Reservation, RouteTable, SecurityGroup,
    Subnet, Tags, Vpc,
};
use crate::space::{Rules, Space};
use crate::staleness::Visibility;
use crate::world::Write;

impl Builder<'_> {
    /// A VPC, with its `default` security group and its main route table.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for ids that are there already and for CIDRs that no VPC has.
    pub fn vpc(&mut self, new: NewVpc) -> Result<VpcId, BuildError> {
        check("vpc", &new.tags)?;
        let mut ipv4_cidrs = vec![vpc_cidr(new.cidr, &[])?];
        for cidr in new.secondary_cidrs {
            ipv4_cidrs.push(vpc_cidr(cidr, &ipv4_cidrs)?);
        }
        for cidr in &new.ipv6_cidrs {
            vpc_ipv6_cidr(*cidr)?;
        }
        let id = identified(new.id, "vpc", VpcId::from_number, self, |world, id| {
            world.vpc(id).is_some()
        })?;
        let seen = self.seen();
        let group = self.fresh_group(new.default_group)?;
        let table = self.fresh_table(new.main_route_table)?;
        let main = Some(RouteAssociationId::from_number(self.ec2.region.number()));
        let routes = ipv4_cidrs.iter().map(|cidr| (cidr.to_string(), "local".to_owned())).collect();
        let vpc = Vpc { id: id.clone(), ipv4_cidrs, ipv6_cidrs: new.ipv6_cidrs, tags: new.tags };
        let world = &mut self.ec2.region.world;
        world.add_vpc(vpc, group.clone(), &seen);
        let default = SecurityGroup {
            id: group,
            vpc: id.clone(),
            name: "default".to_owned(),
            description: "default VPC security group".to_owned(),
            tags: Tags::new(),
        };
        world.put_group(default, &seen);
        let subnets = Vec::new();
        let tags = Tags::new();
        world.put_route_table(
            RouteTable { id: table, vpc: id.clone(), main, subnets, routes, tags },
            &seen,
        );
        Ok(id)
    }

    /// A further CIDR of a VPC.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for an unknown VPC and for a CIDR that overlaps another of it.
    pub fn vpc_cidr(&mut self, vpc: &VpcId, cidr: Ipv4Net) -> Result<(), BuildError> {
        let mut next = self.find_vpc(vpc)?;
        next.ipv4_cidrs.push(vpc_cidr(cidr, &next.ipv4_cidrs)?);
        let seen = self.seen();
        self.ec2.region.world.put_vpc(next, &seen);
        let tables: Vec<_> = self.ec2.world().truth().route_tables().cloned().collect();
        for table in tables.into_iter().filter(|table| table.vpc == *vpc) {
            let mut table = RouteTable::clone(&table);
            table.routes.push((cidr.to_string(), "local".to_owned()));
            self.ec2.region.world.put_route_table(table, &seen);
        }
        Ok(())
    }

    /// A further IPv6 CIDR of a VPC.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for an unknown VPC and for a CIDR of another size.
    pub fn vpc_ipv6_cidr(&mut self, vpc: &VpcId, cidr: Ipv6Net) -> Result<(), BuildError> {
        let mut next = self.find_vpc(vpc)?;
        vpc_ipv6_cidr(cidr)?;
        next.ipv6_cidrs.push(cidr);
        let seen = self.seen();
        self.ec2.region.world.put_vpc(next, &seen);
        Ok(())
    }

    /// A subnet.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for a zone of another Region, and for CIDRs outside of the VPC or over another subnet.
    pub fn subnet(&mut self, new: NewSubnet) -> Result<SubnetId, BuildError> {
        check("subnet", &new.tags)?;
        let vpc = self.find_vpc(&new.vpc)?;
        self.check_subnet(&new, &vpc)?;
        let id = identified(new.id, "subnet", SubnetId::from_number, self, |world, id| {
            world.subnet(id).is_some()
        })?;
        let space = Space::new(new.ipv4_cidr, Rules::from(&self.ec2.region.settings.assumptions));
        let zone_id = new.zone_id.unwrap_or_else(|| zone_id(&new.zone));
        let subnet = Subnet {
            id: id.clone(),
            vpc: new.vpc,
            zone: new.zone,
            zone_id,
            ipv4_cidr: new.ipv4_cidr,
            ipv6_cidr: new.ipv6_cidr,
            available_ipv4: space.available(),
            tags: new.tags,
        };
        let seen = self.seen();
        self.ec2.region.world.add_subnet(subnet, space, &seen);
        Ok(id)
    }

    fn check_subnet(&self, new: &NewSubnet, vpc: &Vpc) -> Result<(), BuildError> {
        let region = &self.ec2.settings().region;
        let letter = new.zone.chars().last().is_some_and(|last| last.is_ascii_lowercase());
        if !new.zone.starts_with(region.as_str()) || !letter {
            let expected = format!("a zone of {region}, such as {region}a");
            return Err(unfit("subnet zone", &new.zone, expected));
        }
        let cidr = new.ipv4_cidr;
        let within = vpc.ipv4_cidrs.iter().any(|outer| outer.contains(&cidr));
        if !(16..=28).contains(&cidr.prefix_len()) || cidr.trunc() != cidr || !within {
            let expected = format!("/16 to /28 inside of {}", listed(&vpc.ipv4_cidrs));
            return Err(unfit("subnet ipv4_cidr", &cidr.to_string(), expected));
        }
        let others = self.ec2.world().truth().subnets().filter(|other| other.vpc == vpc.id);
        let overlaps =
            |other: &Subnet| other.ipv4_cidr.contains(&cidr) || cidr.contains(&other.ipv4_cidr);
        for other in others {
            if overlaps(&other) {
                let expected = format!("no overlap with {} ({})", other.id, other.ipv4_cidr);
                return Err(unfit("subnet ipv4_cidr", &cidr.to_string(), expected));
            }
            if new.ipv6_cidr.is_some() && new.ipv6_cidr == other.ipv6_cidr {
                let cidr = new.ipv6_cidr.map(|cidr| cidr.to_string()).unwrap_or_default();
                let expected = format!("another /64 than {} has", other.id);
                return Err(unfit("subnet ipv6_cidr", &cidr, expected));
            }
        }
        let Some(cidr) = new.ipv6_cidr else { return Ok(()) };
        let within = vpc.ipv6_cidrs.iter().any(|outer| outer.contains(&cidr));
        if cidr.prefix_len() != 64 || cidr.trunc() != cidr || !within {
            let expected = format!("a /64 inside of [{}]", listed(&vpc.ipv6_cidrs));
            return Err(unfit("subnet ipv6_cidr", &cidr.to_string(), expected));
        }
        Ok(())
    }

    /// A CIDR reservation.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for one outside of its subnet or over another one.
    pub fn reservation(&mut self, new: NewReservation) -> Result<ReservationId, BuildError> {
        check("reservation", &new.tags)?;
        let id =
            identified(new.id, "reservation", ReservationId::from_number, self, |world, id| {
                world.reservation(id).is_some()
            })?;
        let unknown = || unknown("subnet", &new.subnet);
        let space = self.ec2.region.world.space_mut(&new.subnet).ok_or_else(unknown)?;
        if new.cidr.trunc() != new.cidr {
            let expected = format!("{}", new.cidr.trunc());
            return Err(unfit("reservation cidr", &new.cidr.to_string(), expected));
        }
        space.reserve(new.cidr, new.kind).map_err(|refusal| {
            let expected = format!("a free part of {} (it {refusal})", space.cidr());
            unfit("reservation cidr", &new.cidr.to_string(), expected)
        })?;
        let NewReservation { id: _, subnet, cidr, kind, description, tags } = new;
        let reservation = Reservation { id: id.clone(), subnet, cidr, kind, description, tags };
        let write = Write::at_once(self.ec2.now());
        self.ec2.region.world.put_reservation(reservation, &write);
        Ok(id)
    }

    /// A route table; the subnets that use it leave the one they used before.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for an unknown VPC or subnet, and for a subnet of another VPC.
    pub fn route_table(&mut self, new: NewRouteTable) -> Result<RouteTableId, BuildError> {
        check("route table", &new.tags)?;
        let vpc = self.find_vpc(&new.vpc)?;
        for subnet in &new.subnets {
            let found = self.ec2.region.world.subnet(subnet);
            if found.ok_or_else(|| unknown("subnet", subnet))?.vpc != new.vpc {
                let expected = format!("a subnet of {}", new.vpc);
                return Err(unfit("route table subnet", subnet.as_str(), expected));
            }
        }
        let id = self.fresh_table(new.id)?;
        let seen = self.seen();
        let tables: Vec<_> = self.ec2.world().truth().route_tables().cloned().collect();
        for table in tables {
            let mut next = RouteTable::clone(&table);
            next.subnets.retain(|(_, subnet)| !new.subnets.contains(subnet));
            if next != *table {
                self.ec2.region.world.put_route_table(next, &seen);
            }
        }
        let mut associate =
            |subnet| (RouteAssociationId::from_number(self.ec2.region.number()), subnet);
        let subnets = new.subnets.into_iter().map(&mut associate).collect();
        let local = vpc.ipv4_cidrs.iter().map(|cidr| (cidr.to_string(), "local".to_owned()));
        let mut routes: Vec<_> = local.collect();
        routes.extend(new.routes);
        let (vpc, tags) = (new.vpc, new.tags);
        let table = RouteTable { id: id.clone(), vpc, main: None, subnets, routes, tags };
        self.ec2.region.world.put_route_table(table, &seen);
        Ok(id)
    }

    /// A security group.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for an unknown VPC, and for a name that another group of it has.
    pub fn security_group(&mut self, new: NewSecurityGroup) -> Result<GroupId, BuildError> {
        check("security group", &new.tags)?;
        self.find_vpc(&new.vpc)?;
        let mut groups = self.ec2.world().truth().security_groups();
        if groups.any(|group| group.vpc == new.vpc && group.name == new.name) {
            return Err(BuildError::Exists { kind: "security group", id: new.name });
        }
        drop(groups);
        let id = self.fresh_group(new.id)?;
        let NewSecurityGroup { id: _, vpc, name, description, tags } = new;
        let group = SecurityGroup { id: id.clone(), vpc, name, description, tags };
        let seen = self.seen();
        self.ec2.region.world.put_group(group, &seen);
        Ok(id)
    }

    /// An Elastic IP address.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for an address that is there already, and for a target that does not have the private address to itself.
    pub fn elastic_ip(&mut self, new: NewElasticIp) -> Result<AllocationId, BuildError> {
        check("elastic ip", &new.tags)?;
        if self.ec2.region.world.allocation_of(new.public_ip).is_some() {
            return Err(BuildError::Exists { kind: "elastic ip", id: new.public_ip.to_string() });
        }
        let target = new.target.as_ref().map(|(id, address)| self.elastic_target(id, *address));
        let target = target.transpose()?;
        let allocation = identified(
            new.allocation,
            "elastic ip",
            AllocationId::from_number,
            self,
            |world, id| world.elastic_ip(id).is_some(),
        )?;
        let mut elastic_ip = ElasticIp {
            allocation: allocation.clone(),
            public_ip: new.public_ip,
            association: None,
            tags: new.tags,
        };
        if let Some((mut interface, private_ip)) = target {
            let id = AddressAssociationId::from_number(self.ec2.region.number());
            let association = Association {
                id: id.clone(),
                allocation: allocation.clone(),
                public_ip: new.public_ip,
            };
            interface.associations.insert(private_ip, association);
            elastic_ip.association = Some(ElasticIpTarget {
                id,
                interface: interface.id.clone(),
                instance: interface.instance().cloned(),
                private_ip,
            });
            self.write_interface(interface);
        }
        let seen = self.seen();
        self.ec2.region.world.put_elastic_ip(elastic_ip, &seen);
        Ok(allocation)
    }

    fn elastic_target(
        &self,
        id: &InterfaceId,
        private_ip: std::net::Ipv4Addr,
    ) -> Result<(Interface, std::net::Ipv4Addr), BuildError> {
        let interface = self.find_interface(id)?;
        let has =
            interface.primary_ip == private_ip || interface.secondary_ips.contains(&private_ip);
        if !has || interface.associations.contains_key(&private_ip) {
            let expected = format!("a private address of {id} without a public one");
            return Err(unfit("elastic ip target", &private_ip.to_string(), expected));
        }
        Ok((interface, private_ip))
    }

    pub(super) fn find_vpc(&self, id: &VpcId) -> Result<Vpc, BuildError> {
        let found = self.ec2.region.world.vpc(id).ok_or_else(|| unknown("vpc", id))?;
        Ok(Vpc::clone(found))
    }

    pub(super) const fn seen(&self) -> Visibility {
        Visibility::at_once(self.ec2.now())
    }

    fn fresh_group(&mut self, id: Option<GroupId>) -> Result<GroupId, BuildError> {
        identified(id, "security group", GroupId::from_number, self, |world, id| {
            world.group(id).is_some()
        })
    }

    fn fresh_table(&mut self, id: Option<RouteTableId>) -> Result<RouteTableId, BuildError> {
        identified(id, "route table", RouteTableId::from_number, self, |world, id| {
            world.route_table(id).is_some()
        })
    }
}

/// What a build of something unknown is refused with.
pub(super) fn unknown(kind: &'static str, id: &dyn std::fmt::Display) -> BuildError {
    BuildError::Unknown { kind, id: id.to_string() }
}

pub(super) fn unfit(field: &'static str, value: &str, expected: String) -> BuildError {
    BuildError::Unfit { field, value: value.to_owned(), expected }
}

/// Checks the tags of something to build.
pub(super) fn check(what: &str, tags: &Tags) -> Result<(), BuildError> {
    let refused = |error| BuildError::Refused { what: what.to_owned(), error };
    check_tags(tags).map_err(refused)
}

fn listed<Cidr: ToString>(cidrs: &[Cidr]) -> String {
    let texts: Vec<_> = cidrs.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

fn vpc_cidr(cidr: Ipv4Net, others: &[Ipv4Net]) -> Result<Ipv4Net, BuildError> {
    if !(16..=28).contains(&cidr.prefix_len()) || cidr.trunc() != cidr {
        return Err(unfit(
            "vpc cidr",
            &cidr.to_string(),
            "/16 to /28, without host bits".to_owned(),
        ));
    }
    let overlaps = |other: &&Ipv4Net| other.contains(&cidr) || cidr.contains(*other);
    match others.iter().find(overlaps) {
        Some(other) => {
            Err(unfit("vpc cidr", &cidr.to_string(), format!("no overlap with {other}")))
        }
        None => Ok(cidr),
    }
}

fn vpc_ipv6_cidr(cidr: Ipv6Net) -> Result<(), BuildError> {
    if !(44..=60).contains(&cidr.prefix_len()) || cidr.trunc() != cidr {
        let expected = "/44 to /60, without host bits".to_owned();
        return Err(unfit("vpc ipv6_cidr", &cidr.to_string(), expected));
    }
    Ok(())
}

/// In the manner of EC2's: `eu-west-1a` is `euw1-az1`. The numbers are each account's own, so any will do.
fn zone_id(zone: &str) -> String {
    let (region, letter) = zone.split_at(zone.len().saturating_sub(1));
    let mut parts = region.split('-');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(match part {
            "northeast" => "ne",
            "northwest" => "nw",
            "southeast" => "se",
            "southwest" => "sw",
            other if other.bytes().all(|byte| byte.is_ascii_digit()) => other,
            other => other.get(..1).unwrap_or_default(),
        });
    }
    let number = letter.bytes().next().map_or(0, |letter| letter.saturating_sub(b'a') + 1);
    format!("{text}-az{number}")
}
