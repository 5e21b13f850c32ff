//! Which interfaces are Berth's to fill, and which are left alone.

use crate::action::eni_description;
use crate::ids::InstanceId;
use crate::policy::{CILIUM_MANAGED_TAG, MANAGED_TAG, Policy};
use crate::view::{Attachment, EniKind, EniView, NodeSettings, Tags};

/// Why an interface is left alone. It still takes a slot and a device index of its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftAlone {
    /// Its device index is below `first-interface-index`.
    BelowFirstIndex,
    /// It carries all of `exclude-interface-tags`.
    ExcludedByTags,
    /// A tag says that it belongs to somebody else.
    Foreign,
    /// It is a trunk, branch or EFA interface.
    SpecialKind,
    /// It is not on network card 0.
    OtherCard,
}

/// Why `eni` is left alone; `None` when it is managed. An interface that is not attached has no index
/// and no card to be judged by.
#[must_use]
pub fn left_alone(eni: &EniView, settings: &NodeSettings, policy: &Policy) -> Option<LeftAlone> {
    if eni.kind != EniKind::Ordinary {
        return Some(LeftAlone::SpecialKind);
    }
    let is_primary = |at: &Attachment| at.network_card == 0 && at.device_index == 0;
    if policy.is_foreign(&eni.tags, eni.attachment.as_ref().is_some_and(is_primary)) {
        return Some(LeftAlone::Foreign);
    }
    if is_excluded(&eni.tags, &settings.exclude_interface_tags) {
        return Some(LeftAlone::ExcludedByTags);
    }
    let attachment = eni.attachment.as_ref()?;
    if attachment.network_card != 0 {
        return Some(LeftAlone::OtherCard);
    }
    let first = settings.first_interface_index.unwrap_or(0);
    (attachment.device_index < first).then_some(LeftAlone::BelowFirstIndex)
}

/// Whether `eni` was made for `instance`, by Berth or by Cilium's operator: its description names the
/// instance, and a tag names the maker.
#[must_use]
pub fn is_made_for(eni: &EniView, instance: &InstanceId) -> bool {
    let marked = |key: &&str| eni.tags.get(*key).is_some_and(|value| value == "true");
    eni.description == eni_description(instance)
        && [MANAGED_TAG, CILIUM_MANAGED_TAG].iter().any(marked)
}

/// Whether `eni` was made by Berth for `instance`.
#[must_use]
pub fn is_own(eni: &EniView, instance: &InstanceId) -> bool {
    is_made_for(eni, instance) && eni.tags.get(MANAGED_TAG).is_some_and(|value| value == "true")
}

/// The instance that an interface was made for, if its description names one.
#[must_use]
pub fn made_for(eni: &EniView) -> Option<InstanceId> {
    let (_, rest) = eni.description.split_once('(')?;
    let instance: InstanceId = rest.strip_suffix(')')?.parse().ok()?;
    is_made_for(eni, &instance).then_some(instance)
}

/// Whether `exclude-interface-tags` of a node exclude an interface with these tags.
#[must_use]
pub fn is_excluded(tags: &Tags, exclude: &Tags) -> bool {
    !exclude.is_empty() && has_all(tags, exclude)
}

/// Whether `tags` has every key of `wanted` with the same value.
pub(crate) fn has_all(tags: &Tags, wanted: &Tags) -> bool {
    wanted.iter().all(|(key, value)| tags.get(key) == Some(value))
}
