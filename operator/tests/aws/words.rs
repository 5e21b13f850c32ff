//! A request as a line of text.

use ipam_core::action::{Action, CreateEni, Ipv4Ask, eni_description};
use ipam_core::call::{EniScope, Mutation, PageToken, Read, Request};
use ipam_core::time::Tick;
use ipam_core::view::Tags;

/// Reads an identifier, or a list of them with commas in between.
fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an identifier")
}

fn ids<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> Vec<T> {
    text.split(',').map(id).collect()
}

fn count(text: &str) -> u16 {
    text.parse().expect("a number")
}

/// Reads a request: a verb, and what it is about. A creation has the token `berth-1` unless another one is said. A last word `@TOKEN` says where a listing goes on.
pub(crate) fn request(line: &str) -> Request {
    let mut words: Vec<_> = line.split_whitespace().collect();
    let token = words.last().and_then(|word| word.strip_prefix('@'));
    let page = token.map(|token| PageToken(token.to_owned()));
    if page.is_some() {
        words.pop();
    }
    match words.as_slice() {
        ["enis", scope, of] => Request::Read(Read::Enis { scope: self::scope(scope, of), page }),
        ["subnets", vpc] => Request::Read(Read::Subnets { vpc: id(vpc), page }),
        ["vpc", vpc] => Request::Read(Read::Vpc { vpc: id(vpc) }),
        ["groups", vpc] => groups(vpc, true, page),
        ["groups-with-rules", vpc] => groups(vpc, false, page),
        ["routes", vpc] => Request::Read(Read::RouteTables { vpc: id(vpc), page }),
        ["types", types] => Request::Read(Read::InstanceTypes { types: ids(types) }),
        words => mutation(words),
    }
}

fn scope(scope: &str, of: &str) -> EniScope {
    match scope {
        "vpc" => EniScope::Vpc(id(of)),
        "instances" => EniScope::Instances(ids(of)),
        "ids" => EniScope::Ids(ids(of)),
        "unattached" => EniScope::Unattached {
            vpc: (of != "all").then(|| id(of)),
            tags: tags([("berth/managed", "true"), ("berth/cluster", "test")]),
        },
        other => panic!("no scope: {other}"),
    }
}

fn groups(vpc: &str, without_rules: bool, page: Option<PageToken>) -> Request {
    Request::Read(Read::SecurityGroups { vpc: id(vpc), without_rules, page })
}

fn mutation(words: &[&str]) -> Request {
    let subnet = || id("subnet-0000000a");
    let action = match words {
        ["addresses", eni, of] => {
            Action::AssignAddresses { eni: id(eni), subnet: subnet(), count: count(of) }
        }
        ["prefixes", eni, of] => {
            Action::AssignPrefixes { eni: id(eni), subnet: subnet(), count: count(of) }
        }
        ["unassign", eni, addresses] => Action::UnassignAddresses {
            eni: id(eni),
            addresses: addresses.split(',').map(id).collect(),
        },
        ["unprefix", eni, prefixes] => Action::UnassignPrefixes {
            eni: id(eni),
            prefixes: prefixes.split(',').map(id).collect(),
        },
        ["ipv6", eni] => Action::AssignIpv6Prefix { eni: id(eni) },
        ["create", subnet, "addresses", of, ..] => {
            create(subnet, Ipv4Ask::Addresses(count(of)), words)
        }
        ["create", subnet, "prefixes", of, ..] => {
            create(subnet, Ipv4Ask::Prefixes(count(of)), words)
        }
        ["attach", eni, _, index] => Action::AttachEni { eni: id(eni), device_index: count(index) },
        ["modify", eni, attachment] => {
            Action::SetDeleteOnTermination { eni: id(eni), attachment: id(attachment) }
        }
        ["detach", eni, attachment] => {
            Action::DetachEni { eni: id(eni), attachment: id(attachment) }
        }
        ["set-groups", eni, groups] => {
            Action::SetSecurityGroups { eni: id(eni), groups: ids(groups) }
        }
        ["delete", eni] => Action::DeleteEni { eni: id(eni) },
        other => panic!("no request: {other:?}"),
    };
    let instance = words.iter().find(|word| word.starts_with("i-")).unwrap_or(&"i-0000000a");
    let token = words.iter().find(|word| word.starts_with("berth-")).unwrap_or(&"berth-1");
    Request::Mutate(Mutation {
        node: Some(id("node-1")),
        instance: id(instance),
        action,
        token: (*token).to_owned(),
        first_sent: Tick::from_millis(61_900),
    })
}

fn tags(tags: [(&str, &str); 2]) -> Tags {
    tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

fn create(subnet: &str, ipv4: Ipv4Ask, words: &[&str]) -> Action {
    Action::CreateEni(CreateEni {
        subnet: id(subnet),
        security_groups: vec![id("sg-0000000b")],
        ipv4,
        ipv6_prefix: words.contains(&"ipv6"),
        device_index: 1,
        description: eni_description(&id("i-0000000a")),
        tags: tags([("berth/managed", "true"), ("team", "net")]),
    })
}
