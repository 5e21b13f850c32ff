//! Tags: what they may be, and `CreateTags`.

use crate::error::ApiError;
use crate::id::{
    AllocationId, GroupId, InstanceId, InterfaceId, ReservationId, RouteTableId, SubnetId, VpcId,
};
use crate::machine::region::Region;
use crate::model::{
    ElasticIp, Instance, Interface, Reservation, RouteTable, SecurityGroup, Subnet, Tags, Vpc,
};
use crate::reply::Reply;
use crate::request::{CreateTags, TagSpecification};
use crate::world::Resource;

/// "Maximum number of tags per resource – 50" (EC2 user guide, tag restrictions), as are the two lengths.
const TAGS_MAX: usize = 50;
const KEY_LENGTH_MAX: usize = 128;
const VALUE_LENGTH_MAX: usize = 256;

/// Checks tags that a caller sets.
///
/// # Errors
///
/// `InvalidParameterValue` for keys and values that are not allowed, `TagLimitExceeded` for too many.
pub(crate) fn check(tags: &Tags) -> Result<(), ApiError> {
    for (key, value) in tags {
        let reserved = key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
        if reserved || !(1..=KEY_LENGTH_MAX).contains(&key.chars().count()) {
            return Err(ApiError::tag_key(key));
        }
        if VALUE_LENGTH_MAX < value.chars().count() {
            return Err(ApiError::tag_value(key));
        }
    }
    check_count(tags)
}

/// Tags that begin with `aws:` do not count.
fn check_count(tags: &Tags) -> Result<(), ApiError> {
    if TAGS_MAX < tags.keys().filter(|key| !key.starts_with("aws:")).count() {
        return Err(ApiError::tag_limit(TAGS_MAX));
    }
    Ok(())
}

/// The tags that a call which makes a resource gives it.
///
/// # Errors
///
/// As [`check`], and `InvalidParameterValue` for tags of another kind of resource.
pub(super) fn specified(
    specifications: &[TagSpecification],
    resource_type: &str,
) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for specification in specifications {
        if specification.resource_type != resource_type {
            return Err(ApiError::tag_resource_type(&specification.resource_type));
        }
        tags.extend(specification.tags.clone());
    }
    check(&tags)?;
    Ok(tags)
}

pub(super) fn perform(region: &mut Region, request: &CreateTags) -> Result<Reply, ApiError> {
    if request.resources.is_empty() {
        return Err(ApiError::missing_parameter("resourceIdSet"));
    }
    if request.tags.is_empty() {
        return Err(ApiError::missing_parameter("tagSet"));
    }
    check(&request.tags)?;
    let mut tagged = Vec::new();
    for resource in &request.resources {
        let mut next = Tagged::find(region, resource)?;
        next.tags().extend(request.tags.clone());
        check_count(next.tags())?;
        tagged.push(next);
    }
    for next in tagged {
        next.put(region);
    }
    Ok(Reply::CreateTags)
}

/// A resource with the tags it is to have.
enum Tagged {
    Vpc(Vpc),
    Subnet(Subnet),
    Reservation(Reservation),
    RouteTable(RouteTable),
    Group(SecurityGroup),
    Instance(Instance),
    Interface(Box<Interface>),
    ElasticIp(ElasticIp),
}

impl Tagged {
    /// What `text` is the id of.
    fn find(region: &Region, text: &str) -> Result<Self, ApiError> {
        let world = &region.world;
        if let Ok(id) = text.parse::<InterfaceId>() {
            return Ok(Self::Interface(Box::new((*region.interface(&id)?).clone())));
        }
        if let Ok(id) = text.parse::<InstanceId>() {
            return Ok(Self::Instance((*region.instance(&id)?).clone()));
        }
        let found = if let Ok(id) = text.parse::<SubnetId>() {
            let subnet = world.subnet(&id).ok_or_else(|| ApiError::subnet_not_found(&id))?;
            return Ok(Self::Subnet((**subnet).clone()));
        } else if let Ok(id) = text.parse::<VpcId>() {
            let vpc = world.vpc(&id).ok_or_else(|| ApiError::vpc_not_found(&id))?;
            return Ok(Self::Vpc((**vpc).clone()));
        } else if let Ok(id) = text.parse::<GroupId>() {
            let group = world.group(&id).ok_or_else(|| ApiError::group_not_found(&id))?;
            return Ok(Self::Group((**group).clone()));
        } else if let Ok(id) = text.parse::<AllocationId>() {
            let address = world.elastic_ip(&id);
            let address = address.ok_or_else(|| ApiError::allocation_not_found(&id))?;
            return Ok(Self::ElasticIp((**address).clone()));
        } else if let Ok(id) = text.parse::<RouteTableId>() {
            world.route_table(&id).map(|table| Self::RouteTable((**table).clone()))
        } else if let Ok(id) = text.parse::<ReservationId>() {
            world.reservation(&id).map(|found| Self::Reservation((**found).clone()))
        } else {
            None
        };
        found.ok_or_else(|| ApiError::resource_not_found(text))
    }

    const fn tags(&mut self) -> &mut Tags {
        match self {
            Self::Vpc(resource) => &mut resource.tags,
            Self::Subnet(resource) => &mut resource.tags,
            Self::Reservation(resource) => &mut resource.tags,
            Self::RouteTable(resource) => &mut resource.tags,
            Self::Group(resource) => &mut resource.tags,
            Self::Instance(resource) => &mut resource.tags,
            Self::Interface(resource) => &mut resource.tags,
            Self::ElasticIp(resource) => &mut resource.tags,
        }
    }

    fn put(self, region: &mut Region) {
        match self {
            Self::Vpc(vpc) => {
                let id = Resource::Vpc(vpc.id.clone());
                region.put(id, |world, seen| world.put_vpc(vpc, seen));
            }
            Self::Subnet(subnet) => {
                let id = Resource::Subnet(subnet.id.clone());
                region.put(id, |world, seen| world.put_subnet(subnet, seen));
            }
            Self::RouteTable(table) => {
                let id = Resource::RouteTable(table.id.clone());
                region.put(id, |world, seen| world.put_route_table(table, seen));
            }
            Self::Group(group) => {
                let id = Resource::Group(group.id.clone());
                region.put(id, |world, seen| world.put_group(group, seen));
            }
            Self::Reservation(reservation) => region.put_reservation(reservation),
            Self::Instance(instance) => region.put_instance(instance),
            Self::Interface(interface) => region.put_interface(*interface),
            Self::ElasticIp(elastic_ip) => region.put_elastic_ip(elastic_ip),
        }
    }
}
