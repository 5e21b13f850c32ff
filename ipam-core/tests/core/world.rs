//! A model of one node and of the EC2 around it, made from a text and changed by actions.
//!
//! One line a thing; what is not said has a plain default:
//! ```text
//! node m5.large pre 8 used 7 first 1 in subnet-1
//! policy prefixes
//! subnet subnet-1 10.0.0.0/24 free 200
//! eni eni-1 at 0 in subnet-1 addresses 8
//! ```
//! The model refuses what EC2 would refuse: more slots or interfaces than the type has, an index that
//! is taken, addresses or blocks that are not there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use ipam_core::action::{Action, CreateEni, Ipv4Ask};
use ipam_core::audit::{InUse, LooseEni, NodeTruth, Truth, audit};
use ipam_core::capacity::{available, empty_slots, free_slots};
use ipam_core::ids::{EniId, SubnetId};
use ipam_core::plan::{Plan, plan};
use ipam_core::policy::Policy;
use ipam_core::prefix::{FreeBlocks, addresses_of, block_of};
use ipam_core::reason::{Blocked, Reason};
use ipam_core::time::Tick;
use ipam_core::view::{
    Attachment, AttachmentState, Demand, EniKind, EniView, Ipv4Held, Ipv6Held, NetworkView,
    NodeView, View,
};
use ipnet::Ipv4Net;
use limits::Limits;

mod text;

/// One node, the network, and who has which address in it.
#[derive(Clone)]
pub(crate) struct World {
    /// What it was made from.
    text: String,
    pub node: NodeView,
    pub network: NetworkView,
    pub policy: Policy,
    /// Addresses that are not free, the node's own included.
    taken: BTreeMap<SubnetId, BTreeSet<Ipv4Addr>>,
    /// Whether an observation tells the free blocks, or only the count of free addresses.
    blocks_known: bool,
    enis_made: u16,
    /// When the interfaces were made that the node did not start with.
    made_at: BTreeMap<EniId, Tick>,
    now: Tick,
    /// A pod on every secondary address that the node started with.
    in_use: Vec<InUse>,
}

/// Rounds in which a new interface must have found its instance.
const GRACE: Duration = Duration::from_secs(3);

/// A failing property shows the text that makes the world again.
impl std::fmt::Debug for World {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "World::new({:?})", self.text)
    }
}

impl World {
    pub(crate) fn new(text: &str) -> Self {
        text::parse(text)
    }

    pub(crate) fn plan(&self) -> Plan {
        plan(View { node: &self.node, network: &self.network }, &self.policy)
    }

    pub(crate) fn available(&self) -> u32 {
        available(&self.node, &self.policy)
    }

    /// Carries out one round, which takes a second. What was coming or going has arrived or gone.
    pub(crate) fn apply_all(&mut self, actions: &[Action]) -> Result<(), String> {
        self.now = self.now + Duration::from_secs(1);
        self.node.enis.retain(|eni| !is_in(eni, AttachmentState::Detaching));
        for eni in self.node.enis.iter_mut().filter(|eni| is_in(eni, AttachmentState::Attaching)) {
            eni.attachment.as_mut().unwrap().state = AttachmentState::Attached;
        }
        actions.iter().try_for_each(|action| {
            self.apply(action).map_err(|error| format!("{action}: {error}"))?;
            self.check()
        })
    }

    /// Plans and carries out until nothing is left to do. Answers with the number of rounds.
    pub(crate) fn settle(&mut self) -> Result<usize, String> {
        const ROUNDS_MAX: usize = 8;
        for round in 0..ROUNDS_MAX {
            let plan = self.plan();
            let is_coming = |eni: &EniView| is_in(eni, AttachmentState::Attaching);
            if plan.actions.is_empty() && !self.node.enis.iter().any(is_coming) {
                return self.check().map(|()| round);
            }
            self.apply_all(&plan.actions)?;
        }
        Err(format!("still acting after {ROUNDS_MAX} rounds"))
    }

    pub(crate) fn apply(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::AssignAddresses { eni, count, .. } => {
                self.give(eni, Ipv4Ask::Addresses(*count))
            }
            Action::AssignPrefixes { eni, count, .. } => self.give(eni, Ipv4Ask::Prefixes(*count)),
            Action::UnassignAddresses { .. }
            | Action::UnassignPrefixes { .. }
            | Action::DetachEni { .. } => Err("a plan to grow takes nothing away".into()),
            Action::AssignIpv6Prefix { eni } => self.give_ipv6(eni),
            Action::CreateEni(create) => self.create(create),
            Action::AttachEni { eni, device_index } => self.attach(eni, *device_index),
            Action::SetDeleteOnTermination { eni, .. } => {
                let attachment = self.eni(eni)?.attachment.as_mut().ok_or("not attached")?;
                attachment.delete_on_termination = Some(true);
                Ok(())
            }
            Action::SetSecurityGroups { .. } => Err("a plan to grow changes no groups".into()),
            Action::DeleteEni { eni } => {
                self.eni(eni)?;
                self.node.enis.retain(|it| it.id != *eni);
                Ok(())
            }
        }
    }

    /// Whether every promise is kept now.
    pub(crate) fn check(&self) -> Result<(), String> {
        let attached: Vec<EniView> =
            self.node.enis.iter().filter(|eni| eni.attachment.is_some()).cloned().collect();
        let made = self.node.enis.iter().filter(|eni| eni.attachment.is_none());
        let loose: Vec<LooseEni> = made
            .filter_map(|eni| Some(LooseEni { eni, since: *self.made_at.get(&eni.id)? }))
            .collect();
        let plan = self.plan();
        let node = NodeTruth {
            name: &self.node.identity.name,
            vpc: &self.node.identity.vpc,
            limits: self.node.limits,
            enis: &attached,
            in_use: &self.in_use,
            short: u32::try_from(self.short()).unwrap(),
            explained: !plan.actions.is_empty() || plan.blocked.iter().any(explains),
            ledgers: &[],
        };
        let truth = Truth { now: self.now, nodes: &[node], loose: &loose, grace: GRACE };
        match audit(&truth).first() {
            None => Ok(()),
            Some(violation) => Err(violation.to_string()),
        }
    }

    /// How many addresses the node is short of its watermarks and its waiting pods, reckoned apart
    /// from the planner.
    pub(crate) fn short(&self) -> i64 {
        let watermarks = &self.node.settings.watermarks;
        let pre_allocate = i64::from(watermarks.pre_allocate());
        let used = match self.node.demand {
            Demand::PerIp { used } => i64::from(used),
            Demand::Cidr { ipv4, .. } => (i64::from(ipv4) - pre_allocate).max(0),
        };
        let available = i64::from(self.available());
        let for_minimum = match watermarks.min_allocate() {
            0 => 0,
            least => i64::from(least) - available,
        };
        let free = available - used;
        let waiting = i64::from(self.node.waiting_pods);
        [pre_allocate - free, waiting - free, for_minimum, 0].into_iter().max().unwrap()
    }

    fn limits(&self) -> Result<Limits, String> {
        self.node.limits.ok_or_else(|| "limits unknown".to_string())
    }

    fn eni(&mut self, id: &EniId) -> Result<&mut EniView, String> {
        self.node.enis.iter_mut().find(|eni| eni.id == *id).ok_or_else(|| format!("no {id}"))
    }

    fn give(&mut self, id: &EniId, ask: Ipv4Ask) -> Result<(), String> {
        let limits = self.limits()?;
        let eni = self.eni(id)?;
        let slots = match ask {
            Ipv4Ask::Addresses(count) | Ipv4Ask::Prefixes(count) => u32::from(count),
        };
        if eni.attachment.is_none() || slots == 0 || slots > free_slots(eni, limits) {
            return Err("PrivateIpAddressLimitExceeded".into());
        }
        let subnet = eni.subnet.clone();
        let (addresses, prefixes) = self.pick(&subnet, ask)?;
        let eni = self.eni(id)?;
        eni.ipv4.addresses.extend(addresses);
        eni.ipv4.prefixes.extend(prefixes);
        Ok(())
    }

    fn give_ipv6(&mut self, id: &EniId) -> Result<(), String> {
        let subnet = self.eni(id)?.subnet.clone();
        let prefix = self.ipv6_prefix(&subnet)?;
        self.eni(id)?.ipv6.prefixes.push(prefix);
        Ok(())
    }

    fn ipv6_prefix(&self, subnet: &SubnetId) -> Result<ipnet::Ipv6Net, String> {
        let cidr = self.network.subnets[subnet].ipv6_cidr.ok_or("no IPv6 range")?;
        Ok(ipnet::Ipv6Net::new_assert(cidr.network(), 80))
    }

    fn create(&mut self, create: &CreateEni) -> Result<(), String> {
        self.enis_made += 1;
        let (addresses, prefixes) = self.pick(&create.subnet, create.ipv4)?;
        let (primary, _) = self.pick(&create.subnet, Ipv4Ask::Addresses(1))?;
        let mut ipv6 = Ipv6Held::default();
        if create.ipv6_prefix {
            ipv6.prefixes.push(self.ipv6_prefix(&create.subnet)?);
        }
        let id: EniId = format!("eni-new{}", self.enis_made).parse().unwrap();
        self.made_at.insert(id.clone(), self.now);
        self.node.enis.push(EniView {
            id,
            kind: EniKind::Ordinary,
            mac: None,
            description: create.description.clone(),
            attachment: None,
            subnet: create.subnet.clone(),
            vpc: self.node.identity.vpc.clone(),
            ipv4: Ipv4Held { primary: primary[0], addresses, prefixes },
            ipv6,
            security_groups: create.security_groups.clone(),
            tags: create.tags.clone(),
            public_ip: None,
        });
        Ok(())
    }

    fn attach(&mut self, id: &EniId, device_index: u16) -> Result<(), String> {
        let limits = self.limits()?;
        let has_index = |eni: &EniView| {
            let at = eni.attachment.as_ref();
            at.is_some_and(|at| at.network_card == 0 && at.device_index == device_index)
        };
        if self.node.enis.iter().any(has_index) {
            return Err(format!(
                "already has an interface attached at device index {device_index}"
            ));
        }
        if empty_slots(&self.node, limits) == 0 {
            return Err("AttachmentLimitExceeded".into());
        }
        let eni = self.eni(id)?;
        if 1 + eni.ipv4.addresses.len() + eni.ipv4.prefixes.len() > limits.ipv4_per_eni.into() {
            return Err("InvalidInterface.IpAddressLimitExceeded".into());
        }
        self.eni(id)?.attachment = Some(Attachment {
            id: Some(format!("eni-attach-{device_index}").parse().unwrap()),
            device_index,
            network_card: 0,
            state: AttachmentState::Attached,
            delete_on_termination: Some(false),
        });
        Ok(())
    }

    /// Takes the lowest free addresses or blocks of a subnet; all or nothing, as EC2.
    fn pick(
        &mut self,
        subnet: &SubnetId,
        ask: Ipv4Ask,
    ) -> Result<(Vec<Ipv4Addr>, Vec<Ipv4Net>), String> {
        let free = self.free_addresses(subnet);
        let (addresses, prefixes): (Vec<Ipv4Addr>, Vec<Ipv4Net>) = match ask {
            Ipv4Ask::Addresses(count) => {
                (free.into_iter().take(count.into()).collect(), Vec::new())
            }
            Ipv4Ask::Prefixes(count) => {
                (Vec::new(), self.blocks(subnet).iter().take(count.into()).collect())
            }
        };
        let (Ipv4Ask::Addresses(asked) | Ipv4Ask::Prefixes(asked)) = ask;
        if addresses.len() + prefixes.len() < usize::from(asked) {
            return Err("InsufficientFreeAddressesInSubnet or InsufficientCidrBlocks".into());
        }
        let taken = self.taken.get_mut(subnet).unwrap();
        taken.extend(&addresses);
        taken.extend(prefixes.iter().copied().flat_map(addresses_of));
        self.observe(subnet);
        Ok((addresses, prefixes))
    }

    /// Addresses of a subnet that nobody has; EC2 keeps the first four and the last.
    pub(crate) fn free_addresses(&self, subnet: &SubnetId) -> Vec<Ipv4Addr> {
        let cidr = self.network.subnets[subnet].cidr;
        let (first, last) = (cidr.network().to_bits() + 4, cidr.broadcast().to_bits());
        let taken = &self.taken[subnet];
        (first..last).map(Ipv4Addr::from_bits).filter(|it| !taken.contains(it)).collect()
    }

    fn blocks(&self, subnet: &SubnetId) -> FreeBlocks {
        let taken = self.taken[subnet].iter().map(|address| Ipv4Net::from(*address));
        FreeBlocks::observed(self.network.subnets[subnet].cidr, &[], taken).unwrap()
    }

    /// Brings what is known of a subnet up to date.
    fn observe(&mut self, subnet: &SubnetId) {
        let free = u32::try_from(self.free_addresses(subnet).len()).unwrap();
        let blocks = self.blocks_known.then(|| self.blocks(subnet));
        let view = self.network.subnets.get_mut(subnet).unwrap();
        view.free_addresses = free;
        view.free_blocks = blocks;
    }

    /// Lets somebody else take addresses until `free` are left: whole blocks together, or, when
    /// `scattered`, so that no block stays free.
    pub(crate) fn occupy(&mut self, subnet: &SubnetId, free: usize, scattered: bool) {
        let mut left = self.free_addresses(subnet);
        if scattered {
            left.sort_by_key(|it| (it.to_bits() % 16 != 7, *it));
        }
        let surplus = left.len().checked_sub(free).expect("a subnet with that many free addresses");
        let one_in_each_block = left.iter().filter(|it| it.to_bits() % 16 == 7).count();
        assert!(!scattered || one_in_each_block <= surplus, "{free} free cannot be scattered");
        self.taken.get_mut(subnet).unwrap().extend(&left[..surplus]);
        self.observe(subnet);
    }

    /// Lets somebody else give back everything in the lowest `count` blocks that are not free.
    pub(crate) fn vacate_blocks(&mut self, subnet: &SubnetId, count: usize) {
        let held: BTreeSet<Ipv4Addr> = self.node.enis.iter().flat_map(held).collect();
        let taken = self.taken.get_mut(subnet).unwrap();
        let blocks: BTreeSet<Ipv4Net> = taken.iter().map(|it| block_of(*it)).collect();
        let foreign = blocks.into_iter().filter(|block| !held.iter().any(|it| block.contains(it)));
        for block in foreign.skip(1).take(count) {
            taken.retain(|address| !block.contains(address));
        }
        self.observe(subnet);
    }
}

/// The lines of a plan: actions, and behind `blocked:` the reasons.
pub(crate) fn plan_lines(world: &World) -> Vec<String> {
    let plan = world.plan();
    let actions = plan.actions.iter().map(ToString::to_string);
    actions.chain(plan.blocked.iter().map(|it| format!("blocked: {it}"))).collect()
}

/// Compares the plan for a world with lines.
#[track_caller]
pub(crate) fn check_plan(text: &str, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).collect();
    assert_eq!(plan_lines(&World::new(text)), expected, "{text}");
}

fn is_in(eni: &EniView, state: AttachmentState) -> bool {
    eni.attachment.as_ref().is_some_and(|at| at.state == state)
}

/// Whether somebody who asks why a node is short gets an answer.
fn explains(blocked: &Blocked) -> bool {
    blocked.short > 0
        || matches!(
            blocked.reason,
            Reason::InstanceNotObserved { .. } | Reason::LimitsUnknown { .. }
        )
}

/// Every IPv4 address of an interface.
fn held(eni: &EniView) -> impl Iterator<Item = Ipv4Addr> + '_ {
    let single = std::iter::once(eni.ipv4.primary).chain(eni.ipv4.addresses.iter().copied());
    single.chain(eni.ipv4.prefixes.iter().copied().flat_map(addresses_of))
}
