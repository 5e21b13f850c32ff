//! Berth's table as data: made of what is masqueraded, and read back.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;

use ipam_core::pool::Family;
use ipnet::{IpNet, IpSubnets, Ipv4Subnets, Ipv6Subnets};
use nftables::expr::{
    BinaryOperation, CT, Expression, Meta, MetaKey, NamedExpression, Payload, PayloadField, Prefix,
    Range,
};
use nftables::schema::{
    Chain, NfListObject, NfObject, Nftables, Rule, Set, SetFlag, SetType, SetTypeValue, Table,
};
use nftables::stmt::{Mangle, Match, Operator, Statement};
use nftables::types::{NfChainPolicy, NfChainType, NfFamily, NfHook};

use crate::host_net::words::Masquerade;

/// The name of Berth's table.
pub(super) const TABLE: &str = "berth";

const PREROUTING: &str = "prerouting";
const POSTROUTING: &str = "postrouting";

/// After destinations are translated, at -100.
const AFTER_TRANSLATION: i32 = -90;
/// Where sources are translated.
const TRANSLATION_OF_SOURCES: i32 = 100;

type Object = NfListObject<'static>;

/// The words of nftables for a family.
struct Words {
    family: Family,
    set_type: SetType,
    protocol: &'static str,
    pods: &'static str,
    vpc: &'static str,
}

const WORDS: [Words; 2] = [
    Words {
        family: Family::Ipv4,
        set_type: SetType::Ipv4Addr,
        protocol: "ip",
        pods: "pods4",
        vpc: "vpc4",
    },
    Words {
        family: Family::Ipv6,
        set_type: SetType::Ipv6Addr,
        protocol: "ip6",
        pods: "pods6",
        vpc: "vpc6",
    },
];

/// Berth's table, without what is in it.
pub(super) fn table() -> Object {
    NfListObject::Table(Table { family: NfFamily::INet, name: TABLE.into(), handle: None })
}

/// What is in Berth's table: sets, chains, rules, as `nft` lists them.
pub(super) fn objects(masquerade: &Masquerade, mark: u32) -> Vec<Object> {
    let sets = WORDS.iter().flat_map(|words| {
        [(words.pods, &masquerade.from), (words.vpc, &masquerade.except)]
            .map(|(name, cidrs)| set(words, name, cidrs))
    });
    let filter = chain(PREROUTING, NfChainType::Filter, NfHook::Prerouting, AFTER_TRANSLATION);
    let nat = chain(POSTROUTING, NfChainType::NAT, NfHook::Postrouting, TRANSLATION_OF_SOURCES);
    let marking = WORDS.iter().flat_map(|words| marking(words, mark));
    let masquerading = WORDS.iter().map(masquerading);
    sets.chain([filter, nat]).chain(marking).chain(masquerading).collect()
}

fn set(words: &Words, name: &'static str, cidrs: &BTreeSet<IpNet>) -> Object {
    let own = cidrs.iter().filter(|cidr| Family::of(cidr.addr()) == words.family);
    let elements: Vec<_> = own.map(element).collect();
    NfListObject::Set(Box::new(Set {
        family: NfFamily::INet,
        table: TABLE.into(),
        name: name.into(),
        set_type: SetTypeValue::Single(words.set_type),
        flags: Some(HashSet::from([SetFlag::Interval])),
        elem: (!elements.is_empty()).then_some(Cow::Owned(elements)),
        ..Set::default()
    }))
}

fn element(cidr: &IpNet) -> Expression<'static> {
    let address = Expression::String(cidr.addr().to_string().into());
    if cidr.prefix_len() == cidr.max_prefix_len() {
        return address;
    }
    let prefix = Prefix { addr: Box::new(address), len: cidr.prefix_len().into() };
    Expression::Named(NamedExpression::Prefix(prefix))
}

fn chain(name: &'static str, kind: NfChainType, hook: NfHook, priority: i32) -> Object {
    NfListObject::Chain(Chain {
        family: NfFamily::INet,
        table: TABLE.into(),
        name: name.into(),
        _type: Some(kind),
        hook: Some(hook),
        prio: Some(priority),
        policy: Some(NfChainPolicy::Accept),
        ..Chain::default()
    })
}

fn marking(words: &Words, mark: u32) -> [Object; 2] {
    let marked = || Expression::Named(NamedExpression::Meta(Meta { key: MetaKey::Mark }));
    let both = BinaryOperation::OR(vec![marked(), Expression::Number(mark)]);
    let value = Expression::BinaryOperation(Box::new(both));
    let give = Statement::Mangle(Mangle { key: marked(), value });
    let [from, away] = leaving(words);
    let begun = connection("direction", Operator::EQ, "original");
    let answer = connection("direction", Operator::EQ, "reply");
    let passed_on = connection("status", Operator::IN, "dnat");
    [
        rule(PREROUTING, vec![from.clone(), away, begun, give.clone()]),
        rule(PREROUTING, vec![from, answer, passed_on, give]),
    ]
}

fn masquerading(words: &Words) -> Object {
    let [from, away] = leaving(words);
    rule(POSTROUTING, vec![from, away, Statement::Masquerade(None)])
}

/// From a pod, and to elsewhere than the VPC.
fn leaving(words: &Words) -> [Statement<'static>; 2] {
    let compare = |field: &'static str, op, set: &str| {
        let field = PayloadField { protocol: words.protocol.into(), field: field.into() };
        Statement::Match(Match {
            left: Expression::Named(NamedExpression::Payload(Payload::PayloadField(field))),
            op,
            right: Expression::String(format!("@{set}").into()),
        })
    };
    [compare("saddr", Operator::EQ, words.pods), compare("daddr", Operator::NEQ, words.vpc)]
}

fn connection(key: &'static str, op: Operator, value: &'static str) -> Statement<'static> {
    let left = CT { key: key.into(), family: None, dir: None };
    Statement::Match(Match {
        left: Expression::Named(NamedExpression::CT(left)),
        op,
        right: Expression::String(value.into()),
    })
}

fn rule(chain: &'static str, statements: Vec<Statement<'static>>) -> Object {
    NfListObject::Rule(Rule {
        family: NfFamily::INet,
        table: TABLE.into(),
        chain: chain.into(),
        expr: statements.into(),
        ..Rule::default()
    })
}

/// What a listing of Berth's table masquerades: nothing of nothing if it is not as Berth makes it.
pub(super) fn understood(listed: &Nftables<'static>, mark: u32) -> Masquerade {
    let mut masquerade = Masquerade::default();
    let mut found = Vec::new();
    for object in listed.objects.iter() {
        match object {
            NfObject::ListObject(NfListObject::Table(_) | NfListObject::MetainfoObject(_)) => {}
            NfObject::ListObject(object) => found.push(bare(object.clone(), &mut masquerade)),
            NfObject::CmdObject(_) => return Masquerade::default(),
        }
    }
    let expected = objects(&Masquerade::default(), mark);
    let same = found.len() == expected.len()
        && expected.iter().all(|object| found.iter().any(|found| found.as_ref() == Some(object)));
    let [from, except] = [masquerade.from, masquerade.except].map(Vec::from_iter);
    if same { Masquerade::new(&from, &except) } else { Masquerade::default() }
}

/// An object without its handle and elements; these go into what is masqueraded. None if they are none of Berth's.
fn bare(object: Object, masquerade: &mut Masquerade) -> Option<Object> {
    match object {
        NfListObject::Set(mut set) => {
            let pods = WORDS.iter().any(|words| words.pods == set.name);
            let kept = if pods { &mut masquerade.from } else { &mut masquerade.except };
            for element in set.elem.take().iter().flat_map(|all| all.iter()) {
                kept.extend(cidrs(element)?);
            }
            set.handle = None;
            Some(NfListObject::Set(set))
        }
        NfListObject::Chain(chain) => Some(NfListObject::Chain(Chain { handle: None, ..chain })),
        NfListObject::Rule(rule) => Some(NfListObject::Rule(Rule { handle: None, ..rule })),
        _ => None,
    }
}

/// The CIDRs of an element: an address, a prefix, or whatever it takes to cover a range.
fn cidrs(element: &Expression<'_>) -> Option<Vec<IpNet>> {
    match element {
        Expression::String(_) => Some(vec![IpNet::from(address(element)?)]),
        Expression::Named(NamedExpression::Prefix(Prefix { addr, len })) => {
            let length = u8::try_from(*len).ok()?;
            Some(vec![IpNet::new(address(addr)?, length).ok()?])
        }
        Expression::Range(range) => {
            let Range { range: [first, last] } = range.as_ref();
            let subnets = match (address(first)?, address(last)?) {
                (IpAddr::V4(first), IpAddr::V4(last)) => {
                    IpSubnets::V4(Ipv4Subnets::new(first, last, 0))
                }
                (IpAddr::V6(first), IpAddr::V6(last)) => {
                    IpSubnets::V6(Ipv6Subnets::new(first, last, 0))
                }
                _ => return None,
            };
            Some(subnets.collect())
        }
        _ => None,
    }
}

fn address(element: &Expression<'_>) -> Option<IpAddr> {
    match element {
        Expression::String(text) => text.parse().ok(),
        _ => None,
    }
}
