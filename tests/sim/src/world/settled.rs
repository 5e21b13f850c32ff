//! What has to hold when nothing has gone wrong for long: everybody is served or knows why not, and all views are the truth.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Duration;

use ec2_sim::model::Interface;
use ipam_core::agent::Refused;
use ipam_core::capacity::available;
use ipam_core::demand::{Supply, excess, used};
use ipam_core::ids::NodeName;
use ipam_core::managed::left_alone;
use ipam_core::policy::MANAGED_TAG;
use ipam_core::pool::Family;
use ipam_core::prefix::addresses_of;
use ipam_core::reconcile::{GivingBack, Kept};
use ipam_core::release::size;
use ipam_core::view::{AttachmentState, Contract, EniView};
use ipnet::{IpNet, Ipv4Net};
use truth::Node as Truth;

use super::World;
use crate::api::Object;
use crate::node::Node;
use crate::operator::{Term, render};

/// For so long nothing may have been changed in the end.
const QUIET: Duration = Duration::from_mins(10);

/// What is wrong, and in which respect.
type Wrong = (&'static str, String);

impl World {
    /// Checks that all is settled.
    pub(super) fn check_settled(&mut self) {
        if let Err((label, what)) = self.is_settled() {
            self.broken(label, what);
        }
    }

    fn is_settled(&self) -> Result<(), Wrong> {
        let findings = self.ec2.audit();
        if let Some(finding) = findings.first() {
            return Err(("ec2", format!("EC2 contradicts itself: {finding:?}")));
        }
        let Some((_, term)) = self.leader() else {
            return Err(("no leader", "nobody leads".to_owned()));
        };
        if !term.machine.is_view_complete() {
            return Err(("incomplete", "the leader's view is not complete".to_owned()));
        }
        // With a cap, something may have its hour just now.
        let is_capped = self.scenario.region.per_hour.is_some();
        if is_capped && self.now < self.watch.changed_at + QUIET {
            return Ok(());
        }
        for node in self.nodes.values() {
            self.is_node_settled(node, term)
                .map_err(|(label, what)| (label, format!("{}: {what}", node.name())))?;
        }
        self.is_nothing_loose()?;
        self.is_quiet()
    }

    fn is_node_settled(&self, node: &Node, term: &Term) -> Result<(), Wrong> {
        let name = node.name();
        let Some(object) = self.api.object(name) else {
            return Err(("object", "it has no CiliumNode".to_owned()));
        };
        if *object.instance() != node.identity.instance {
            return Err(("object", format!("its CiliumNode is of {}", object.instance())));
        }
        self.are_pods_served(node, object, term)?;
        self.is_view_true(node, term)?;
        self.are_interfaces_right(node, object, term)?;
        self.is_published(name, object, term)?;
        self.is_given_back(node, object, term)?;
        self.is_agent_in_step(node, object)
    }

    fn are_pods_served(&self, node: &Node, object: &Object, term: &Term) -> Result<(), Wrong> {
        let unserved = self.pods.unserved(node.index);
        let Some((pod, refusal)) = unserved.first() else { return Ok(()) };
        let summary = term.machine.summary(node.name());
        let is_blocked = summary.as_ref().is_some_and(|it| !it.blocked.is_empty());
        let says = matches!(refusal, Some(Refused::NoAddress { blocked: Some(_), .. }));
        if is_blocked && (says || object.error.is_some()) {
            return Ok(());
        }
        let count = unserved.len();
        let why = refusal.as_ref().map(ToString::to_string);
        Err(("unserved", format!("{count} pods, p{pod} first, {why:?}; {summary:?}")))
    }

    fn is_view_true(&self, node: &Node, term: &Term) -> Result<(), Wrong> {
        let Ok(instance) = node.identity.instance.as_str().parse() else { return Ok(()) };
        let truth = Truth::of(node.name().as_str(), &instance, self.ec2.world());
        let Ok(Some(truth)) = truth else {
            return Err(("view", "EC2 does not know its instance".to_owned()));
        };
        let Some(view) = term.machine.node(node.name()) else {
            return Err(("view", "the leader does not know it".to_owned()));
        };
        let (known, real) = (outline(&view.enis), outline(&truth.enis));
        if known == real {
            return Ok(());
        }
        Err(("view", format!("known is\n{}\nand true is\n{}", known.join("\n"), real.join("\n"))))
    }

    fn is_published(&self, name: &NodeName, object: &Rc<Object>, term: &Term) -> Result<(), Wrong> {
        let (Some(view), Some(summary)) = (term.machine.node(name), term.machine.summary(name))
        else {
            return Ok(());
        };
        let network = term.machine.network();
        let giving_back = term.machine.giving_back(name);
        let wanted = render(view, network, &self.policy, summary.obstacle(), giving_back);
        if wanted.enis != object.enis {
            return Err(("published", format!("{:?}\nis to be\n{:?}", object.enis, wanted.enis)));
        }
        let pool = wanted.pool.filter(|pool| *pool != object.pool);
        if let Some(pool) = pool {
            return Err(("published", format!("pool {:?}\nis to be\n{pool:?}", object.pool)));
        }
        Ok(())
    }

    /// Nothing is left that the node does not need and could give up, and nothing is on its way off it.
    fn is_given_back(&self, node: &Node, object: &Object, term: &Term) -> Result<(), Wrong> {
        // With a cap, what is agreed upon waits for its hour.
        let is_capped = self.scenario.region.per_hour.is_some();
        let Some(view) = term.machine.node(node.name()).filter(|_| !is_capped) else {
            return Ok(());
        };
        if let Some((address, says)) = object.releases.first_key_value() {
            return Err(("unanswered", format!("{address} is {says:?} in release-ips")));
        }
        let GivingBack { entries, withheld, hidden } = term.machine.giving_back(node.name());
        let is_leaving = !entries.is_empty() || !withheld.is_empty() || !hidden.is_empty();
        if is_leaving || !view.in_flight.is_empty() {
            let under_way = &view.in_flight;
            return Err(("under way", format!("{entries:?}, {withheld:?}, {under_way:?}")));
        }
        let watermarks = &view.settings.watermarks;
        let used = used(view.demand, watermarks).saturating_add(view.waiting_pods);
        let spare = excess(Supply { available: available(view, &self.policy), used }, watermarks);
        let in_use = self.in_use(node.index);
        let held: BTreeSet<Ipv4Addr> = object.used.keys().copied().chain(in_use).collect();
        let is_spare = |net: &Ipv4Net| {
            size(*net) <= spare && addresses_of(*net).all(|address| !held.contains(&address))
        };
        let managed =
            view.enis.iter().filter(|eni| left_alone(eni, &view.settings, &self.policy).is_none());
        let single = |eni: &EniView| eni.ipv4.addresses.clone().into_iter().map(Ipv4Net::from);
        let mut nets = managed.flat_map(|eni| eni.ipv4.prefixes.iter().copied().chain(single(eni)));
        let summary = term.machine.summary(node.name());
        let is_silent = summary.is_some_and(|it| it.kept == Some(Kept::AgentSilent))
            && self.watch.silent.contains(&node.index);
        match nets.find(is_spare).filter(|_| !is_silent) {
            None => Ok(()),
            Some(net) => Err(("excess", format!("{net} is left, with {spare} to spare"))),
        }
    }

    fn is_agent_in_step(&self, node: &Node, object: &Object) -> Result<(), Wrong> {
        let Some(process) = &node.process else {
            return Err(("agent", "its agent does not run".to_owned()));
        };
        let status = process.agent.status(node.clock(self.now));
        let used = self.in_use(node.index);
        let is_taken = |at: &Ipv4Addr| self.watch.taken.contains(&(node.index, *at));
        // What somebody took from under a pod is on no interface: an agent that lost its ledger since keeps it for the day on which it
        // comes back.
        let (state, _) = node.disk.read();
        let unlisted = state.into_iter().flat_map(|state| state.unlisted).filter_map(ipv4);
        let kept: BTreeSet<Ipv4Addr> = unlisted.filter(is_taken).collect();
        let held: BTreeSet<Ipv4Addr> =
            status.holdings.iter().filter_map(|held| ipv4(held.address)).collect();
        // A sandbox may be asking just now.
        let is_kept = |at: &Ipv4Addr| held.contains(at) || kept.contains(at);
        if !used.iter().all(is_kept)
            || held.len() > used.len() + self.pods.unserved(node.index).len()
        {
            return Err(("held", format!("pods use {used:?}, and held are {held:?}")));
        }
        let first = object.settings.first_interface_index.unwrap_or(0).into();
        let managed: Vec<_> =
            object.enis.iter().filter(|eni| eni.facts.number >= first).cloned().collect();
        let listed = match node.agent.contract {
            Contract::PerIp => object.pool.len(),
            Contract::Cidr => crate::api::addresses(&managed).len(),
        };
        let tally = status.families.iter().find(|(family, _)| *family == Family::Ipv4);
        let attached = tally.map_or(0, |(_, tally)| tally.attached);
        let withdrawn = tally.map_or(0, |(_, tally)| tally.withdrawn);
        // What somebody took from under a pod is used and not listed.
        let lost = used.iter().filter(|at| is_taken(at)).count();
        let is_lost = usize::try_from(withdrawn).is_ok_and(|withdrawn| withdrawn <= lost);
        let is_capped = self.scenario.region.per_hour.is_some();
        let promised = tally.filter(|_| !is_capped).map_or(0, |(_, tally)| tally.promised);
        let named: BTreeSet<Ipv4Addr> = object.allocated.iter().flat_map(addresses).collect();
        // What is used and not there any more is named, too.
        let named = named.intersection(&object.listed()).count();
        let is_promised = match node.agent.contract {
            Contract::PerIp => promised > 0,
            // What nobody else wants stays as it is until it is needed.
            Contract::Cidr => promised > 0 && usize::try_from(attached - promised) != Ok(named),
        };
        if usize::try_from(attached).ok() != Some(listed) || !is_lost || is_promised {
            let what = format!("{listed} addresses are listed, the ledger has {tally:?}");
            return Err(("listed", what));
        }
        let published: BTreeSet<Ipv4Addr> = object.used.keys().copied().collect();
        if node.agent.contract == Contract::PerIp && published != held {
            return Err(("used", format!("{published:?} is published, and held are {held:?}")));
        }
        Ok(())
    }

    /// No interface that Berth made is empty or behind other security groups than the primary one.
    fn are_interfaces_right(&self, node: &Node, object: &Object, term: &Term) -> Result<(), Wrong> {
        let Ok(instance) = node.identity.instance.as_str().parse() else { return Ok(()) };
        let truth = self.ec2.world().truth();
        let at = |it: &Interface| it.attachment.as_ref().map(|at| at.device_index);
        let primary = truth.interfaces_of(&instance).find(|it| at(it) == Some(0));
        let of_it = truth.interfaces_of(&instance).map(|it| &**it);
        let own: Vec<&Interface> = of_it.filter(|it| it.tags.contains_key(MANAGED_TAG)).collect();
        let is_behind = |it: &Interface| primary.is_none_or(|primary| primary.groups == it.groups);
        if let Some(drifted) = own.iter().find(|it| !is_behind(it)) {
            return Err(("groups", format!("{} is behind {:?}", drifted.id, drifted.groups)));
        }
        let is_capped = self.scenario.region.per_hour.is_some();
        let is_empty =
            |it: &&&Interface| it.secondary_ips.is_empty() && it.ipv4_prefixes.is_empty();
        // What is needed and cannot be had now may be had there later.
        let summary = term.machine.summary(node.name());
        let is_in_need = summary.is_none_or(|it| it.needed > 0 || !it.blocked.is_empty());
        // An agent that keeps a prefix which somebody took may mean its primary address, which EC2 chose from there since.
        let is_claimed = |it: &&&Interface| {
            object.used.contains_key(&it.primary_ip)
                || object.allocated.iter().any(|cidr| cidr.contains(&IpAddr::V4(it.primary_ip)))
        };
        let mut idle = own.iter().filter(is_empty).filter(|it| !is_claimed(it));
        match idle.next().filter(|_| !is_capped && !is_in_need) {
            Some(idle) => Err(("idle", format!("{} holds nothing", idle.id))),
            None => Ok(()),
        }
    }

    /// Neither for a living instance nor for one that is gone.
    fn is_nothing_loose(&self) -> Result<(), Wrong> {
        let loose = truth::loose(self.ec2.world());
        let loose = loose.map_err(|problem| ("id", problem.to_string()))?;
        match loose.first() {
            None => Ok(()),
            Some(loose) => {
                let (id, description) = (&loose.eni.id, &loose.eni.description);
                Err(("leaked", format!("{id} ({description}) is attached to nothing")))
            }
        }
    }

    fn is_quiet(&self) -> Result<(), Wrong> {
        if self.now < self.watch.changed_at + QUIET {
            let ago = self.now.since(self.watch.changed_at);
            return Err(("restless", format!("something was changed {ago:?} ago")));
        }
        let full = self.watch.full.as_ref().filter(|(at, _)| self.now < *at + QUIET);
        full.map_or(Ok(()), |(_, what)| Err(("overfull", format!("EC2 refuses: {what}"))))
    }
}

const fn ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

/// The addresses of a CIDR that an agent names.
fn addresses(cidr: &IpNet) -> impl Iterator<Item = Ipv4Addr> {
    let ipv4 = match cidr {
        IpNet::V4(net) => Some(*net),
        IpNet::V6(_) => None,
    };
    ipv4.into_iter().flat_map(addresses_of)
}

/// What of interfaces has to be known exactly, one line each.
fn outline(enis: &[EniView]) -> Vec<String> {
    let line = |eni: &EniView| {
        let (mut addresses, mut prefixes) = (eni.ipv4.addresses.clone(), eni.ipv4.prefixes.clone());
        addresses.sort_unstable();
        prefixes.sort_unstable();
        let at = eni.attachment.as_ref();
        let at = at.filter(|at| at.state != AttachmentState::Detaching);
        let at = at.map(|at| (at.device_index, at.delete_on_termination));
        format!("{} at {at:?}: {} {addresses:?} {prefixes:?}", eni.id, eni.ipv4.primary)
    };
    let mut lines: Vec<String> = enis.iter().map(line).collect();
    lines.sort();
    lines
}
