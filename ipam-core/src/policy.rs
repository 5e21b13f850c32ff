//! Settings, checked where they are made: holding one is proof that it makes sense.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};

use crate::view::Tags;

/// More addresses than any instance can hold: 64 interfaces of 64 slots with a /28 in each.
pub const ADDRESSES_MAX: u32 = 64 * 64 * 16;

/// How many addresses a node keeps, as in `spec.ipam` of its `CiliumNode`.
///
/// ```
/// use ipam_core::policy::Watermarks;
///
/// let watermarks = Watermarks::new(0, 10, 0, 0)?;
/// assert_eq!(watermarks.pre_allocate(), 8, "0 means the default");
/// assert!(Watermarks::new(8, 70_000, 0, 0).is_err(), "no instance holds that many");
/// # Ok::<(), ipam_core::policy::InvalidPolicy>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Watermarks {
    pre_allocate: i32,
    min_allocate: u32,
    max_allocate: u32,
    max_above_watermark: u32,
}

impl Watermarks {
    /// What `pre-allocate` means when it is 0 or absent.
    pub const PRE_ALLOCATE_DEFAULT: i32 = 8;

    /// Checks the four watermarks, in addresses.
    ///
    /// `pre_allocate` 0 means the default and a negative one is honoured by the arithmetic, as in
    /// Cilium's operator. `max_allocate` 0 means the maximum of the instance. A `max_allocate` below
    /// `min_allocate` is legal: the maximum wins.
    ///
    /// # Errors
    /// A value beyond [`ADDRESSES_MAX`] is [`InvalidPolicy::OutOfRange`].
    pub fn new(
        pre_allocate: i32,
        min_allocate: u32,
        max_allocate: u32,
        max_above_watermark: u32,
    ) -> Result<Self, InvalidPolicy> {
        let named = [
            ("pre-allocate", pre_allocate.unsigned_abs()),
            ("min-allocate", min_allocate),
            ("max-allocate", max_allocate),
            ("max-above-watermark", max_above_watermark),
        ];
        for (setting, value) in named {
            in_range(setting, value, 0, ADDRESSES_MAX)?;
        }
        Ok(Self { pre_allocate, min_allocate, max_allocate, max_above_watermark })
    }

    /// Addresses to keep free.
    #[must_use]
    pub const fn pre_allocate(&self) -> i32 {
        match self.pre_allocate {
            0 => Self::PRE_ALLOCATE_DEFAULT,
            said => said,
        }
    }

    /// Addresses to have in all, whether used or not.
    #[must_use]
    pub const fn min_allocate(&self) -> u32 {
        self.min_allocate
    }

    /// Addresses not to go beyond; `None`: the maximum of the instance.
    #[must_use]
    pub const fn max_allocate(&self) -> Option<u32> {
        match self.max_allocate {
            0 => None,
            said => Some(said),
        }
    }

    /// Addresses to ask for on top, whenever any are asked for.
    #[must_use]
    pub const fn max_above_watermark(&self) -> u32 {
        self.max_above_watermark
    }
}

/// What happens when a selector of a node matches nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unmatched {
    /// The node is blocked and says so: a typo must not put pods into another subnet or group.
    #[default]
    Block,
    /// The next rule is tried, as Cilium's operator does.
    FallThrough,
}

/// Operator-wide settings as written, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySettings {
    /// Ask for /28 prefixes where the instance type allows it.
    pub prefix_delegation: bool,
    /// What happens when a selector of a node matches nothing.
    pub unmatched: Unmatched,
    /// An interface that carries one of these tag keys belongs to somebody else, unless the value
    /// is `false`.
    pub foreign_tag_keys: BTreeSet<String>,
    /// The same for every interface but the primary one of an instance, which EKS tags with
    /// [`VPC_CNI_TAG`] whoever manages its addresses.
    pub foreign_secondary_tag_keys: BTreeSet<String>,
    /// Tags for every new interface.
    pub eni_tags: Tags,
    /// Name of the cluster, put on new interfaces as [`CLUSTER_TAG`].
    pub cluster: Option<String>,
    /// Free /28 blocks that a subnet must have again before a node that fell back to single
    /// addresses there asks it for prefixes.
    pub return_to_prefixes_at: u32,
}

/// Tag key of the AWS VPC CNI for interfaces that no CNI should touch.
pub const NO_MANAGE_TAG: &str = "node.k8s.amazonaws.com/no_manage";
/// Tag key with which the AWS VPC CNI marks its own interfaces.
pub const VPC_CNI_TAG: &str = "node.k8s.amazonaws.com/instance_id";
/// Tag key of every interface that Berth makes, with the value `true`.
pub const MANAGED_TAG: &str = "berth/managed";
/// Tag key with which Cilium's operator marks its interfaces, with the value `true`.
pub const CILIUM_MANAGED_TAG: &str = "io.cilium/cilium-managed";
/// Tag key for the name of the cluster an interface was made for.
pub const CLUSTER_TAG: &str = "berth/cluster";

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            prefix_delegation: false,
            unmatched: Unmatched::default(),
            foreign_tag_keys: [NO_MANAGE_TAG.to_string()].into(),
            foreign_secondary_tag_keys: [VPC_CNI_TAG.to_string()].into(),
            eni_tags: Tags::new(),
            cluster: None,
            return_to_prefixes_at: 4,
        }
    }
}

/// Operator-wide settings, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    settings: PolicySettings,
    eni_tags: Tags,
}

impl Default for Policy {
    fn default() -> Self {
        let settings = PolicySettings::default();
        let eni_tags = all_eni_tags(&settings);
        Self { settings, eni_tags }
    }
}

/// EC2 allows 50 tags on an interface; five are kept for Berth's own and for the one who carries an action out.
const ENI_TAGS_MAX: usize = 45;
/// Longest tag key of EC2, in characters.
const TAG_KEY_MAX: usize = 128;
/// Longest tag value of EC2, in characters.
const TAG_VALUE_MAX: usize = 256;
/// A /16, the largest subnet, has 4,096 blocks.
const BLOCKS_MAX: u32 = 4096;

impl Policy {
    /// Checks `settings`.
    ///
    /// # Errors
    /// Names the setting and what was expected of it.
    pub fn new(settings: PolicySettings) -> Result<Self, InvalidPolicy> {
        in_range("return-to-prefixes-at", settings.return_to_prefixes_at, 1, BLOCKS_MAX)?;
        check_tags(&settings.eni_tags)?;
        if let Some(cluster) = &settings.cluster {
            check_length("cluster-name", cluster, TAG_VALUE_MAX)?;
        }
        for key in &settings.foreign_tag_keys {
            check_length("foreign-tag-keys", key, TAG_KEY_MAX)?;
        }
        for key in &settings.foreign_secondary_tag_keys {
            check_length("foreign-secondary-tag-keys", key, TAG_KEY_MAX)?;
        }
        let eni_tags = all_eni_tags(&settings);
        let policy = Self { settings, eni_tags };
        if policy.is_foreign(&policy.eni_tags, false) {
            return Err(InvalidPolicy::OwnTagsAreForeign);
        }
        Ok(policy)
    }

    /// Whether prefixes are asked for where the instance type allows it.
    #[must_use]
    pub const fn prefix_delegation(&self) -> bool {
        self.settings.prefix_delegation
    }

    /// What happens when a selector of a node matches nothing.
    #[must_use]
    pub const fn unmatched(&self) -> Unmatched {
        self.settings.unmatched
    }

    /// The name of the cluster, if it has one.
    #[must_use]
    pub fn cluster(&self) -> Option<&str> {
        self.settings.cluster.as_deref()
    }

    /// Whether the tags of an interface say that it belongs to somebody else.
    #[must_use]
    pub fn is_foreign(&self, tags: &Tags, is_primary: bool) -> bool {
        let says_so = |key: &String| tags.get(key).is_some_and(|value| value != "false");
        let has_one = |keys: &BTreeSet<String>| keys.iter().any(says_so);
        has_one(&self.settings.foreign_tag_keys)
            || !is_primary && has_one(&self.settings.foreign_secondary_tag_keys)
    }

    /// The tags of a new interface: those asked for, Berth's own winning.
    #[must_use]
    pub const fn eni_tags(&self) -> &Tags {
        &self.eni_tags
    }

    /// Free /28 blocks that a subnet must have again before prefixes are asked of it; at least 1.
    #[must_use]
    pub const fn return_to_prefixes_at(&self) -> u32 {
        self.settings.return_to_prefixes_at
    }
}

fn all_eni_tags(settings: &PolicySettings) -> Tags {
    let mut tags = settings.eni_tags.clone();
    tags.insert(MANAGED_TAG.to_string(), "true".to_string());
    if let Some(cluster) = &settings.cluster {
        tags.insert(CLUSTER_TAG.to_string(), cluster.clone());
    }
    tags
}

/// Why settings make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    /// A number that is too small or too large.
    #[error("{setting} is {value}: expected {min} to {max}")]
    OutOfRange {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: u32,
        /// The least value that makes sense.
        min: u32,
        /// The greatest value that makes sense.
        max: u32,
    },
    /// A text that is empty or too long.
    #[error("{setting} {text:?}: expected 1 to {max} characters")]
    Length {
        /// The setting.
        setting: &'static str,
        /// The text as given.
        text: String,
        /// How many characters it may have.
        max: usize,
    },
    /// More tags than an interface can carry.
    #[error("eni-tags has {count} tags: expected at most {max}")]
    TooManyTags {
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// Interfaces made with these tags would be left alone by who made them.
    #[error("eni-tags make every new interface foreign: expected none of the foreign tag keys")]
    OwnTagsAreForeign,
    /// A tag key that EC2 keeps for itself.
    #[error("eni-tags {key:?}: expected a key that does not start with `aws:`")]
    ReservedTagKey {
        /// The key.
        key: String,
    },
}

fn in_range(setting: &'static str, value: u32, min: u32, max: u32) -> Result<(), InvalidPolicy> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(InvalidPolicy::OutOfRange { setting, value, min, max })
}

fn check_length(setting: &'static str, text: &str, max: usize) -> Result<(), InvalidPolicy> {
    if (1..=max).contains(&text.chars().count()) {
        return Ok(());
    }
    Err(InvalidPolicy::Length { setting, text: text.into(), max })
}

fn check_tags(tags: &Tags) -> Result<(), InvalidPolicy> {
    if tags.len() > ENI_TAGS_MAX {
        return Err(InvalidPolicy::TooManyTags { count: tags.len(), max: ENI_TAGS_MAX });
    }
    for (key, value) in tags {
        check_length("eni-tags key", key, TAG_KEY_MAX)?;
        if key.starts_with("aws:") {
            return Err(InvalidPolicy::ReservedTagKey { key: key.clone() });
        }
        if !value.is_empty() {
            check_length("eni-tags value", value, TAG_VALUE_MAX)?;
        }
    }
    Ok(())
}
