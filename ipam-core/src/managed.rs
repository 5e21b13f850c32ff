//! Which interfaces are Berth's to fill, and which are left alone.

use crate::policy::Policy;
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

fn is_excluded(tags: &Tags, exclude: &Tags) -> bool {
    !exclude.is_empty() && has_all(tags, exclude)
}

/// Whether `tags` has every key of `wanted` with the same value.
pub(crate) fn has_all(tags: &Tags, wanted: &Tags) -> bool {
    wanted.iter().all(|(key, value)| tags.get(key) == Some(value))
}
