//! Calls that list.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{InstanceType, Reservation};

use super::{Outcome, refusal};
use crate::show;
use crate::words::Parameters;

type Result = std::result::Result<Outcome, String>;

/// A line for each item, and one that says so where there is a further page.
fn listed(lines: impl Iterator<Item = String>, next_token: Option<&str>) -> Outcome {
    let mut lines: Vec<_> = lines.collect();
    if lines.is_empty() {
        lines.push("nothing".to_owned());
    }
    if next_token.is_some() {
        lines.push("and more".to_owned());
    }
    Outcome { text: lines.join("\n"), made: next_token.map(str::to_owned) }
}

/// Sets what most listings take, then sends.
macro_rules! list {
    ($call:expr, $given:ident $(, $setter:ident $name:literal)?) => {{
        let call = $call
            $(.$setter($given.list($name)))?
            .set_filters($given.filters())
            .set_max_results($given.number("MaxResults"))
            .set_next_token($given.text("NextToken"))
            .set_dry_run($given.flag("DryRun"));
        $given.finish();
        call.send().await.map_err(|error| refusal(&error))?
    }};
}

pub(super) async fn interfaces(client: &Client, mut given: Parameters<'_>) -> Result {
    let call = client.describe_network_interfaces();
    let answer = list!(call, given, set_network_interface_ids "NetworkInterfaceIds");
    Ok(listed(answer.network_interfaces().iter().map(show::interface), answer.next_token()))
}

pub(super) async fn instances(client: &Client, mut given: Parameters<'_>) -> Result {
    let answer = list!(client.describe_instances(), given, set_instance_ids "InstanceIds");
    let instances = answer.reservations().iter().flat_map(Reservation::instances);
    Ok(listed(instances.map(show::instance), answer.next_token()))
}

pub(super) async fn subnets(client: &Client, mut given: Parameters<'_>) -> Result {
    let answer = list!(client.describe_subnets(), given, set_subnet_ids "SubnetIds");
    Ok(listed(answer.subnets().iter().map(show::subnet), answer.next_token()))
}

pub(super) async fn vpcs(client: &Client, mut given: Parameters<'_>) -> Result {
    let answer = list!(client.describe_vpcs(), given, set_vpc_ids "VpcIds");
    Ok(listed(answer.vpcs().iter().map(show::vpc), answer.next_token()))
}

pub(super) async fn route_tables(client: &Client, mut given: Parameters<'_>) -> Result {
    let answer = list!(client.describe_route_tables(), given, set_route_table_ids "RouteTableIds");
    Ok(listed(answer.route_tables().iter().map(show::route_table), answer.next_token()))
}

pub(super) async fn security_groups(client: &Client, mut given: Parameters<'_>) -> Result {
    let call = client.describe_security_groups().set_group_names(given.list("GroupNames"));
    let answer = list!(call, given, set_group_ids "GroupIds");
    let line = |group: &aws_sdk_ec2::types::SecurityGroup| {
        show::words([group.group_id(), group.group_name(), group.vpc_id()])
    };
    Ok(listed(answer.security_groups().iter().map(line), answer.next_token()))
}

pub(super) async fn groups_for_vpc(client: &Client, mut given: Parameters<'_>) -> Result {
    let call = client.get_security_groups_for_vpc().set_vpc_id(given.text("VpcId"));
    let answer = list!(call, given);
    let line = |group: &aws_sdk_ec2::types::SecurityGroupForVpc| {
        show::words([group.group_id(), group.group_name(), group.primary_vpc_id()])
    };
    Ok(listed(answer.security_group_for_vpcs().iter().map(line), answer.next_token()))
}

pub(super) async fn tags(client: &Client, mut given: Parameters<'_>) -> Result {
    let answer = list!(client.describe_tags(), given);
    let line = |tag: &aws_sdk_ec2::types::TagDescription| {
        let kind = tag.resource_type().map(aws_sdk_ec2::types::ResourceType::as_str);
        show::words([tag.resource_id(), kind, tag.key(), tag.value()])
    };
    Ok(listed(answer.tags().iter().map(line), answer.next_token()))
}

pub(super) async fn instance_types(client: &Client, mut given: Parameters<'_>) -> Result {
    let call = client.describe_instance_types().set_instance_types(
        given.list_of("InstanceTypes", |name| InstanceType::from(name.as_str())),
    );
    let answer = list!(call, given);
    Ok(listed(answer.instance_types().iter().map(show::instance_type), answer.next_token()))
}

pub(super) async fn addresses(client: &Client, mut given: Parameters<'_>) -> Result {
    let call = client
        .describe_addresses()
        .set_allocation_ids(given.list("AllocationIds"))
        .set_public_ips(given.list("PublicIps"))
        .set_filters(given.filters())
        .set_dry_run(given.flag("DryRun"));
    given.finish();
    let answer = call.send().await.map_err(|error| refusal(&error))?;
    Ok(listed(answer.addresses().iter().map(show::address), None))
}
