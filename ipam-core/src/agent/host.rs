//! Interfaces of which the host's network decides whether they carry pods: a device that is not there delivers nothing.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use super::Agent;
use super::event::Event;
use super::listing::carries_pods;
use super::status::EniStanding;
use super::word::HostView;
use crate::ids::EniId;

impl Agent {
    pub(super) fn see_host(&mut self, host: HostView) {
        let before = self.sight.host.take();
        let changed = before.as_ref().is_none_or(|before| before.ready != host.ready);
        self.sight.host = Some(host);
        self.tell_host(&before.unwrap_or_default());
        if changed {
            self.list();
        }
    }

    fn tell_host(&mut self, before: &HostView) {
        let Some(now) = &self.sight.host else { return };
        let ready = now.ready.difference(&before.ready);
        let ready = ready.map(|eni| Event::HostReady { eni: eni.clone() });
        let problems = now.problems.iter();
        let new = problems.filter(|(eni, problem)| before.problems.get(*eni) != Some(*problem));
        let told = new.map(|(eni, problem)| Event::HostProblem {
            eni: eni.clone(),
            carries: self.is_usable(eni),
            problem: problem.clone(),
        });
        let told: Vec<Event> = ready.chain(told).collect();
        self.events.extend(told);
    }

    /// Whether nothing is listed yet because it is not known which interfaces can carry pods.
    pub(super) const fn awaits_host(&self) -> bool {
        self.settings.host_networking && self.sight.host.is_none()
    }

    /// Whether addresses on an interface may be handed out, as far as the host's network goes.
    pub(super) fn is_usable(&self, eni: &EniId) -> bool {
        if !self.settings.host_networking {
            return true;
        }
        let is_primary = self.book.enis.get(eni).is_some_and(|facts| facts.number == 0);
        is_primary || self.sight.host.as_ref().is_some_and(|host| host.ready.contains(eni))
    }

    /// What keeps an interface that has addresses for pods from carrying any.
    pub(super) fn host_problem(&self) -> Option<String> {
        let problems = &self.sight.host.as_ref()?.problems;
        let (eni, problem) = problems.iter().find(|(eni, _)| !self.is_usable(eni))?;
        Some(format!("{eni} carries no pods: {problem}"))
    }

    /// The interfaces that carry pods or are to, in the order of their ids: those of the operator's word; before it has spoken, those of
    /// the metadata that may; and those of which an address is used. The primary one always: the others' devices go by it.
    pub(super) fn standings(&self) -> Vec<EniStanding> {
        let mut primaries: BTreeMap<EniId, Option<Ipv4Addr>> = BTreeMap::new();
        let word = self.heard().filter(|word| !word.enis.is_empty());
        if let Some(word) = word {
            primaries.extend(word.enis.iter().map(|eni| (eni.facts.id.clone(), eni.primary)));
        }
        for shown in &self.sight.metadata {
            let counts = word.is_none() && self.settings.fast_start;
            let is_primary = shown.network_card == 0 && shown.facts.number == 0;
            let may = is_primary || counts && carries_pods(&self.settings, shown);
            match primaries.get_mut(&shown.facts.id) {
                Some(primary) => *primary = primary.or(shown.primary),
                None if may => _ = primaries.insert(shown.facts.id.clone(), shown.primary),
                None => {}
            }
        }
        for usage in self.book.ledger.cidrs().filter(|usage| usage.used > 0) {
            let eni = usage.listed.eni;
            let shown = self.sight.metadata.iter().find(|shown| shown.facts.id == eni);
            primaries.entry(eni).or_insert_with(|| shown.and_then(|shown| shown.primary));
        }
        primaries.into_iter().filter_map(|(eni, primary)| self.standing(&eni, primary)).collect()
    }

    fn standing(&self, eni: &EniId, primary: Option<Ipv4Addr>) -> Option<EniStanding> {
        let problems = self.sight.host.as_ref().map(|host| &host.problems);
        Some(EniStanding {
            facts: Arc::clone(self.book.enis.get(eni)?),
            primary: primary.filter(|_| !self.settings.use_primary_address),
            carries: self.is_usable(eni),
            problem: problems.and_then(|problems| problems.get(eni)).cloned(),
        })
    }
}
