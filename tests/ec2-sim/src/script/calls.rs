//! Lines to requests, replies to text.

use super::Script;
use super::words::Words;
use crate::id::InterfaceId;
use crate::model::{ReservationKind, Tags};
use crate::reply::Reply;
use crate::request::{
    AssignIpv6Addresses, AssignPrivateIpAddresses, AssociateAddress, AttachNetworkInterface,
    CreateNetworkInterface, CreateSubnetCidrReservation, CreateTags, DeleteNetworkInterface,
    DescribeNetworkInterfaces, DescribeSubnets, DetachNetworkInterface, Listing,
    ModifyNetworkInterfaceAttribute, Operation, Page, TagSpecification, UnassignIpv6Addresses,
    UnassignPrivateIpAddresses, Wanted,
};

impl Script {
    pub(super) fn operation(&self, words: &Words<'_>) -> Operation {
        let name = words.at(0);
        match words.verb {
            "create" => Operation::CreateNetworkInterface(self.create(words)),
            "delete" => {
                let interface = self.names.id(name);
                Operation::DeleteNetworkInterface(DeleteNetworkInterface { interface })
            }
            "assign" => Operation::AssignPrivateIpAddresses(AssignPrivateIpAddresses {
                interface: self.names.id(name),
                wanted: wanted(words),
                allow_reassignment: words.has("move"),
            }),
            "assign6" => Operation::AssignIpv6Addresses(AssignIpv6Addresses {
                interface: self.names.id(name),
                wanted: wanted(words),
            }),
            "unassign" => Operation::UnassignPrivateIpAddresses(self.unassign(words)),
            "unassign6" => Operation::UnassignIpv6Addresses(self.unassign6(words)),
            "attach" => Operation::AttachNetworkInterface(AttachNetworkInterface {
                interface: self.names.id(name),
                instance: self.names.id(words.at(1)),
                device_index: words.at(2).parse().expect("an index"),
                network_card: words.value("card"),
            }),
            "detach" => Operation::DetachNetworkInterface(DetachNetworkInterface {
                attachment: self.names.attachment(name),
                force: words.has("force"),
            }),
            "modify" => Operation::ModifyNetworkInterfaceAttribute(self.modify(words)),
            "associate" => Operation::AssociateAddress(self.associate(words)),
            "tag" => Operation::CreateTags(CreateTags {
                resources: words
                    .list::<String>("on")
                    .iter()
                    .map(|name| self.names.id(name))
                    .collect(),
                tags: tags(words),
            }),
            "reserve" => Operation::CreateSubnetCidrReservation(CreateSubnetCidrReservation {
                subnet: self.names.id(name),
                cidr: words.at(1).parse().expect("a CIDR"),
                kind: match words.at(2) {
                    "explicit" => ReservationKind::Explicit,
                    _ => ReservationKind::Prefix,
                },
                description: String::new(),
                tag_specifications: Vec::new(),
            }),
            "subnet" => Operation::DescribeSubnets(DescribeSubnets(Listing {
                ids: vec![self.names.id(name)],
                filters: Vec::new(),
                page: Page::default(),
            })),
            "describe" => Self::interfaces(vec![self.names.id(name)], Page::default()),
            "interfaces" => {
                let next_token = self.token.clone().filter(|_| words.has("next"));
                Self::interfaces(Vec::new(), Page { max_results: words.value("max"), next_token })
            }
            other => panic!("no step is called {other}"),
        }
    }

    /// Asks for the interfaces with these ids, or for a page of all.
    fn interfaces(ids: Vec<InterfaceId>, page: Page) -> Operation {
        let listing = Listing { ids, filters: Vec::new(), page };
        Operation::DescribeNetworkInterfaces(DescribeNetworkInterfaces(listing))
    }

    /// `held` stands for the latest secondary address and the latest prefix of the interface.
    fn unassign(&self, words: &Words<'_>) -> UnassignPrivateIpAddresses {
        let interface = self.names.id(words.at(0));
        let held = self.ec2.world().interface(&interface).filter(|_| words.has("held"));
        let mut addresses = words.list("ips");
        let mut prefixes = words.list("prefixes");
        if let Some(held) = held {
            addresses.extend(held.secondary_ips.last());
            prefixes.extend(held.ipv4_prefixes.last());
        }
        UnassignPrivateIpAddresses { interface, addresses, prefixes }
    }

    fn unassign6(&self, words: &Words<'_>) -> UnassignIpv6Addresses {
        let interface = self.names.id(words.at(0));
        let held = self.ec2.world().interface(&interface).filter(|_| words.has("held"));
        let mut addresses = words.list("ips");
        let mut prefixes = words.list("prefixes");
        if let Some(held) = held {
            addresses.extend(held.ipv6_addresses.last());
            prefixes.extend(held.ipv6_prefixes.last());
        }
        UnassignIpv6Addresses { interface, addresses, prefixes }
    }

    fn create(&self, words: &Words<'_>) -> CreateNetworkInterface {
        let tags = tags(words);
        let resource_type = words.get("tag-type").unwrap_or("network-interface").to_owned();
        let specification = (!tags.is_empty()).then_some(TagSpecification { resource_type, tags });
        CreateNetworkInterface {
            subnet: self.names.id(words.at(0)),
            description: words.get("description").unwrap_or_default().to_owned(),
            primary_ip: words.value("primary"),
            ipv4: wanted(words),
            ipv6: Wanted {
                addresses: words.list("ips6"),
                address_count: words.value("count6"),
                prefixes: words.list("prefixes6"),
                prefix_count: words.value("prefix-count6"),
            },
            groups: self.groups(words),
            kind: words.value("kind"),
            tag_specifications: specification.into_iter().collect(),
            client_token: words.value("token"),
        }
    }

    fn modify(&self, words: &Words<'_>) -> ModifyNetworkInterfaceAttribute {
        let attachment = words.get("attachment").map(|name| self.names.attachment(name));
        let value = words.value("delete-on-termination");
        ModifyNetworkInterfaceAttribute {
            interface: self.names.id(words.at(0)),
            delete_on_termination: (attachment.is_some() || value.is_some())
                .then_some((attachment, value)),
            description: words.value("description"),
            groups: words.get("groups").map(|_| self.groups(words)),
            source_dest_check: words.value("check"),
        }
    }

    fn associate(&self, words: &Words<'_>) -> AssociateAddress {
        let allocation = words.at(0);
        AssociateAddress {
            allocation: (allocation.starts_with('p') || allocation.starts_with("eipalloc"))
                .then(|| self.names.id(allocation)),
            public_ip: words.value("public"),
            instance: words.get("instance").map(|name| self.names.id(name)),
            interface: words.get("interface").map(|name| self.names.id(name)),
            private_ip: words.value("ip"),
            allow_reassociation: words.value("move"),
        }
    }

    /// Remembers what a reply gives names to.
    pub(super) fn learn(&mut self, reply: &Reply, words: &Words<'_>) {
        match reply {
            Reply::CreateNetworkInterface { interface, .. } => {
                let name = words.get("name").unwrap_or("e");
                self.names.add(name, &interface.interface.id);
            }
            Reply::DescribeNetworkInterfaces(listed) => self.token.clone_from(&listed.next_token),
            Reply::AttachNetworkInterface { attachment, .. } => {
                self.names.add_attachment(words.at(0), attachment);
            }
            _ => {}
        }
    }
}

fn wanted<Address: std::str::FromStr, Prefix: std::str::FromStr>(
    words: &Words<'_>,
) -> Wanted<Address, Prefix> {
    Wanted {
        addresses: words.list("ips"),
        address_count: words.value("count"),
        prefixes: words.list("prefixes"),
        prefix_count: words.value("prefix-count"),
    }
}

/// `tags=a:1,b:2`, or `tags=50` for so many.
fn tags(words: &Words<'_>) -> Tags {
    let text = words.get("tags").unwrap_or_default();
    if let Ok(count) = text.parse::<u32>() {
        return (0..count).map(|number| (format!("k{number}"), String::new())).collect();
    }
    let pair = |text: &str| {
        let (key, value) = text.rsplit_once(':').expect("a key and a value");
        (key.to_owned(), value.to_owned())
    };
    text.split(',').filter(|text| !text.is_empty()).map(pair).collect()
}

pub(super) fn said(reply: &Reply) -> String {
    let joined = |addresses: Vec<String>, prefixes: Vec<String>| {
        addresses.into_iter().chain(prefixes).collect::<Vec<_>>().join(" ")
    };
    let texts = |items: &[std::net::Ipv4Addr]| items.iter().map(ToString::to_string).collect();
    match reply {
        Reply::CreateNetworkInterface { interface, .. } => {
            format!("{}: {}", interface.interface.id, super::shown(&interface.interface))
        }
        Reply::AssignPrivateIpAddresses { addresses, prefixes, .. } => {
            joined(texts(addresses), prefixes.iter().map(ToString::to_string).collect())
        }
        Reply::AssignIpv6Addresses { addresses, prefixes, .. } => {
            format!("{} addresses, {} prefixes", addresses.len(), prefixes.len())
        }
        Reply::AttachNetworkInterface { network_card, .. } => format!("card {network_card}"),
        Reply::DescribeSubnets(listed) => {
            let counts = listed.items.iter().map(|subnet| subnet.available_ipv4.to_string());
            counts.collect::<Vec<_>>().join(" ")
        }
        Reply::DescribeNetworkInterfaces(listed) => {
            let more = if listed.next_token.is_some() { " +" } else { "" };
            match listed.items.as_slice() {
                [one] => super::shown(&one.interface) + more,
                all => format!("{} interfaces{more}", all.len()),
            }
        }
        _ => "ok".to_owned(),
    }
}
