//! Instances, interfaces, Elastic IP addresses and principals.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use serde::Deserialize;

use crate::build::{Builder, Holding, NewAttachment, NewElasticIp, NewInstance, NewInterface};
use crate::id::{AllocationId, GroupId, InstanceId, InterfaceId, SubnetId};
use crate::instance_types;
use crate::model::{InstanceState, InterfaceKind, Tags};
use crate::request::Action;
use crate::spec::Problem;
use crate::spec::behaviour::account_number;
use crate::spec::place::suggestion;
use crate::spec::resources::Resource;
use crate::spec::said::{Said, values};
use crate::world;

/// An interface: of its own, or of an instance, where its subnet and its attachment need not be said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Interface {
    id: Option<InterfaceId>,
    subnet: Option<SubnetId>,
    description: String,
    kind: Option<String>,
    groups: Vec<GroupId>,
    primary_ip: Option<Ipv4Addr>,
    ipv4_addresses: Vec<Ipv4Addr>,
    ipv4_address_count: usize,
    ipv4_prefixes: Vec<Said<Ipv4Net>>,
    ipv4_prefix_count: usize,
    ipv6_addresses: Vec<Ipv6Addr>,
    ipv6_address_count: usize,
    ipv6_prefixes: Vec<Said<Ipv6Net>>,
    ipv6_prefix_count: usize,
    attachment: Option<Attachment>,
    source_dest_check: Option<bool>,
    requester: Option<String>,
    tags: Tags,
}

/// What an interface is attached to.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Attachment {
    instance: Option<InstanceId>,
    instance_owner: Option<String>,
    device_index: u32,
    network_card: u32,
    delete_on_termination: bool,
}

impl Attachment {
    fn described(&self) -> NewAttachment {
        NewAttachment {
            instance: self.instance.clone(),
            instance_owner: self.instance_owner.clone(),
            device_index: self.device_index,
            network_card: self.network_card,
            delete_on_termination: self.delete_on_termination,
        }
    }
}

impl Interface {
    /// The interface, in `subnet` unless it says another one.
    fn described(&self, subnet: Option<&SubnetId>) -> Result<NewInterface, Problem> {
        let subnet = self.subnet.as_ref().or(subnet);
        let subnet = subnet.ok_or_else(|| Problem::of("", "missing field `subnet`"))?;
        Ok(NewInterface {
            id: self.id.clone(),
            subnet: subnet.clone(),
            description: self.description.clone(),
            kind: match self.kind.as_deref() {
                None | Some("interface") => InterfaceKind::Interface,
                Some("trunk") => InterfaceKind::Trunk,
                Some(other) => InterfaceKind::Other(other.to_owned()),
            },
            groups: self.groups.clone(),
            primary_ip: self.primary_ip,
            ipv4: Holding {
                addresses: self.ipv4_addresses.clone(),
                address_count: self.ipv4_address_count,
                prefixes: values(&self.ipv4_prefixes),
                prefix_count: self.ipv4_prefix_count,
            },
            ipv6: Holding {
                addresses: self.ipv6_addresses.clone(),
                address_count: self.ipv6_address_count,
                prefixes: values(&self.ipv6_prefixes),
                prefix_count: self.ipv6_prefix_count,
            },
            attachment: self.attachment.as_ref().map(Attachment::described),
            source_dest_check: self.source_dest_check.unwrap_or(true),
            requester: self.requester.clone(),
            tags: self.tags.clone(),
        })
    }

    /// Whether it says something that can be true of one interface only.
    fn is_single(&self) -> bool {
        self.id.is_some()
            || self.primary_ip.is_some()
            || !self.ipv4_addresses.is_empty()
            || !self.ipv4_prefixes.is_empty()
            || !self.ipv6_addresses.is_empty()
            || !self.ipv6_prefixes.is_empty()
    }
}

impl Resource for Interface {
    fn build(&self, builder: &mut Builder<'_>) -> Result<Vec<String>, Problem> {
        let built = builder.interface(self.described(None)?);
        Ok(vec![built?.to_string()])
    }
}

/// An instance, or several that are alike, with their interfaces: `primary`, and further ones at the next device indexes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Instance {
    id: Option<InstanceId>,
    count: Option<usize>,
    #[serde(rename = "instance_type")]
    kind: String,
    subnet: SubnetId,
    #[serde(default = "running")]
    state: InstanceState,
    #[serde(default)]
    primary: Interface,
    #[serde(default)]
    interfaces: Vec<Interface>,
    #[serde(default)]
    tags: Tags,
}

const fn running() -> InstanceState {
    InstanceState::Running
}

impl Instance {
    fn build_one(&self, builder: &mut Builder<'_>) -> Result<Vec<String>, Problem> {
        let instance = builder.instance(NewInstance {
            id: self.id.clone(),
            instance_type: self.kind.clone(),
            state: self.state,
            primary: self.primary.described(Some(&self.subnet))?,
            tags: self.tags.clone(),
        })?;
        let mut built = vec![instance.to_string()];
        for (interface, device_index) in self.interfaces.iter().zip(1..) {
            let mut new = interface.described(Some(&self.subnet))?;
            let usual =
                Attachment { device_index, delete_on_termination: true, ..Attachment::default() };
            let said = interface.attachment.as_ref().unwrap_or(&usual);
            new.attachment =
                Some(NewAttachment { instance: Some(instance.clone()), ..said.described() });
            built.push(builder.interface(new)?.to_string());
        }
        Ok(built)
    }
}

impl Resource for Instance {
    fn build(&self, builder: &mut Builder<'_>) -> Result<Vec<String>, Problem> {
        if instance_types::find(&self.kind).is_none() {
            let names = instance_types::all().iter().map(|known| known.name.as_str());
            let hint = suggestion(&self.kind, names);
            let message = format!("`{}`: expected an instance type{hint}", self.kind);
            return Err(Problem::of("instance_type", message));
        }
        let count = self.count.unwrap_or(1);
        let mut interfaces = std::iter::once(&self.primary).chain(&self.interfaces);
        if count > 1 && (self.id.is_some() || interfaces.any(Interface::is_single)) {
            let message = format!("`{count}`: expected 1 where an id or an address is given");
            return Err(Problem::of("count", message));
        }
        let mut built = Vec::new();
        for number in 0..count {
            let one = self.build_one(builder).map_err(|problem| problem.after(number, count));
            built.extend(one?);
        }
        Ok(built)
    }
}

/// An Elastic IP address, and the interface and private address that it stands for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ElasticIp {
    allocation: Option<AllocationId>,
    public_ip: Ipv4Addr,
    interface: Option<InterfaceId>,
    private_ip: Option<Ipv4Addr>,
    #[serde(default)]
    tags: Tags,
}

impl Resource for ElasticIp {
    fn build(&self, builder: &mut Builder<'_>) -> Result<Vec<String>, Problem> {
        let target = match (&self.interface, self.private_ip) {
            (Some(interface), Some(private_ip)) => Some((interface.clone(), private_ip)),
            (None, None) => None,
            (Some(_), None) => return Err(Problem::of("", "missing field `private_ip`")),
            (None, Some(_)) => return Err(Problem::of("", "missing field `interface`")),
        };
        let built = builder.elastic_ip(NewElasticIp {
            allocation: self.allocation.clone(),
            public_ip: self.public_ip,
            target,
            tags: self.tags.clone(),
        });
        Ok(vec![built?.to_string()])
    }
}

/// Who an access key belongs to, and what it may do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Principal {
    access_key: String,
    account: String,
    allowed: Option<BTreeSet<Action>>,
}

impl Resource for Principal {
    fn build(&self, builder: &mut Builder<'_>) -> Result<Vec<String>, Problem> {
        if self.access_key.is_empty() {
            return Err(Problem::of("access_key", "expected a text that is not empty"));
        }
        let account = account_number(&self.account)?;
        let principal = world::Principal { account, allowed: self.allowed.clone() };
        builder.principal(&self.access_key, principal);
        Ok(vec![self.access_key.clone()])
    }
}
