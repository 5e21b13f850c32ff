//! What has to hold when nothing has gone wrong for long: everybody is served or knows why not, and all views are the truth.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Duration;

use ipam_core::agent::Refused;
use ipam_core::ids::NodeName;
use ipam_core::pool::Family;
use ipam_core::view::{AttachmentState, Contract, EniView};
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
        self.is_published(name, object, term)?;
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
        let wanted = render(view, network, &self.policy, summary.obstacle());
        if wanted.enis != object.enis {
            return Err(("published", format!("{:?}\nis to be\n{:?}", object.enis, wanted.enis)));
        }
        let pool = wanted.pool.filter(|pool| *pool != object.pool);
        if let Some(pool) = pool {
            return Err(("published", format!("pool {:?}\nis to be\n{pool:?}", object.pool)));
        }
        Ok(())
    }

    fn is_agent_in_step(&self, node: &Node, object: &Object) -> Result<(), Wrong> {
        let Some(process) = &node.process else {
            return Err(("agent", "its agent does not run".to_owned()));
        };
        let status = process.agent.status(node.clock(self.now));
        let used = self.in_use(node.index);
        let held: BTreeSet<Ipv4Addr> =
            status.holdings.iter().filter_map(|held| ipv4(held.address)).collect();
        // A sandbox may be asking just now.
        if !used.is_subset(&held) || held.len() > used.len() + self.pods.unserved(node.index).len()
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
        let lost = used.intersection(&self.watch.taken).count();
        let is_lost = usize::try_from(withdrawn).is_ok_and(|withdrawn| withdrawn <= lost);
        if usize::try_from(attached).ok() != Some(listed) || !is_lost {
            let what = format!("{listed} addresses are listed, the ledger has {tally:?}");
            return Err(("listed", what));
        }
        let published: BTreeSet<Ipv4Addr> = object.used.keys().copied().collect();
        if node.agent.contract == Contract::PerIp && published != held {
            return Err(("used", format!("{published:?} is published, and held are {held:?}")));
        }
        Ok(())
    }

    /// Interfaces made for an instance that is there no more are left to the clean-up.
    fn is_nothing_loose(&self) -> Result<(), Wrong> {
        let loose = truth::loose(self.ec2.world());
        let loose = loose.map_err(|problem| ("id", problem.to_string()))?;
        let living = |description: &str| {
            self.nodes.values().any(|node| description.contains(node.identity.instance.as_str()))
        };
        match loose.iter().find(|loose| living(&loose.eni.description)) {
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
