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

use ipam_core::action::{Action, CreateEni, Ipv4Ask};
use ipam_core::audit::{LooseEni, NodeTruth, Truth, audit};
use ipam_core::capacity::{available, empty_slots, free_slots};
use ipam_core::ids::{EniId, SubnetId};
use ipam_core::plan::{Plan, plan};
use ipam_core::policy::Policy;
use ipam_core::prefix::{FreeBlocks, addresses_of, block_of};
use ipam_core::time::Tick;
use ipam_core::view::{
    Attachment, AttachmentState, EniKind, EniView, Ipv4Held, Ipv6Held, NetworkView, NodeView, View,
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
}

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

    /// Carries out one round.
    pub(crate) fn apply_all(&mut self, actions: &[Action]) -> Result<(), String> {
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
            if plan.actions.is_empty() {
                return Ok(round);
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
            Action::AssignIpv6Prefix { eni } => self.give_ipv6(eni),
            Action::CreateEni(create) => self.create(create),
            Action::AttachEni { eni, device_index } => self.attach(eni, *device_index),
            Action::SetDeleteOnTermination { eni, .. } => {
                let attachment = self.eni(eni)?.attachment.as_mut().ok_or("not attached")?;
                attachment.delete_on_termination = Some(true);
                Ok(())
            }
        }
    }

    /// Whether every promise that a single node can break is kept.
    pub(crate) fn check(&self) -> Result<(), String> {
        let attached: Vec<EniView> =
            self.node.enis.iter().filter(|eni| eni.attachment.is_some()).cloned().collect();
        let loose = self.node.enis.iter().filter(|eni| eni.attachment.is_none());
        let loose: Vec<LooseEni> =
            loose.map(|eni| LooseEni { eni, since: Tick::default() }).collect();
        let node = NodeTruth {
            name: &self.node.identity.name,
            limits: self.node.limits,
            enis: &attached,
            in_use: &[],
            short: 0,
            explained: true,
            ledger: None,
        };
        let grace = std::time::Duration::ZERO;
        let truth = Truth { now: Tick::default(), nodes: &[node], loose: &loose, grace };
        match audit(&truth).first() {
            None => Ok(()),
            Some(violation) => Err(violation.to_string()),
        }
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
        self.node.enis.push(EniView {
            id: format!("eni-new{}", self.enis_made).parse().unwrap(),
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
            eni.attachment.as_ref().is_some_and(|at| at.device_index == device_index)
        };
        if self.node.enis.iter().any(has_index) {
            return Err(format!(
                "already has an interface attached at device index {device_index}"
            ));
        }
        if empty_slots(&self.node, limits) == 0 {
            return Err("AttachmentLimitExceeded".into());
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

/// Every IPv4 address of an interface.
fn held(eni: &EniView) -> impl Iterator<Item = Ipv4Addr> + '_ {
    let single = std::iter::once(eni.ipv4.primary).chain(eni.ipv4.addresses.iter().copied());
    single.chain(eni.ipv4.prefixes.iter().copied().flat_map(addresses_of))
}
