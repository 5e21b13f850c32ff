//! What EC2 answers when it is asked what there is.

use std::collections::BTreeSet;
use std::time::Duration;

use ipam_core::call::{EniPage, EniScope, ListedEni, Page, PageToken, Read, Reply};
use ipam_core::ids::{EniId, InstanceId, InstanceType, VpcId};
use ipam_core::time::Tick;
use ipam_core::view::{SubnetView, Tags};
use limits::Reported;

use super::{Cloud, Stored, Version};

impl Cloud {
    pub(super) fn read(&self, read: &Read) -> Reply {
        match read {
            Read::Enis { scope, page } => Reply::Enis(self.enis_page(scope, page.as_ref())),
            Read::Subnets { vpc, .. } => {
                let of_vpc = self.subnets.iter().filter(|(_, it)| it.view.vpc == *vpc);
                let observed = of_vpc.map(|(id, subnet)| {
                    let free_addresses = subnet.space.free();
                    (id.clone(), SubnetView { free_addresses, ..subnet.view.clone() })
                });
                Reply::Subnets(whole(observed.collect()))
            }
            Read::Vpc { vpc } => Reply::Vpc(self.vpcs.get(vpc).cloned()),
            Read::SecurityGroups { vpc, .. } => {
                let of_vpc = self.groups.iter().filter(|(_, it)| it.vpc == *vpc);
                let owned = of_vpc.map(|(id, view)| (id.clone(), view.clone()));
                Reply::SecurityGroups(whole(owned.collect()))
            }
            Read::RouteTables { vpc, .. } => {
                let of_vpc = self.tables.iter().filter(|(_, it)| it.vpc == *vpc);
                let owned = of_vpc.map(|(id, view)| (id.clone(), view.clone()));
                Reply::RouteTables(whole(owned.collect()))
            }
            Read::InstanceTypes { types } => {
                assert!((1..=100).contains(&types.len()), "{} types", types.len());
                Reply::InstanceTypes(types.iter().filter_map(|it| self.reported(it)).collect())
            }
        }
    }

    fn reported(&self, instance_type: &InstanceType) -> Option<(InstanceType, Reported)> {
        let known = || limits::find(instance_type.as_str());
        let limits = self.types.get(instance_type).copied().or_else(known)?;
        let reported = Reported {
            enis: limits.enis.into(),
            ipv4_per_eni: limits.ipv4_per_eni.into(),
            ipv6_per_eni: limits.ipv6_per_eni.into(),
            hypervisor: limits.hypervisor,
        };
        Some((instance_type.clone(), reported))
    }

    fn enis_page(&self, scope: &EniScope, page: Option<&PageToken>) -> EniPage {
        let after = page.map(|PageToken(last)| last.parse::<EniId>().unwrap());
        let is_after = |id: &EniId| after.as_ref().is_none_or(|after| id > after);
        let scope = Scope::new(scope);
        let all = self.enis.iter().chain(&self.gone).filter(|(id, _)| is_after(id));
        let seen = all.filter_map(|(id, stored)| Some((id, self.visible(stored)?)));
        let mut found: Vec<(&EniId, &Version)> =
            seen.filter(|(_, version)| scope.has(version)).collect();
        found.sort_by_key(|(id, _)| *id);
        let more = found.len() > self.page_size;
        found.truncate(self.page_size);
        let next = found.last().filter(|_| more).map(|(id, _)| PageToken(id.to_string()));
        let (unreadable, items): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(id, _)| self.unreadable.contains(*id));
        let listed = |(_, (eni, instance)): (_, &Version)| ListedEni {
            eni: eni.clone(),
            instance: instance.clone(),
            age: self.age(&eni.id),
        };
        EniPage {
            items: items.into_iter().map(listed).collect(),
            unreadable: unreadable.iter().map(|(id, _)| format!("{id}: no subnet")).collect(),
            next,
        }
    }

    /// How old an interface is, by its tag.
    fn age(&self, id: &EniId) -> Option<Duration> {
        let stored = self.enis.get(id).filter(|_| !self.ageless.contains(id))?;
        Some(self.now.since(stored.made) + self.clock_ahead)
    }

    /// How an interface was when readings were up to date.
    fn visible<'a>(&self, stored: &'a Stored) -> Option<&'a Version> {
        let horizon = self.now.since(Tick::default()).saturating_sub(self.lag);
        let is_seen = |at: &Tick| at.since(Tick::default()) <= horizon;
        let seen = stored.versions.iter().rev().find(|(at, _)| is_seen(at));
        seen.and_then(|(_, version)| version.as_ref())
    }
}

/// What a filter lets through.
enum Scope<'a> {
    Vpc(&'a VpcId),
    Instances(BTreeSet<&'a InstanceId>),
    Unattached(Option<&'a VpcId>, &'a Tags),
    Ids(BTreeSet<&'a EniId>),
}

impl<'a> Scope<'a> {
    fn new(scope: &'a EniScope) -> Self {
        let scope = match scope {
            EniScope::Vpc(vpc) => Self::Vpc(vpc),
            EniScope::Instances(ids) => Self::Instances(ids.iter().collect()),
            EniScope::Unattached { vpc, tags } => Self::Unattached(vpc.as_ref(), tags),
            EniScope::Ids(ids) => Self::Ids(ids.iter().collect()),
        };
        let size = match &scope {
            Self::Vpc(_) => 1,
            Self::Instances(ids) => ids.len(),
            Self::Unattached(_, tags) => tags.len(),
            Self::Ids(ids) => ids.len(),
        };
        assert!((1..=200).contains(&size), "a filter with {size} values");
        scope
    }

    fn has(&self, (eni, instance): &Version) -> bool {
        match self {
            Self::Vpc(vpc) => eni.vpc == **vpc,
            Self::Instances(ids) => instance.as_ref().is_some_and(|it| ids.contains(it)),
            Self::Unattached(vpc, tags) => {
                let has = |(key, value): (&String, &String)| eni.tags.get(key) == Some(value);
                vpc.is_none_or(|vpc| eni.vpc == *vpc)
                    && eni.attachment.is_none()
                    && tags.iter().all(has)
            }
            Self::Ids(ids) => ids.contains(&eni.id),
        }
    }
}

/// A listing that fits one page.
fn whole<T>(items: Vec<T>) -> Page<T> {
    Page { items, unreadable: Vec::new(), next: None }
}
