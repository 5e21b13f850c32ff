//! The simulated EC2: the network of the plan, its instances, and what others do to it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ec2_sim::build::{
    BuildError, NewAttachment, NewInstance, NewInterface, NewSecurityGroup, NewSubnet, NewVpc,
};
use ec2_sim::face::http::Server;
use ec2_sim::face::shared::Shared;
use ec2_sim::fault::{Code, Effect, Rule};
use ec2_sim::id::{GroupId, InstanceId, SubnetId, VpcId};
use ec2_sim::model::Tags;
use ec2_sim::world::Principal;
use ec2_sim::{Action, Ec2, latency};
use jiff::Timestamp;

use super::StageError;
use crate::plan::{Foreign, Left, Network, NodeGroup, Plan};

/// The access key of the operator.
pub(super) const OPERATOR_KEY: &str = "operator";
/// An access key for whoever else calls EC2, where keys are told apart.
pub(super) const VISITOR_KEY: &str = "playground";
/// Calls that the journal of EC2 keeps.
const JOURNAL: usize = 4_096;

/// A free port of this machine alone.
pub(super) const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// EC2, and where it is served.
#[derive(Debug)]
pub(super) struct World {
    pub(super) ec2: Shared,
    pub(super) address: SocketAddr,
    pub(super) region: String,
    subnets: BTreeMap<String, SubnetId>,
    group: GroupId,
}

/// An instance to launch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Launch<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// The group that it is of.
    pub(super) group: &'a NodeGroup,
    /// Its type.
    pub(super) instance_type: &'a str,
    /// The subnet of its primary interface, by name.
    pub(super) subnet: &'a str,
}

/// An instance that was launched.
#[derive(Debug, Clone)]
pub(super) struct Launched {
    pub(super) instance: InstanceId,
    pub(super) zone: String,
    pub(super) address: Ipv4Addr,
}

impl World {
    /// Builds the network and serves it over loopback.
    pub(super) async fn build(plan: &Plan) -> Result<(Self, Server), StageError> {
        let region = region(plan);
        let mut ec2 = Ec2::new(settings(plan, region.clone()));
        let (subnets, group) = build_network(&mut ec2, &plan.network)?;
        for rule in &plan.ec2.faults {
            ec2.build().faults().add(rule.clone());
        }
        permit(&mut ec2, &plan.ec2.denied);
        let ec2 = Shared::new(ec2);
        let server = Server::start(LOOPBACK, ec2.clone()).await.map_err(StageError::Listen)?;
        let address = server.addr;
        Ok((Self { ec2, address, region, subnets, group }, server))
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The metadata service of an instance.
    pub(super) fn metadata(&self, instance: &InstanceId) -> String {
        format!("{}/_imds/{instance}", self.endpoint())
    }

    /// The id of a subnet of the plan.
    pub(super) fn subnet(&self, name: &str) -> Result<&SubnetId, StageError> {
        let found = self.subnets.get(name);
        found.ok_or_else(|| StageError::NoSubnet { name: name.to_owned() })
    }

    /// The same as text. What no subnet is called stays as it is: it may be meant to name none.
    pub(super) fn id_or_name(&self, name: &str) -> String {
        self.subnets.get(name).map_or_else(|| name.to_owned(), ToString::to_string)
    }

    /// Launches an instance with its interfaces: all of them, or nothing.
    pub(super) fn launch(&self, launch: Launch<'_>) -> Result<Launched, StageError> {
        let Launch { name, group, instance_type, subnet } = launch;
        let subnet_id = self.subnet(subnet)?.clone();
        let mut new = NewInstance::new(instance_type, subnet_id.clone());
        new.tags = tags([("Name", name), ("group", &group.name)]);
        new.primary.groups.push(self.group.clone());
        let foreign = group.foreign.iter().map(|foreign| self.foreign(foreign, &subnet_id));
        let foreign = foreign.collect::<Result<Vec<_>, _>>()?;
        self.ec2.with(|ec2, _| {
            let instance = ec2.build().instance(new)?;
            for interface in foreign {
                if let Err(error) = ec2.build().interface(attached(interface, &instance)) {
                    ec2.build().terminate_instance(&instance)?;
                    return Err(error.into());
                }
            }
            let placed = ec2.world().truth().instance(&instance);
            let (zone, address) = placed.map_or((String::new(), Ipv4Addr::UNSPECIFIED), |it| {
                (it.zone.clone(), it.private_ip)
            });
            Ok(Launched { instance, zone, address })
        })
    }

    /// An interface of somebody else, not attached yet.
    fn foreign(&self, foreign: &Foreign, primary: &SubnetId) -> Result<NewInterface, StageError> {
        let subnet = match &foreign.subnet {
            Some(name) => self.subnet(name)?.clone(),
            None => primary.clone(),
        };
        let mut new = NewInterface::new(subnet);
        "somebody else's".clone_into(&mut new.description);
        new.tags.clone_from(&foreign.tags);
        new.ipv4.address_count = usize::try_from(foreign.addresses).unwrap_or(usize::MAX);
        new.attachment = Some(NewAttachment {
            instance: None,
            instance_owner: None,
            device_index: foreign.device_index,
            network_card: 0,
            delete_on_termination: true,
        });
        Ok(new)
    }

    /// Terminates an instance.
    pub(super) fn terminate(&self, instance: &InstanceId) -> Result<(), BuildError> {
        self.ec2.with(|ec2, _| ec2.build().terminate_instance(instance))
    }

    /// Lets others take a subnet but for what is left.
    pub(super) fn leave(&self, name: &str, left: Left) -> Result<(), StageError> {
        let subnet = self.subnet(name)?;
        let count = |left: u32| usize::try_from(left).unwrap_or(usize::MAX);
        self.ec2.with(|ec2, _| match left {
            Left::Addresses(left) => ec2.build().leave_addresses(subnet, count(left)),
            Left::Blocks(left) => ec2.build().leave_blocks(subnet, count(left)),
        })?;
        Ok(())
    }

    /// From now on every call fails. Answers the number of the rule that says so.
    pub(super) fn begin_outage(&self) -> u64 {
        let effect = match Code::find("ServiceUnavailable") {
            Some(code) => Effect::Error { code, message: String::new(), status: None },
            None => Effect::Html(503),
        };
        self.ec2.with(|ec2, _| ec2.build().faults().add(Rule::always(effect)))
    }

    /// The outage of that number is over.
    pub(super) fn end_outage(&self, number: u64) {
        self.ec2.with(|ec2, _| ec2.build().faults().remove(number));
    }

    /// The buckets become so many times as large as published.
    pub(super) fn scale_buckets(&self, multiplier: f64) {
        self.ec2.with(|ec2, _| ec2.build().buckets().settings.multiplier = multiplier);
    }
}

/// That of the first zone: its name without the letter.
fn region(plan: &Plan) -> String {
    let zone = plan.network.subnets.first().map_or("", |subnet| subnet.zone.as_str());
    let region = zone.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    if region.is_empty() { ec2_sim::Settings::default().region } else { region.to_owned() }
}

fn settings(plan: &Plan, region: String) -> ec2_sim::Settings {
    ec2_sim::Settings {
        seed: plan.seed,
        region,
        started_at: Timestamp::now().as_second(),
        buckets: plan.ec2.buckets.clone(),
        latency: latency::Settings::of(plan.ec2.latency),
        staleness: plan.ec2.staleness,
        journal: Some(JOURNAL),
        ..ec2_sim::Settings::default()
    }
}

fn build_network(
    ec2: &mut Ec2,
    network: &Network,
) -> Result<(BTreeMap<String, SubnetId>, GroupId), BuildError> {
    let secondary_cidrs = network.secondary_cidrs.clone();
    let vpc = NewVpc {
        secondary_cidrs,
        tags: tags([("Name", "playground")]),
        ..NewVpc::new(network.cidr)
    };
    let vpc: VpcId = ec2.build().vpc(vpc)?;
    let mut subnets = BTreeMap::new();
    for subnet in &network.subnets {
        let mut new = NewSubnet::new(vpc.clone(), &subnet.zone, subnet.cidr);
        new.tags.clone_from(&subnet.tags);
        new.tags.entry("Name".to_owned()).or_insert_with(|| subnet.name.clone());
        subnets.insert(subnet.name.clone(), ec2.build().subnet(new)?);
    }
    let group =
        NewSecurityGroup { tags: tags([("Name", "nodes")]), ..NewSecurityGroup::new(vpc, "nodes") };
    Ok((subnets, ec2.build().security_group(group)?))
}

/// Where something is denied, keys are told apart: the operator has one of its own, and there is one for visitors.
fn permit(ec2: &mut Ec2, denied: &[Action]) {
    if denied.is_empty() {
        return;
    }
    let account = ec2.settings().account.clone();
    let allowed = Action::ALL.iter().copied().filter(|action| !denied.contains(action));
    let allowed = Some(allowed.collect::<BTreeSet<_>>());
    ec2.build().principal(OPERATOR_KEY, Principal { account: account.clone(), allowed });
    ec2.build().principal(VISITOR_KEY, Principal { account, allowed: None });
}

fn attached(mut interface: NewInterface, instance: &InstanceId) -> NewInterface {
    if let Some(attachment) = &mut interface.attachment {
        attachment.instance = Some(instance.clone());
    }
    interface
}

fn tags<const N: usize>(tags: [(&str, &str); N]) -> Tags {
    tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
