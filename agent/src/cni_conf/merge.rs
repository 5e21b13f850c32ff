//! Which source wins.

use std::fmt::Debug;

use super::Warning;
use super::file::{CniConf, EniSection, IpamSection};
use crate::imds::InstanceFacts;
use crate::kubernetes::OwnNode;

/// What of flags and CNI configuration counts, with the defaults of Cilium's agents for what neither sets, and what
/// somebody should know about it. `facts`: what the instance says, once it has.
///
/// A member of the CNI configuration counts where it says something: a list or a map that is not empty, a number that is not 0, and
/// for the members that have a meaning of their own when they are 0 or `false`, where it is there at all.
#[must_use]
pub fn merge(
    flags: &OwnNode,
    conf: Option<&CniConf>,
    facts: Option<&InstanceFacts>,
) -> (OwnNode, Vec<Warning>) {
    let mut merged = flags.clone();
    let mut warnings = Vec::new();
    if let Some(conf) = conf {
        on_eni(&mut merged, &conf.eni, &mut warnings);
        on_ipam(&mut merged, &conf.ipam, &mut warnings);
        if let Some(facts) = facts {
            on_facts(&conf.eni, facts, &mut warnings);
        }
    }
    let eni = &mut merged.eni;
    eni.first_interface_index.get_or_insert(0);
    eni.use_primary_address.get_or_insert(false);
    eni.disable_prefix_delegation.get_or_insert(false);
    eni.delete_on_termination.get_or_insert(true);
    if let (Some(min), Some(max)) = (merged.ipam.min_allocate, merged.ipam.max_allocate)
        && max > 0
        && min > max
    {
        warnings.push(Warning::MinAboveMax { min, max });
    }
    (merged, warnings)
}

fn on_eni(merged: &mut OwnNode, conf: &EniSection, warnings: &mut Vec<Warning>) {
    let eni = &mut merged.eni;
    let mut on = Overriding { warnings };
    let index = conf.first_interface_index.map(i64::from);
    on.member("eni.first-interface-index", &mut eni.first_interface_index, index);
    on.member("eni.use-primary-address", &mut eni.use_primary_address, conf.use_primary_address);
    let disable = conf.disable_prefix_delegation;
    on.member("eni.disable-prefix-delegation", &mut eni.disable_prefix_delegation, disable);
    let delete = conf.delete_on_termination;
    on.member("eni.delete-on-termination", &mut eni.delete_on_termination, delete);
    let filled = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    on.member("eni.subnet-ids", &mut eni.subnet_ids, filled(&conf.subnet_ids));
    on.member("eni.security-groups", &mut eni.security_groups, filled(&conf.security_groups));
    let tags = |tags: &cilium_node::Tags| (!tags.is_empty()).then(|| tags.clone());
    on.member("eni.subnet-tags", &mut eni.subnet_tags, tags(&conf.subnet_tags));
    let group_tags = tags(&conf.security_group_tags);
    on.member("eni.security-group-tags", &mut eni.security_group_tags, group_tags);
    let exclude = tags(&conf.exclude_interface_tags);
    on.member("eni.exclude-interface-tags", &mut eni.exclude_interface_tags, exclude);
    let unknown = conf.unknown.iter().map(|member| Warning::Unknown { member: member.clone() });
    warnings.extend(unknown);
}

fn on_ipam(merged: &mut OwnNode, conf: &IpamSection, warnings: &mut Vec<Warning>) {
    let ipam = &mut merged.ipam;
    let mut on = Overriding { warnings };
    let number = |number: u32| (number > 0).then_some(i64::from(number));
    on.member("ipam.min-allocate", &mut ipam.min_allocate, number(conf.min_allocate));
    on.member("ipam.pre-allocate", &mut ipam.pre_allocate, number(conf.pre_allocate));
    let tags = (!conf.static_ip_tags.is_empty()).then(|| conf.static_ip_tags.clone());
    on.member("ipam.static-ip-tags", &mut ipam.static_ip_tags, tags);
    let set = ipam.max_allocate.and_then(|max| u32::try_from(max).ok()).unwrap_or(0);
    if conf.max_allocate != 0 && conf.max_allocate != set {
        warnings.push(Warning::NotHere {
            member: "ipam.max-allocate",
            conf: conf.max_allocate,
            instead: "--ipam-max-allocate",
            value: set,
        });
    }
    if conf.max_above_watermark != 0 {
        warnings.push(Warning::NotHere {
            member: "ipam.max-above-watermark",
            conf: conf.max_above_watermark,
            instead: "spec.ipam.max-above-watermark of the CiliumNode, unless set,",
            value: 0,
        });
    }
}

fn on_facts(conf: &EniSection, facts: &InstanceFacts, warnings: &mut Vec<Warning>) {
    let members = [
        ("eni.vpc-id", &conf.vpc_id, facts.vpc.as_str()),
        ("eni.instance-type", &conf.instance_type, facts.instance_type.as_str()),
        ("eni.availability-zone", &conf.availability_zone, facts.zone.as_str()),
        ("eni.node-subnet-id", &conf.node_subnet_id, facts.subnet.as_str()),
    ];
    let differ = members.into_iter().filter(|(_, conf, fact)| !conf.is_empty() && conf != fact);
    warnings.extend(differ.map(|(member, conf, fact)| Warning::Fact {
        member,
        conf: conf.clone(),
        fact: fact.to_owned(),
    }));
}

/// Lets values of the CNI configuration win.
struct Overriding<'a> {
    warnings: &'a mut Vec<Warning>,
}

impl Overriding<'_> {
    fn member<T: Debug + PartialEq>(
        &mut self,
        member: &'static str,
        flag: &mut Option<T>,
        conf: Option<T>,
    ) {
        let Some(conf) = conf else { return };
        if let Some(flag) = flag
            && *flag != conf
        {
            let (conf, flag) = (format!("{conf:?}"), format!("{flag:?}"));
            self.warnings.push(Warning::Overridden { member, conf, flag });
        }
        *flag = Some(conf);
    }
}
