//! Identity and settings of a node: `spec.instance-id`, `spec.eni` and the numbers of `spec.ipam`.

use std::str::FromStr;

use ipam_core::ids::{InvalidId, NodeName, SecurityGroupId, SubnetId};
use ipam_core::policy::{ADDRESSES_MAX, Watermarks};
use ipam_core::view::{NodeIdentity, NodeSettings, Selector};

use super::problem::{Problems, Unusable};
use crate::{CiliumNode, CiliumNodeSpec, EniSpec, IpamSpec, Misfit};

/// Which instance the node is and where. Every member is noted that is missing.
pub(super) fn identity(
    name: Option<NodeName>,
    spec: &CiliumNodeSpec,
    problems: &mut Problems,
) -> Option<NodeIdentity> {
    let eni = spec.eni.as_ref();
    let text = |member: fn(&EniSpec) -> &Option<String>| eni.and_then(|eni| member(eni).as_deref());
    let instance = spec.instance_id.as_deref();
    let instance = problems.required(instance, "an instance id", format_args!("spec.instance-id"));
    let instance_type = problems.required(
        text(|eni| &eni.instance_type),
        "an instance type",
        format_args!("spec.eni.instance-type"),
    );
    let vpc =
        problems.required(text(|eni| &eni.vpc_id), "a VPC id", format_args!("spec.eni.vpc-id"));
    let zone = problems.required(
        text(|eni| &eni.availability_zone),
        "an availability zone",
        format_args!("spec.eni.availability-zone"),
    );
    let subnet = text(|eni| &eni.node_subnet_id)
        .and_then(|text| problems.id(text, format_args!("spec.eni.node-subnet-id")));
    Some(NodeIdentity {
        name: name?,
        instance: instance?,
        instance_type: instance_type?,
        vpc: vpc?,
        zone: zone?,
        subnet,
    })
}

/// What the owner of the node asked for, or `None` when that is not certain.
pub(super) fn settings(node: &CiliumNode, problems: &mut Problems) -> Option<NodeSettings> {
    let spec = &node.spec;
    let absent = EniSpec::default();
    let eni = spec.eni.as_ref().unwrap_or(&absent);
    let first_interface_index = problems.number(
        eni.first_interface_index,
        0..=i64::from(u16::MAX),
        format_args!("spec.eni.first-interface-index"),
    );
    let subnet_ids = subnet_ids(eni, problems);
    let security_groups = security_groups(eni, problems);
    let watermarks = watermarks(spec.ipam.as_ref(), problems);
    if node.misfits.iter().any(hides_wish) {
        return None;
    }
    Some(NodeSettings {
        watermarks: watermarks.ok()?,
        first_interface_index: first_interface_index.ok()?,
        subnets: Selector {
            ids: subnet_ids.ok()?,
            tags: eni.subnet_tags.clone().unwrap_or_default(),
        },
        security_groups: Selector {
            ids: security_groups.ok()?,
            tags: eni.security_group_tags.clone().unwrap_or_default(),
        },
        exclude_interface_tags: eni.exclude_interface_tags.clone().unwrap_or_default(),
        delete_on_termination: eni.delete_on_termination.unwrap_or(true),
        use_primary_address: eni.use_primary_address.unwrap_or(false),
        disable_prefix_delegation: eni.disable_prefix_delegation.unwrap_or(false),
    })
}

/// Whether what does not fit may stand for a wish that narrows.
fn hides_wish(misfit: &Misfit) -> bool {
    misfit.touches("spec.eni") || misfit.holds("spec.ipam.max-allocate")
}

/// Any of the listed subnets will do, so malformed ids may be left out as long as one is left.
fn subnet_ids(eni: &EniSpec, problems: &mut Problems) -> Result<Vec<SubnetId>, Unusable> {
    let listed = eni.subnet_ids.as_deref().unwrap_or_default();
    let ids = ids(listed, "spec.eni.subnet-ids", problems);
    if ids.is_empty() && !listed.is_empty() { Err(Unusable) } else { Ok(ids) }
}

/// All of the listed groups are wanted, so none may be left out.
fn security_groups(
    eni: &EniSpec,
    problems: &mut Problems,
) -> Result<Vec<SecurityGroupId>, Unusable> {
    let listed = eni.security_groups.as_deref().unwrap_or_default();
    let ids = ids(listed, "spec.eni.security-groups", problems);
    if ids.len() < listed.len() { Err(Unusable) } else { Ok(ids) }
}

/// The well-formed ids of a list at `path`.
pub(super) fn ids<T: FromStr<Err = InvalidId>>(
    listed: &[String],
    path: &str,
    problems: &mut Problems,
) -> Vec<T> {
    let texts = listed.iter().enumerate();
    texts.filter_map(|(i, text)| problems.id(text, format_args!("{path}[{i}]"))).collect()
}

/// The four watermarks. The cap must be certain; another one that is out of range is as if absent.
fn watermarks(ipam: Option<&IpamSpec>, problems: &mut Problems) -> Result<Watermarks, Unusable> {
    const MOST: i64 = ADDRESSES_MAX as i64;
    let Some(ipam) = ipam else {
        return Ok(Watermarks::default());
    };
    let path = format_args!("spec.ipam.pre-allocate");
    let pre_allocate = problems.number(ipam.pre_allocate, -MOST..=MOST, path);
    let mut count = |name: &str, value: Option<i64>| -> Result<Option<u32>, Unusable> {
        problems.number(value, 0..=MOST, format_args!("spec.ipam.{name}"))
    };
    let min_allocate = count("min-allocate", ipam.min_allocate).ok().flatten();
    let max_allocate = count("max-allocate", ipam.max_allocate);
    let max_above_watermark = count("max-above-watermark", ipam.max_above_watermark).ok().flatten();
    Watermarks::new(
        pre_allocate.ok().flatten().unwrap_or(0),
        min_allocate.unwrap_or(0),
        max_allocate?.unwrap_or(0),
        max_above_watermark.unwrap_or(0),
    )
    .map_err(|_| Unusable)
}
