//! Answers to XML. Elements are those of the service model's output shapes, in its order.

mod instance;
mod interface;
mod network;

pub(crate) use instance::{IMAGE, architecture};

use std::net::Ipv4Addr;

use crate::error::ApiError;
use crate::model::{Tags, private_domain};
use crate::protocol::VERSION;
use crate::protocol::plain::Octets;
use crate::protocol::xml::Xml;
use crate::reply::{InstanceView, InterfaceView, Listed, Reply};
use crate::request::Action;
use crate::time::Moment;

/// What a reply says of the Region beside the objects themselves.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The account that owns everything.
    pub account: &'a str,
    /// The Region's name.
    pub region: &'a str,
    /// The wall clock at a moment, in microseconds since 1970.
    pub wall_clock: &'a dyn Fn(Moment) -> i64,
}

impl Scene<'_> {
    /// An element with a moment as timestamps say it: ISO 8601, in UTC, in milliseconds.
    fn timestamp(self, xml: &mut Xml, name: &str, moment: Moment) {
        let wall_clock = jiff::Timestamp::from_microsecond((self.wall_clock)(moment));
        xml.plain(name, format_args!("{:.3}", wall_clock.unwrap_or_default()));
    }

    /// The element with the host name of a private address.
    fn private_dns_name(self, xml: &mut Xml, address: Ipv4Addr) {
        xml.element("privateDnsName", |xml| {
            xml.raw("ip-");
            xml.raw(Octets::of(address, b'-'));
            for part in private_domain(self.region) {
                xml.raw(part);
            }
        });
    }

    /// The element with the host name of a public address.
    fn public_dns_name(self, xml: &mut Xml, address: Ipv4Addr) {
        xml.element("publicDnsName", |xml| {
            xml.raw("ec2-");
            xml.raw(Octets::of(address, b'-'));
            let domain = match self.region {
                "us-east-1" => [".", "compute-1", ".amazonaws.com"],
                region => [".", region, ".compute.amazonaws.com"],
            };
            for part in domain {
                xml.raw(part);
            }
        });
    }
}

/// An HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Its body: XML.
    pub body: String,
}

/// Writes the answer to an action.
#[must_use]
pub fn encode(scene: Scene<'_>, request_id: &str, outcome: &Result<Reply, ApiError>) -> Response {
    match outcome {
        Ok(reply) => Response { status: 200, body: response(scene, request_id, reply) },
        Err(error) => Response { status: error.status, body: refusal(request_id, error) },
    }
}

fn refusal(request_id: &str, error: &ApiError) -> String {
    let mut xml = Xml::with_capacity(512);
    xml.element("Response", |xml| {
        xml.element("Errors", |xml| {
            xml.element("Error", |xml| {
                xml.plain("Code", error.code);
                xml.text("Message", &error.message);
            });
        });
        xml.plain("RequestID", request_id);
    });
    xml.finish()
}

/// How many bytes a reply takes at most, or about: a long one is not to be moved about while it grows.
fn expected_bytes(reply: &Reply) -> usize {
    const OBJECT: usize = 2_048;
    const ADDRESS: usize = 192;
    let interface = |view: &InterfaceView| {
        OBJECT + ADDRESS * (view.interface.ipv4_slots() + view.interface.ipv6_slots())
    };
    let instance =
        |view: &InstanceView| OBJECT + view.interfaces.iter().map(interface).sum::<usize>();
    let items: usize = match reply {
        Reply::DescribeInstanceTypes(listed) => OBJECT * listed.items.len(),
        Reply::DescribeInstances(listed) => listed.items.iter().map(instance).sum(),
        Reply::DescribeNetworkInterfaces(listed) => listed.items.iter().map(interface).sum(),
        Reply::DescribeSubnets(listed) => OBJECT * listed.items.len(),
        _ => OBJECT,
    };
    512 + items
}

fn response(scene: Scene<'_>, request_id: &str, reply: &Reply) -> String {
    let mut xml = Xml::with_capacity(expected_bytes(reply));
    let namespace = format!("http://ec2.amazonaws.com/doc/{VERSION}/");
    xml.root(&format!("{}Response", action(reply).name()), &namespace, |xml| {
        xml.plain("requestId", request_id);
        body(xml, scene, reply);
    });
    xml.finish()
}

fn body(xml: &mut Xml, scene: Scene<'_>, reply: &Reply) {
    match reply {
        Reply::AssignIpv6Addresses { interface, addresses, prefixes } => {
            xml.list("assignedIpv6Addresses", addresses, Xml::raw);
            xml.list("assignedIpv6PrefixSet", prefixes, Xml::raw);
            xml.plain("networkInterfaceId", interface);
        }
        Reply::AssignPrivateIpAddresses { interface, addresses, prefixes } => {
            xml.plain("networkInterfaceId", interface);
            xml.list("assignedPrivateIpAddressesSet", addresses, |xml, address| {
                xml.plain("privateIpAddress", address);
            });
            xml.list("assignedIpv4PrefixSet", prefixes, |xml, prefix| {
                xml.plain("ipv4Prefix", prefix);
            });
            done(xml);
        }
        Reply::AssociateAddress(association) => {
            done(xml);
            xml.plain("associationId", association);
        }
        Reply::AttachNetworkInterface { attachment, network_card } => {
            xml.plain("attachmentId", attachment);
            xml.plain("networkCardIndex", network_card);
        }
        Reply::CreateNetworkInterface { interface, client_token } => {
            xml.element("networkInterface", |xml| interface::interface(xml, scene, interface));
            if let Some(token) = client_token {
                xml.text("clientToken", token);
            }
        }
        Reply::CreateSubnetCidrReservation(reservation) => {
            xml.element("subnetCidrReservation", |xml| {
                network::reservation(xml, scene, reservation);
            });
        }
        Reply::UnassignIpv6Addresses { interface, addresses, prefixes } => {
            xml.plain("networkInterfaceId", interface);
            xml.list("unassignedIpv6Addresses", addresses, Xml::raw);
            xml.list("unassignedIpv6PrefixSet", prefixes, Xml::raw);
        }
        Reply::CreateTags
        | Reply::DeleteNetworkInterface
        | Reply::DetachNetworkInterface
        | Reply::ModifyNetworkInterfaceAttribute
        | Reply::UnassignPrivateIpAddresses => done(xml),
        listing => list(xml, scene, listing),
    }
}

/// What EC2 says when there is nothing else to say.
fn done(xml: &mut Xml) {
    xml.plain("return", true);
}

fn list(xml: &mut Xml, scene: Scene<'_>, reply: &Reply) {
    match reply {
        Reply::DescribeAddresses(addresses) => {
            xml.list("addressesSet", addresses, |xml, address| {
                network::address(xml, scene, address);
            });
        }
        Reply::DescribeInstanceTypes(listed) => {
            page(xml, "instanceTypeSet", listed, |xml, kind| instance::instance_type(xml, kind));
        }
        Reply::DescribeInstances(listed) => {
            page(xml, "reservationSet", listed, |xml, view| {
                instance::reservation(xml, scene, view);
            });
        }
        Reply::DescribeNetworkInterfaces(listed) => {
            page(xml, "networkInterfaceSet", listed, |xml, view| {
                interface::interface(xml, scene, view);
            });
        }
        Reply::DescribeRouteTables(listed) => {
            page(xml, "routeTableSet", listed, |xml, table| {
                network::route_table(xml, scene, table);
            });
        }
        Reply::DescribeSecurityGroups(listed) => {
            page(xml, "securityGroupInfo", listed, |xml, group| network::group(xml, scene, group));
        }
        Reply::DescribeSubnets(listed) => {
            page(xml, "subnetSet", listed, |xml, subnet| network::subnet(xml, scene, subnet));
        }
        Reply::DescribeTags(listed) => page(xml, "tagSet", listed, network::tagged),
        Reply::DescribeVpcs(listed) => {
            page(xml, "vpcSet", listed, |xml, vpc| network::vpc(xml, scene, vpc));
        }
        Reply::GetSecurityGroupsForVpc(listed) => {
            page(xml, "securityGroupForVpcSet", listed, |xml, group| {
                network::group_for_vpc(xml, scene, group);
            });
        }
        _ => {}
    }
}

fn page<Item>(
    xml: &mut Xml,
    name: &str,
    listed: &Listed<Item>,
    mut inner: impl FnMut(&mut Xml, &Item),
) {
    xml.list(name, &listed.items, &mut inner);
    if let Some(token) = &listed.next_token {
        xml.text("nextToken", token);
    }
}

fn tags(xml: &mut Xml, tags: &Tags) {
    xml.list("tagSet", tags, |xml, (key, value)| {
        xml.text("key", key);
        xml.text("value", value);
    });
}

/// The action that a reply answers.
const fn action(reply: &Reply) -> Action {
    match reply {
        Reply::AssignIpv6Addresses { .. } => Action::AssignIpv6Addresses,
        Reply::AssignPrivateIpAddresses { .. } => Action::AssignPrivateIpAddresses,
        Reply::AssociateAddress(_) => Action::AssociateAddress,
        Reply::AttachNetworkInterface { .. } => Action::AttachNetworkInterface,
        Reply::CreateNetworkInterface { .. } => Action::CreateNetworkInterface,
        Reply::CreateSubnetCidrReservation(_) => Action::CreateSubnetCidrReservation,
        Reply::CreateTags => Action::CreateTags,
        Reply::DeleteNetworkInterface => Action::DeleteNetworkInterface,
        Reply::DescribeAddresses(_) => Action::DescribeAddresses,
        Reply::DescribeInstanceTypes(_) => Action::DescribeInstanceTypes,
        Reply::DescribeInstances(_) => Action::DescribeInstances,
        Reply::DescribeNetworkInterfaces(_) => Action::DescribeNetworkInterfaces,
        Reply::DescribeRouteTables(_) => Action::DescribeRouteTables,
        Reply::DescribeSecurityGroups(_) => Action::DescribeSecurityGroups,
        Reply::DescribeSubnets(_) => Action::DescribeSubnets,
        Reply::DescribeTags(_) => Action::DescribeTags,
        Reply::DescribeVpcs(_) => Action::DescribeVpcs,
        Reply::DetachNetworkInterface => Action::DetachNetworkInterface,
        Reply::GetSecurityGroupsForVpc(_) => Action::GetSecurityGroupsForVpc,
        Reply::ModifyNetworkInterfaceAttribute => Action::ModifyNetworkInterfaceAttribute,
        Reply::UnassignIpv6Addresses { .. } => Action::UnassignIpv6Addresses,
        Reply::UnassignPrivateIpAddresses => Action::UnassignPrivateIpAddresses,
    }
}
