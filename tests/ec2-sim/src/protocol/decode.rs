//! Forms to requests.

mod listing;

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::error::ApiError;
use crate::model::{ReservationKind, Tags};
use crate::protocol::form::{Fields, Form};
use crate::protocol::{Refused, VERSION, parameters, value};
use crate::request::{
    Action, AssignIpv6Addresses, AssignPrivateIpAddresses, AssociateAddress,
    AttachNetworkInterface, CreateNetworkInterface, CreateSubnetCidrReservation, CreateTags,
    DeleteNetworkInterface, DetachNetworkInterface, ModifyNetworkInterfaceAttribute, Operation,
    Request, TagSpecification, UnassignIpv6Addresses, UnassignPrivateIpAddresses, Wanted,
};

/// Reads a request from a form or a query string.
///
/// # Errors
///
/// [`Refused`] with what EC2 says of a form that is no request.
pub fn decode(form: &str) -> Result<Request, Refused> {
    let mut form = Form::parse(form).map_err(|error| Refused { action: None, error })?;
    let action = action(&mut form).map_err(|error| Refused { action: None, error })?;
    request(action, &form).map_err(|error| Refused { action: Some(action), error })
}

/// The action that the form names, once its version is right.
fn action(form: &mut Form) -> Result<Action, ApiError> {
    let name = form.take("Action").ok_or_else(ApiError::missing_action)?;
    let version = form.take("Version").ok_or_else(|| ApiError::missing_parameter("Version"))?;
    if version != VERSION {
        return Err(ApiError::no_such_version(&version));
    }
    Action::find(&name).ok_or_else(|| ApiError::unknown_action(&name))
}

/// The parameters of `action`.
fn request(action: Action, form: &Form) -> Result<Request, ApiError> {
    parameters::check(action, form)?;
    let fields = &form.root();
    let operation = match action {
        Action::AssignIpv6Addresses => Operation::AssignIpv6Addresses(assign_ipv6(fields)?),
        Action::AssignPrivateIpAddresses => {
            Operation::AssignPrivateIpAddresses(assign_ipv4(fields)?)
        }
        Action::AssociateAddress => Operation::AssociateAddress(associate_address(fields)?),
        Action::AttachNetworkInterface => Operation::AttachNetworkInterface(attach(fields)?),
        Action::CreateNetworkInterface => Operation::CreateNetworkInterface(create(fields)?),
        Action::CreateSubnetCidrReservation => {
            Operation::CreateSubnetCidrReservation(create_reservation(fields)?)
        }
        Action::CreateTags => Operation::CreateTags(create_tags(fields)?),
        Action::DeleteNetworkInterface => {
            let interface = fields.required("NetworkInterfaceId", value::id)?;
            Operation::DeleteNetworkInterface(DeleteNetworkInterface { interface })
        }
        Action::DetachNetworkInterface => {
            Operation::DetachNetworkInterface(DetachNetworkInterface {
                attachment: fields.required("AttachmentId", value::id)?,
                force: flag(fields, "Force")?,
            })
        }
        Action::ModifyNetworkInterfaceAttribute => {
            Operation::ModifyNetworkInterfaceAttribute(modify(fields)?)
        }
        Action::UnassignIpv6Addresses => Operation::UnassignIpv6Addresses(unassign_ipv6(fields)?),
        Action::UnassignPrivateIpAddresses => {
            Operation::UnassignPrivateIpAddresses(unassign_ipv4(fields)?)
        }
        Action::DescribeAddresses
        | Action::DescribeInstanceTypes
        | Action::DescribeInstances
        | Action::DescribeNetworkInterfaces
        | Action::DescribeRouteTables
        | Action::DescribeSecurityGroups
        | Action::DescribeSubnets
        | Action::DescribeTags
        | Action::DescribeVpcs
        | Action::GetSecurityGroupsForVpc => return listing::request(action, fields),
    };
    Ok(Request { dry_run: flag(fields, "DryRun")?, operation })
}

/// Whether the caller said `true`.
fn flag(fields: &Fields<'_>, name: &str) -> Result<bool, ApiError> {
    Ok(fields.parsed(name, value::boolean)?.unwrap_or_default())
}

fn assign_ipv6(fields: &Fields<'_>) -> Result<AssignIpv6Addresses, ApiError> {
    Ok(AssignIpv6Addresses {
        interface: fields.required("NetworkInterfaceId", value::id)?,
        wanted: Wanted {
            addresses: fields.list("Ipv6Addresses", value::address)?,
            address_count: fields.parsed("Ipv6AddressCount", value::integer)?,
            prefixes: fields.list("Ipv6Prefix", value::block)?,
            prefix_count: fields.parsed("Ipv6PrefixCount", value::integer)?,
        },
    })
}

fn assign_ipv4(fields: &Fields<'_>) -> Result<AssignPrivateIpAddresses, ApiError> {
    Ok(AssignPrivateIpAddresses {
        interface: fields.required("NetworkInterfaceId", value::id)?,
        wanted: Wanted {
            addresses: fields.list("PrivateIpAddress", value::address)?,
            address_count: fields.parsed("SecondaryPrivateIpAddressCount", value::integer)?,
            prefixes: fields.list("Ipv4Prefix", value::block)?,
            prefix_count: fields.parsed("Ipv4PrefixCount", value::integer)?,
        },
        allow_reassignment: flag(fields, "AllowReassignment")?,
    })
}

fn associate_address(fields: &Fields<'_>) -> Result<AssociateAddress, ApiError> {
    Ok(AssociateAddress {
        allocation: fields.parsed("AllocationId", value::id)?,
        public_ip: fields.parsed("PublicIp", value::address)?,
        instance: fields.parsed("InstanceId", value::id)?,
        interface: fields.parsed("NetworkInterfaceId", value::id)?,
        private_ip: fields.parsed("PrivateIpAddress", value::address)?,
        allow_reassociation: fields.parsed("AllowReassociation", value::boolean)?,
    })
}

fn attach(fields: &Fields<'_>) -> Result<AttachNetworkInterface, ApiError> {
    Ok(AttachNetworkInterface {
        interface: fields.required("NetworkInterfaceId", value::id)?,
        instance: fields.required("InstanceId", value::id)?,
        device_index: fields.required("DeviceIndex", value::integer)?,
        network_card: fields.parsed("NetworkCardIndex", value::integer)?,
    })
}

fn create(fields: &Fields<'_>) -> Result<CreateNetworkInterface, ApiError> {
    let (primary_ip, addresses) = private_addresses(fields)?;
    Ok(CreateNetworkInterface {
        subnet: fields.required("SubnetId", value::id)?,
        description: fields.text("Description").unwrap_or_default().to_owned(),
        primary_ip,
        ipv4: Wanted {
            addresses,
            address_count: fields.parsed("SecondaryPrivateIpAddressCount", value::integer)?,
            prefixes: members(fields, "Ipv4Prefix", "Ipv4Prefix", value::block)?,
            prefix_count: fields.parsed("Ipv4PrefixCount", value::integer)?,
        },
        ipv6: Wanted {
            addresses: members(fields, "Ipv6Addresses", "Ipv6Address", value::address)?,
            address_count: fields.parsed("Ipv6AddressCount", value::integer)?,
            prefixes: members(fields, "Ipv6Prefix", "Ipv6Prefix", value::block)?,
            prefix_count: fields.parsed("Ipv6PrefixCount", value::integer)?,
        },
        groups: fields.list("SecurityGroupId", value::id)?,
        kind: fields.parsed("InterfaceType", value::text)?,
        tag_specifications: tag_specifications(fields)?,
        client_token: fields.parsed("ClientToken", value::text)?,
    })
}

/// One member of each structure of a list.
fn members<Value>(
    fields: &Fields<'_>,
    list: &str,
    member: &str,
    parse: impl Fn(&str, &str) -> Result<Value, ApiError>,
) -> Result<Vec<Value>, ApiError> {
    fields.elements(list).iter().map(|element| element.required(member, &parse)).collect()
}

/// The primary address, which can be said in two ways, and the others.
fn private_addresses(fields: &Fields<'_>) -> Result<(Option<Ipv4Addr>, Vec<Ipv4Addr>), ApiError> {
    let mut primary = fields.parsed("PrivateIpAddress", value::address)?;
    let mut others = Vec::new();
    for element in fields.elements("PrivateIpAddresses") {
        let address = element.required("PrivateIpAddress", value::address)?;
        if !flag(&element, "Primary")? {
            others.push(address);
        } else if primary.replace(address).is_some() {
            return Err(ApiError::two_primaries());
        }
    }
    Ok((primary, others))
}

fn tag_specifications(fields: &Fields<'_>) -> Result<Vec<TagSpecification>, ApiError> {
    let specification = |element: &Fields<'_>| {
        Ok(TagSpecification {
            resource_type: element.required("ResourceType", value::text)?,
            tags: tags(element)?,
        })
    };
    fields.elements("TagSpecification").iter().map(specification).collect()
}

/// `Tag.N`: every key once, and a value, which may be empty.
fn tags(fields: &Fields<'_>) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for element in fields.elements("Tag") {
        let key = element.required("Key", value::text)?;
        let value = element.text("Value").unwrap_or_default().to_owned();
        if tags.contains_key(&key) {
            return Err(ApiError::duplicate(&key));
        }
        tags.insert(key, value);
    }
    Ok(tags)
}

fn create_reservation(fields: &Fields<'_>) -> Result<CreateSubnetCidrReservation, ApiError> {
    let kind = |name: &str, text: &str| match text {
        "prefix" => Ok(ReservationKind::Prefix),
        "explicit" => Ok(ReservationKind::Explicit),
        _ => Err(ApiError::invalid_value_because(name, text, "prefix or explicit is expected.")),
    };
    Ok(CreateSubnetCidrReservation {
        subnet: fields.required("SubnetId", value::id)?,
        cidr: fields.required("Cidr", reservable)?,
        kind: fields.required("ReservationType", kind)?,
        description: fields.text("Description").unwrap_or_default().to_owned(),
        tag_specifications: tag_specifications(fields)?,
    })
}

/// An IPv4 block. EC2 reserves IPv6 blocks, too, which the machine does not.
fn reservable(name: &str, text: &str) -> Result<Ipv4Net, ApiError> {
    if text.parse::<Ipv6Net>().is_ok() {
        return Err(ApiError::not_simulated(&format!("The IPv6 block {text} as parameter {name}")));
    }
    value::block(name, text)
}

fn create_tags(fields: &Fields<'_>) -> Result<CreateTags, ApiError> {
    let resources = fields.required_list("ResourceId", value::text)?;
    let tags = tags(fields)?;
    if tags.is_empty() {
        Err(ApiError::missing_parameter("Tag"))
    } else {
        Ok(CreateTags { resources, tags })
    }
}

fn modify(fields: &Fields<'_>) -> Result<ModifyNetworkInterfaceAttribute, ApiError> {
    let attachment = fields.parsed("Attachment.AttachmentId", value::id)?;
    let delete = fields.parsed("Attachment.DeleteOnTermination", value::boolean)?;
    let said = attachment.is_some() || delete.is_some();
    let groups = fields.list("SecurityGroupId", value::id)?;
    Ok(ModifyNetworkInterfaceAttribute {
        interface: fields.required("NetworkInterfaceId", value::id)?,
        delete_on_termination: said.then_some((attachment, delete)),
        description: fields.text("Description.Value").map(str::to_owned),
        groups: (!groups.is_empty()).then_some(groups),
        source_dest_check: fields.parsed("SourceDestCheck.Value", value::boolean)?,
    })
}

fn unassign_ipv6(fields: &Fields<'_>) -> Result<UnassignIpv6Addresses, ApiError> {
    Ok(UnassignIpv6Addresses {
        interface: fields.required("NetworkInterfaceId", value::id)?,
        addresses: fields.list("Ipv6Addresses", value::address::<Ipv6Addr>)?,
        prefixes: fields.list("Ipv6Prefix", value::block::<Ipv6Net>)?,
    })
}

fn unassign_ipv4(fields: &Fields<'_>) -> Result<UnassignPrivateIpAddresses, ApiError> {
    Ok(UnassignPrivateIpAddresses {
        interface: fields.required("NetworkInterfaceId", value::id)?,
        addresses: fields.list("PrivateIpAddress", value::address::<Ipv4Addr>)?,
        prefixes: fields.list("Ipv4Prefix", value::block::<Ipv4Net>)?,
    })
}
