//! What is read from EC2: filtered always, and in pages of the largest size that the action takes.

use aws_sdk_ec2::types::{
    self, Filter, InstanceTypeInfo, NetworkInterface, RouteTable, SecurityGroup,
    SecurityGroupForVpc,
};
use ipam_core::call::{Api, EniPage, EniScope, PageToken, Read, Reply};
use ipam_core::failure::Failure;
use ipam_core::ids::{EniId, InstanceId, InstanceType, VpcId};
use ipam_core::view::Tags;
use limits::Reported;

use super::text::page;
use super::{Aws, eni, network, send};

/// The largest page of `DescribeRouteTables` and `DescribeInstanceTypes` (EC2 API reference). The others have up to 1,000.
const SMALL_PAGE: i32 = 100;

/// More pages than all instance types fill, some 1,000 in 2026.
const TYPE_PAGES_MAX: usize = 50;

impl Aws {
    /// Reads something.
    pub(super) async fn read(&self, read: &Read) -> Result<Reply, Failure> {
        let api = read.api().name();
        match read {
            Read::Enis { scope, page } => {
                self.enis(scope, token(page.as_ref())).await.map(Reply::Enis)
            }
            Read::Subnets { vpc, page: at } => {
                let output = send!(
                    self,
                    api,
                    describe_subnets
                        .filters(in_vpc(vpc))
                        .max_results(self.page())
                        .set_next_token(token(at.as_ref()))
                )?;
                let next = output.next_token();
                Ok(Reply::Subnets(page(
                    output.subnets(),
                    next,
                    types::Subnet::subnet_id,
                    network::subnet,
                )))
            }
            Read::Vpc { vpc } => self.vpc(vpc).await,
            Read::SecurityGroups { vpc, without_rules, page } => {
                self.groups(vpc, *without_rules, token(page.as_ref())).await
            }
            Read::RouteTables { vpc, page: at } => {
                let output = send!(
                    self,
                    api,
                    describe_route_tables
                        .filters(in_vpc(vpc))
                        .max_results(self.small_page())
                        .set_next_token(token(at.as_ref()))
                )?;
                let (tables, next) = (output.route_tables(), output.next_token());
                let tables = page(tables, next, RouteTable::route_table_id, network::route_table);
                Ok(Reply::RouteTables(tables))
            }
            Read::InstanceTypes { types } => self.types(types).await.map(Reply::InstanceTypes),
        }
    }

    async fn enis(&self, scope: &EniScope, token: Option<String>) -> Result<EniPage, Failure> {
        let chosen = match scope {
            EniScope::Vpc(vpc) => vec![in_vpc(vpc)],
            EniScope::Instances(ids) => {
                vec![filter("attachment.instance-id", ids.iter().map(InstanceId::as_str))]
            }
            EniScope::Unattached { vpc, tags } => unattached(vpc.as_ref(), tags),
            EniScope::Ids(ids) => {
                vec![filter("network-interface-id", ids.iter().map(EniId::as_str))]
            }
        };
        let output = send!(
            self,
            Api::DescribeNetworkInterfaces.name(),
            describe_network_interfaces
                .set_filters(Some(chosen))
                .max_results(self.page())
                .set_next_token(token)
        )?;
        let (interfaces, now) = (output.network_interfaces(), self.now());
        Ok(page(
            interfaces,
            output.next_token(),
            NetworkInterface::network_interface_id,
            |interface| eni::listed(interface, now),
        ))
    }

    /// By filter, so that a VPC that is gone is missing in the answer and no error.
    async fn vpc(&self, vpc: &VpcId) -> Result<Reply, Failure> {
        let output = send!(self, Api::DescribeVpcs.name(), describe_vpcs.filters(in_vpc(vpc)))?;
        let view = output.vpcs().first().map(network::vpc).transpose();
        let unreadable = |problem| Failure::NoAnswer { cause: format!("{vpc}: {problem}") };
        view.map(Reply::Vpc).map_err(unreadable)
    }

    async fn groups(
        &self,
        vpc: &VpcId,
        without_rules: bool,
        token: Option<String>,
    ) -> Result<Reply, Failure> {
        if without_rules {
            let output = send!(
                self,
                Api::GetSecurityGroupsForVpc.name(),
                get_security_groups_for_vpc
                    .vpc_id(vpc.as_str())
                    .max_results(self.page())
                    .set_next_token(token)
            )?;
            let read = |one: &_| network::group_for(one, vpc);
            let (groups, next) = (output.security_group_for_vpcs(), output.next_token());
            return Ok(Reply::SecurityGroups(page(
                groups,
                next,
                SecurityGroupForVpc::group_id,
                read,
            )));
        }
        let output = send!(
            self,
            Api::DescribeSecurityGroups.name(),
            describe_security_groups
                .filters(in_vpc(vpc))
                .max_results(self.page())
                .set_next_token(token)
        )?;
        let (groups, next) = (output.security_groups(), output.next_token());
        Ok(Reply::SecurityGroups(page(groups, next, SecurityGroup::group_id, network::group)))
    }

    /// By filter, because one type that EC2 does not know makes the whole call fail where types are named. A filtered listing may come in
    /// several pages, also when little is in them.
    async fn types(
        &self,
        types: &[InstanceType],
    ) -> Result<Vec<(InstanceType, Reported)>, Failure> {
        let chosen = filter("instance-type", types.iter().map(InstanceType::as_str));
        let (mut found, mut at) = (Vec::new(), None);
        for _ in 0..TYPE_PAGES_MAX {
            let output = send!(
                self,
                Api::DescribeInstanceTypes.name(),
                describe_instance_types
                    .filters(chosen.clone())
                    .max_results(self.small_page())
                    .set_next_token(at)
            )?;
            let (listed, next) = (output.instance_types(), output.next_token());
            let read = page(listed, next, type_name, network::instance_type);
            for problem in &read.unreadable {
                tracing::warn!(%problem, "EC2 describes an instance type in a way that is not understood");
            }
            found.extend(read.items);
            at = read.next.map(|next| next.0);
            if at.is_none() {
                return Ok(found);
            }
        }
        let cause = format!("instance types on more than {TYPE_PAGES_MAX} pages");
        Err(Failure::NoAnswer { cause })
    }

    fn page(&self) -> i32 {
        self.shared.max_results.into()
    }

    fn small_page(&self) -> i32 {
        self.page().min(SMALL_PAGE)
    }
}

fn type_name(info: &InstanceTypeInfo) -> Option<&str> {
    info.instance_type().map(types::InstanceType::as_str)
}

/// Attached to nothing, with all of these tags.
fn unattached(vpc: Option<&VpcId>, tags: &Tags) -> Vec<Filter> {
    let tagged = tags.iter().map(|(key, value)| filter(&format!("tag:{key}"), [value.as_str()]));
    let loose = filter("status", ["available"]);
    vpc.map(in_vpc).into_iter().chain([loose]).chain(tagged).collect()
}

fn in_vpc(vpc: &VpcId) -> Filter {
    filter("vpc-id", [vpc.as_str()])
}

fn filter<'a>(name: &str, values: impl IntoIterator<Item = &'a str>) -> Filter {
    let values = values.into_iter().map(str::to_owned).collect();
    Filter::builder().name(name).set_values(Some(values)).build()
}

fn token(page: Option<&PageToken>) -> Option<String> {
    page.map(|token| token.0.clone())
}
