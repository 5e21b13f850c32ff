//! Answers as text.

use std::fmt::Display;

use ipam_core::call::{Assigned, ListedEni, Page, Reply};
use ipam_core::failure::Failure;
use ipam_core::view::{EniView, RouteTableView, SubnetView, Tags, VpcView};
use limits::Reported;

/// What came back, in one or more lines.
pub(crate) fn answer(answer: &Result<Reply, Failure>) -> String {
    match answer {
        Ok(reply) => self::reply(reply),
        Err(Failure::Refused { refusal, code, .. }) => format!("{refusal:?} ({code})"),
        Err(failure) => failure.to_string(),
    }
}

fn reply(reply: &Reply) -> String {
    match reply {
        Reply::Assigned(assigned) => self::assigned(assigned),
        Reply::Created(eni) => format!("created {}", self::eni(eni)),
        Reply::Attached(id) => format!("attached by {id}"),
        Reply::Done => "done".to_owned(),
        Reply::Enis(page) => self::page(page, listed),
        Reply::Subnets(page) => self::page(page, |(id, view)| subnet(id, view)),
        Reply::Vpc(None) => "no such VPC".to_owned(),
        Reply::Vpc(Some(vpc)) => self::vpc(vpc),
        Reply::SecurityGroups(page) => {
            self::page(page, |(id, view)| format!("{id} of {}{}", view.vpc, tags(&view.tags)))
        }
        Reply::RouteTables(page) => self::page(page, |(id, view)| route_table(id, view)),
        Reply::InstanceTypes(types) => lines(types.iter().map(|(name, one)| reported(name, one))),
    }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() { "nothing".to_owned() } else { lines.join("\n") }
}

fn words<T: Display>(words: impl IntoIterator<Item = T>) -> String {
    words.into_iter().fold(String::new(), |line, word| format!("{line} {word}"))
}

fn page<T>(page: &Page<T>, show: impl Fn(&T) -> String) -> String {
    let unreadable = page.unreadable.iter().map(|text| format!("unreadable: {text}"));
    let more = page.next.iter().map(|_| "and more".to_owned());
    lines(page.items.iter().map(show).chain(unreadable).chain(more))
}

fn assigned(assigned: &Assigned) -> String {
    let Assigned { addresses, prefixes, ipv6_prefixes } = assigned;
    format!("assigned{}{}{}", words(addresses), words(prefixes), words(ipv6_prefixes))
}

fn listed(one: &ListedEni) -> String {
    let instance = one.instance.as_ref().map_or("nobody's".to_owned(), ToString::to_string);
    let age = one.age.map(|age| format!(", {} s old", age.as_secs()));
    format!("{instance}: {}{}", eni(&one.eni), age.unwrap_or_default())
}

fn eni(eni: &EniView) -> String {
    let held = format!(
        "{}{}{}{}{}",
        eni.ipv4.primary,
        words(&eni.ipv4.addresses),
        words(&eni.ipv4.prefixes),
        words(&eni.ipv6.addresses),
        words(&eni.ipv6.prefixes),
    );
    let attached = eni.attachment.as_ref().map(|one| {
        let end = if one.delete_on_termination == Some(true) { " to the end" } else { "" };
        let (card, index, state) = (one.network_card, one.device_index, one.state);
        format!(", {state:?} at {card}/{index}{end}")
    });
    format!(
        "{} {:?} in {} behind{}: {held}{}{}{}",
        eni.id,
        eni.kind,
        eni.subnet,
        words(&eni.security_groups),
        attached.unwrap_or_default(),
        if eni.description.is_empty() { String::new() } else { format!(", {:?}", eni.description) },
        tags(&eni.tags),
    )
}

fn tags(tags: &Tags) -> String {
    let tags: Vec<_> = tags.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    if tags.is_empty() { String::new() } else { format!(" {{{}}}", tags.join(",")) }
}

fn subnet(id: &impl Display, view: &SubnetView) -> String {
    let free = view.free_addresses;
    let ipv6 = words(view.ipv6_cidr);
    format!("{id} {} {} {}{ipv6}, {free} free{}", view.vpc, view.zone, view.cidr, tags(&view.tags))
}

fn vpc(view: &VpcView) -> String {
    format!("VPC {}{}", view.primary_cidr, words(&view.cidrs))
}

fn route_table(id: &impl Display, view: &RouteTableView) -> String {
    format!("{id} of {} for{}", view.vpc, words(&view.subnets))
}

fn reported(name: &impl Display, one: &Reported) -> String {
    let Reported { enis, ipv4_per_eni, ipv6_per_eni, hypervisor } = one;
    format!("{name} {hypervisor} {enis}: {ipv4_per_eni} + {ipv6_per_eni}")
}
