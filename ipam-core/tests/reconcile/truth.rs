//! The promises, audited on what is true at EC2.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use ipam_core::audit::{InUse, LooseEni, NodeTruth, Truth, audit};
use ipam_core::ids::{InstanceId, NodeName};
use ipam_core::policy::NO_MANAGE_TAG;
use ipam_core::prefix::addresses_of;
use ipam_core::reconcile::NodeSeen;
use ipam_core::time::Tick;
use ipam_core::view::{AttachmentState, Demand, EniKind, EniView};
use limits::Limits;

use crate::rig::Rig;

/// One node with all that the audit wants to know of it.
struct Facts<'a> {
    node: &'a NodeSeen,
    limits: Option<Limits>,
    enis: Vec<EniView>,
    in_use: Vec<InUse>,
    short: u32,
    explained: bool,
}

/// Since when nodes are short and say nothing.
pub(crate) type Silence = BTreeMap<NodeName, Tick>;

impl Facts<'_> {
    const fn is_silent(&self) -> bool {
        self.short > 0 && !self.explained
    }

    fn truth(&self, explained: bool) -> Option<NodeTruth<'_>> {
        Some(NodeTruth {
            name: &self.node.name,
            vpc: &self.node.identity.as_ref()?.vpc,
            limits: self.limits,
            enis: &self.enis,
            in_use: &self.in_use,
            short: self.short,
            explained,
            ledgers: &[],
        })
    }
}

impl Rig {
    /// Whether every promise is kept now.
    #[track_caller]
    pub(crate) fn audit(&mut self) {
        let mut silent = std::mem::take(&mut self.silent);
        let facts = self.facts();
        self.note_silence(&facts, &mut silent);
        let violations = self.violations(&facts, &silent);
        assert!(violations.is_empty(), "{}\n{}", violations.join("\n"), self.describe());
        self.silent = silent;
    }

    fn note_silence(&self, facts: &[Facts<'_>], silent: &mut Silence) {
        let now: BTreeSet<&NodeName> =
            facts.iter().filter(|it| it.is_silent()).map(|it| &it.node.name).collect();
        silent.retain(|name, _| now.contains(name));
        for name in now {
            silent.entry(name.clone()).or_insert(self.now);
        }
    }

    fn violations(&self, facts: &[Facts<'_>], silent: &Silence) -> Vec<String> {
        // A short wait for a turn or a reading needs no reason.
        const PATIENCE: Duration = Duration::from_secs(10);
        let is_silent = |facts: &Facts<'_>| {
            let since = silent.get(&facts.node.name).filter(|_| !self.is_stale);
            since.is_some_and(|it| self.now.since(*it) > PATIENCE)
        };
        let nodes = facts.iter().filter_map(|it| it.truth(!is_silent(it)));
        let nodes: Vec<NodeTruth<'_>> = nodes.collect();
        let loose = self.cloud.loose();
        let loose: Vec<LooseEni<'_>> =
            loose.map(|it| LooseEni { eni: &it.eni, since: it.loose_since }).collect();
        let truth = Truth { now: self.now, nodes: &nodes, loose: &loose, grace: self.grace };
        audit(&truth).iter().map(ToString::to_string).collect()
    }

    fn facts(&self) -> Vec<Facts<'_>> {
        let mut enis: BTreeMap<&InstanceId, Vec<EniView>> = BTreeMap::new();
        for stored in self.cloud.enis.values() {
            if let Some(instance) = &stored.instance {
                enis.entry(instance).or_default().push(stored.eni.clone());
            }
        }
        // Of several objects for one instance, the one that an agent writes is the instance's.
        let is_anothers = |node: &NodeSeen, instance: &InstanceId| {
            let others = self.agents.keys().filter(|name| **name != node.name);
            let mut others = others.filter_map(|name| self.nodes.get(name)?.identity.as_ref());
            others.any(|identity| identity.instance == *instance)
        };
        let of_node = |node: &NodeSeen| {
            let instance = &node.identity.as_ref()?.instance;
            if is_anothers(node, instance) { None } else { enis.get(instance).cloned() }
        };
        let nodes = self.nodes.values();
        nodes.map(|node| (node, of_node(node).unwrap_or_default())).map(|it| self.of(it)).collect()
    }

    fn of<'a>(&self, (node, enis): (&'a NodeSeen, Vec<EniView>)) -> Facts<'a> {
        let identity = node.identity.as_ref();
        Facts {
            node,
            limits: identity.and_then(|it| self.cloud.limits(&it.instance)),
            in_use: match self.agents.get(&node.name) {
                Some(agent) => agent.pods.iter().map(|it| pod_on(*it, node)).collect(),
                None => in_use(node, &enis),
            },
            short: self.short(node, &enis),
            explained: self.is_explained(&node.name),
            enis,
        }
    }

    /// Whether steps are under way, or a reason is given, or nothing is known yet.
    fn is_explained(&self, name: &NodeName) -> bool {
        let says_why = self
            .machine
            .summary(name)
            .is_some_and(|it| it.in_flight > 0 || !it.blocked.is_empty() || it.observed.is_none());
        says_why || !self.machine.is_view_complete()
    }

    /// How many addresses a node is short of its watermarks and its waiting pods, reckoned apart from the
    /// planner.
    fn short(&self, node: &NodeSeen, enis: &[EniView]) -> u32 {
        let Some(settings) = node.settings.as_ref().filter(|_| !node.ignored) else { return 0 };
        let watermarks = &settings.watermarks;
        let pre_allocate = i64::from(watermarks.pre_allocate());
        let used = match node.demand {
            Demand::PerIp { used } => i64::from(used),
            Demand::Cidr { ipv4, .. } => (i64::from(ipv4) - pre_allocate).max(0),
        };
        let available = i64::try_from(available(node, enis)).unwrap();
        let for_minimum = match watermarks.min_allocate() {
            0 => 0,
            least => i64::from(least) - available,
        };
        let waiting = i64::from(self.waiting.get(&node.name).copied().unwrap_or(0));
        let free = available - used;
        let most = watermarks.max_allocate().map_or(i64::MAX, i64::from);
        let short = [pre_allocate - free, waiting - free, for_minimum, 0].into_iter().max();
        let room = (most - available).max(0);
        u32::try_from(short.unwrap_or(0).min(room)).unwrap()
    }

    /// Addresses for pods of a node, as EC2 has them.
    pub(crate) fn available(&self, name: &NodeName) -> usize {
        let node = &self.nodes[name];
        let enis = node.identity.iter().flat_map(|it| self.cloud.enis_of(&it.instance));
        available(node, &enis.cloned().collect::<Vec<_>>())
    }

    /// How many interfaces a node has, as EC2 has them.
    pub(crate) fn interfaces(&self, name: &NodeName) -> usize {
        let identity = self.nodes[name].identity.as_ref();
        identity.map_or(0, |it| self.cloud.enis_of(&it.instance).count())
    }

    /// Whether a node has all that it wants.
    pub(crate) fn is_satisfied(&self, name: &NodeName) -> bool {
        let node = &self.nodes[name];
        let enis = node.identity.iter().flat_map(|it| self.cloud.enis_of(&it.instance));
        self.short(node, &enis.cloned().collect::<Vec<_>>()) == 0
    }

    pub(crate) fn are_satisfied(&self) -> bool {
        self.facts().iter().all(|facts| facts.short == 0)
    }

    /// What has to hold when all is quiet: nothing is loose or half made, and what is known is true.
    #[track_caller]
    pub(crate) fn check_quiet(&mut self) {
        self.audit();
        let loose: Vec<&str> = self.cloud.loose().map(|it| it.eni.id.as_str()).collect();
        assert!(loose.is_empty(), "left behind: {loose:?}\n{}", self.describe());
        for facts in self.facts() {
            assert!(
                facts.short == 0 || facts.explained,
                "{} is short\n{}",
                facts.node.name,
                self.describe()
            );
            self.check_attributes(&facts);
            let known = self.machine.node(&facts.node.name).filter(|_| !self.is_stale);
            let Some(known) = known.filter(|it| !it.enis.is_empty()) else { continue };
            let (known, real) = (outline(&known.enis), outline(&facts.enis));
            assert_eq!(known, real, "what is known of {}\n{}", facts.node.name, self.describe());
        }
    }

    #[track_caller]
    fn check_attributes(&self, facts: &Facts<'_>) {
        let wanted = facts.node.settings.as_ref().is_some_and(|it| it.delete_on_termination);
        for eni in facts.enis.iter().filter(|eni| is_made_by_berth(eni) && wanted) {
            let ends = eni.attachment.as_ref().and_then(|it| it.delete_on_termination);
            assert_eq!(ends, Some(true), "{} outlives its node\n{}", eni.id, self.describe());
        }
    }
}

fn is_made_by_berth(eni: &EniView) -> bool {
    eni.tags.contains_key(ipam_core::policy::MANAGED_TAG)
}

/// Everything of interfaces that has to be known exactly, one line each.
fn outline(enis: &[EniView]) -> Vec<String> {
    let line = |eni: &EniView| {
        let (mut addresses, mut prefixes) = (eni.ipv4.addresses.clone(), eni.ipv4.prefixes.clone());
        addresses.sort_unstable();
        prefixes.sort_unstable();
        let at = eni.attachment.as_ref().map(|it| (it.device_index, it.delete_on_termination));
        let (id, ipv6) = (&eni.id, &eni.ipv6);
        format!("{id} at {at:?}: {} {addresses:?} {prefixes:?} {ipv6:?}", eni.ipv4.primary)
    };
    let mut lines: Vec<String> = enis.iter().map(line).collect();
    lines.sort();
    lines
}

/// The interfaces that pods may use.
fn managed<'a>(node: &NodeSeen, enis: &'a [EniView]) -> impl Iterator<Item = &'a EniView> {
    let settings = node.settings.clone().unwrap_or_default();
    enis.iter().filter(move |eni| {
        let exclude = &settings.exclude_interface_tags;
        let excluded = !exclude.is_empty()
            && exclude.iter().all(|(key, value)| eni.tags.get(key) == Some(value));
        let foreign = eni.tags.get(NO_MANAGE_TAG).is_some_and(|value| value != "false");
        let first = settings.first_interface_index.unwrap_or(0);
        let serves = eni.attachment.as_ref().is_some_and(|it| {
            it.network_card == 0
                && it.device_index >= first
                && it.state != AttachmentState::Detaching
        });
        serves && !excluded && !foreign && eni.kind == EniKind::Ordinary
    })
}

fn available(node: &NodeSeen, enis: &[EniView]) -> usize {
    let of_eni = |eni: &EniView| eni.ipv4.addresses.len() + 16 * eni.ipv4.prefixes.len();
    managed(node, enis).map(of_eni).sum()
}

/// A pod on as many addresses as the node says are used, the first ones.
fn in_use(node: &NodeSeen, enis: &[EniView]) -> Vec<InUse> {
    let Demand::PerIp { used } = node.demand else { return Vec::new() };
    let of_eni = |eni: &'_ EniView| {
        let prefixes = eni.ipv4.prefixes.clone().into_iter().flat_map(addresses_of);
        eni.ipv4.addresses.clone().into_iter().chain(prefixes).collect::<Vec<_>>()
    };
    let addresses = managed(node, enis).flat_map(of_eni).take(usize::try_from(used).unwrap());
    addresses.map(|address| pod_on(address, node)).collect()
}

fn pod_on(address: Ipv4Addr, node: &NodeSeen) -> InUse {
    InUse { address: address.into(), owner: node.name.to_string() }
}
