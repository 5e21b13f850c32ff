//! Rules: which a used CIDR needs, and which are over.

use std::collections::BTreeSet;

use ipam_core::pool::Family;
use ipnet::IpNet;

use super::Problems;
use crate::host_net::words::{Kernel, Masquerade, Numbers, Rule, Selector, Wanted};

/// The kernel's main table (`RT_TABLE_MAIN`).
const MAIN: u32 = 254;

/// The rules of a CIDR of which an address is in use, on the interface with a device index.
///
/// `to` it: the main table, where the pod's device is. One rule for each, and not one for all that leaves out the default
/// route of main: DHCP clients put routes to single hosts there (DNS, metadata), by which pods' packets would leave over the
/// primary interface. `from` it: the table of its interface, unless that is the primary one, where main leads to anyway.
#[must_use]
pub fn rules_for(cidr: IpNet, number: u32, numbers: &Numbers) -> Vec<Rule> {
    [to(cidr, numbers)].into_iter().chain(from(cidr, number, numbers)).collect()
}

fn to(cidr: IpNet, numbers: &Numbers) -> Rule {
    Rule { priority: numbers.to_pods, selector: Selector::To(cidr), table: MAIN }
}

fn from(cidr: IpNet, number: u32, numbers: &Numbers) -> Option<Rule> {
    (number > 0).then(|| Rule {
        priority: numbers.from_pods,
        selector: Selector::From(cidr),
        table: numbers.table(number),
    })
}

/// The rules that lead what comes from a CIDR to the table of its interface, or anywhere if that is not known.
fn leading<'a>(
    kernel: &'a Kernel,
    cidr: IpNet,
    number: Option<u32>,
    numbers: &Numbers,
) -> impl Iterator<Item = &'a Rule> {
    let table = number.map(|number| numbers.table(number));
    kernel.rules.iter().filter(move |rule| {
        let covers = matches!(rule.selector, Selector::From(found) if found.contains(&cidr));
        covers && table.is_none_or(|table| table == rule.table)
    })
}

/// What is masqueraded leaves by the primary interface: the address that it gets is that one's.
fn marked(family: Family, numbers: &Numbers) -> Rule {
    Rule {
        priority: numbers.masqueraded,
        selector: Selector::Mark { family, mark: numbers.mark },
        table: MAIN,
    }
}

/// Which rules are to be there.
pub(super) struct Rules {
    wanted: BTreeSet<Rule>,
    /// Not to be made, but left alone where they are: of used addresses whose interface has a problem or is not known.
    kept: BTreeSet<Rule>,
}

impl Rules {
    pub(super) fn of(
        kernel: &Kernel,
        wanted: &Wanted,
        problems: &Problems,
        masquerade: Option<&Masquerade>,
        numbers: &Numbers,
    ) -> Self {
        let families = Family::ALL.into_iter();
        let masqueraded = families.filter(|family| masquerade.is_some_and(|all| all.has(*family)));
        let mut rules = Self {
            wanted: masqueraded.map(|family| marked(family, numbers)).collect(),
            kept: BTreeSet::new(),
        };
        for (cidr, id) in &wanted.used {
            rules.wanted.insert(to(*cidr, numbers));
            let number = wanted.enis.get(id).map(|eni| eni.number);
            match number.filter(|_| !problems.contains_key(id)) {
                Some(number) => rules.wanted.extend(from(*cidr, number, numbers)),
                None => rules.kept.extend(leading(kernel, *cidr, number, numbers).cloned()),
            }
        }
        rules
    }

    /// The tables that used addresses may depend on though no interface without a problem has them.
    pub(super) fn held_tables(
        &self,
        wanted: &Wanted,
        problems: &Problems,
        numbers: &Numbers,
    ) -> BTreeSet<u32> {
        let troubled = problems.keys().filter_map(|id| wanted.enis.get(id));
        let troubled = troubled.map(|eni| numbers.table(eni.number));
        self.kept.iter().map(|rule| rule.table).chain(troubled).collect()
    }

    /// Those to be made, in the order in which the kernel asks them.
    pub(super) fn missing(&self, kernel: &Kernel) -> Vec<Rule> {
        self.wanted.difference(&kernel.rules).cloned().collect()
    }

    /// Those to be removed. What has Berth's number is Berth's only between its first priority and its last, and what Berth makes nothing like,
    /// only at one of them.
    pub(super) fn over(&self, kernel: &Kernel, numbers: &Numbers) -> Vec<Rule> {
        let ranks = [numbers.to_pods, numbers.masqueraded, numbers.from_pods];
        let own = |rule: &&Rule| match rule.selector {
            Selector::Other { .. } => ranks.contains(&rule.priority),
            _ => (numbers.to_pods..=numbers.from_pods).contains(&rule.priority),
        };
        let stays = |rule: &&Rule| !self.wanted.contains(rule) && !self.kept.contains(rule);
        kernel.rules.iter().filter(own).filter(stays).cloned().collect()
    }
}

impl Wanted {
    /// What is to be masqueraded, if anything.
    ///
    /// A family only where the VPC's CIDRs of it are known: taken for outside, pods of other nodes would be talked to with
    /// the node's address.
    pub(super) fn masquerade(&self) -> Option<Masquerade> {
        let vpc: Vec<IpNet> = self.enis.values().flat_map(|eni| &eni.vpc).copied().collect();
        let family = |cidr: &IpNet| Family::of(cidr.addr());
        let known = |cidr: &&IpNet| vpc.iter().any(|other| family(other) == family(cidr));
        let from: Vec<IpNet> = self.used.keys().filter(known).copied().collect();
        let used = |cidr: &IpNet| from.iter().any(|other| family(other) == family(cidr));
        let except: Vec<IpNet> = vpc.iter().filter(|cidr| used(cidr)).copied().collect();
        (self.masquerade && !from.is_empty()).then(|| Masquerade::new(&from, &except))
    }
}
