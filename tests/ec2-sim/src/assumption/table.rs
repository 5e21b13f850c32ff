//! The table.

use super::{Kind, Row};

macro_rules! assumptions {
    ($($variant:ident $name:literal $kind:expr, $default:literal, $used_by:literal, $says:literal;)+) => {
        /// Something assumed about EC2.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Assumption {
            $(#[doc = $says] $variant,)+
        }

        /// Every assumption, in the order of the enumeration.
        pub(super) const TABLE: &[Row] = &[$(Row {
            assumption: Assumption::$variant,
            name: $name,
            kind: $kind,
            default: $default,
            says: $says,
            used_by: $used_by,
        }),+];
    };
}

/// How `prefix-on-xen` can be refused.
const PREFIX_REFUSALS: &[&str] =
    &["InvalidParameterValue", "InvalidParameterCombination", "OperationNotPermitted"];

assumptions! {
    PickPolicy "pick-policy" Kind::Choice(&["random", "next-fit", "lowest-first"]), "random", "space",
        "Where EC2 picks single addresses and prefixes in a subnet: at random is the worst case for fragmentation.";
    ReservationsLowerAvailable "reservations-lower-available" Kind::Switch, "true", "space",
        "The free addresses of CIDR reservations are not part of `AvailableIpAddressCount`.";
    PrefixOnXen "prefix-on-xen" Kind::Choice(PREFIX_REFUSALS), "InvalidParameterValue", "actions",
        "The code that refuses prefixes on an instance type that is not built on Nitro.";
    PrefixCheckAtAttach "prefix-check-at-attach" Kind::Switch, "true", "actions",
        "Attach refuses an interface that holds more prefixes than the type has slots, as was seen for secondary addresses.";
    CreateCeiling "create-ceiling" Kind::Count, "64", "actions",
        "How many addresses and prefixes of a family Create takes, whose interface is not attached to any type yet: the largest type's.";
    UnpaginatedLimit "unpaginated-limit" Kind::Count, "10000", "describe",
        "With more interfaces than this, an unfiltered `DescribeNetworkInterfaces` without `MaxResults` is not permitted.";
    PaginationTokenLifetime "pagination-token-lifetime" Kind::Duration, "1h", "describe",
        "How long a `NextToken` can be used.";
    ClientTokenLifetime "client-token-lifetime" Kind::Duration, "24h", "actions",
        "How long a `ClientToken` is remembered.";
    ThrottleFirst "throttle-before-validation" Kind::Switch, "true", "machine",
        "A call takes its token from the bucket, or is throttled, before its permission and the form of its parameters are looked at.";
    OmittedCardBug "omitted-network-card-bug" Kind::Switch, "false", "actions",
        "On types with several network cards, Attach without `NetworkCardIndex` finds any device index taken that is taken on some card.";
    FreshIdNotFound "fresh-id-not-found" Kind::Switch, "true", "actions",
        "Calls that name an id by which an object is not visible yet to the replica that serves them answer `NotFound`, as reads do.";
    AvailableCountLags "available-count-lags" Kind::Switch, "true", "machine",
        "`AvailableIpAddressCount` has a delay of its own.";
    AddressUsageCountsPrimary "address-usage-counts-primary" Kind::Switch, "true", "actions",
        "Primary addresses count as network address usage, like any other.";
    AddressUsageOfServices "address-usage-of-services" Kind::Count, "6", "actions",
        "An interface of a managed service is so many units of network address usage, whatever it holds.";
    OwnAddressAgain "own-address-again" Kind::Switch, "true", "actions",
        "Assigning an address by name that the interface has already succeeds, and assigns nothing; otherwise it is refused as taken.";
    MissingIdsInOneText "missing-ids-in-one-text" Kind::Switch, "true", "describe",
        "A `NotFound` of a call that names several ids names all that are missing, and not the first alone.";
    SlowFactor "slow-factor" Kind::Fraction, "4", "latency",
        "How much longer everything takes in the profile slow than in typical.";
    LinkNever "link-never" Kind::Fraction, "0", "latency",
        "Which part of the attachments never shows as a device on the instance.";
    MetadataLeafWindow "metadata-leaf-window" Kind::Duration, "2s", "imds",
        "Where reads may be stale, how long the keys of an interface may be missing once its directory of instance metadata is there.";
    LatencyPerItem "latency-per-item" Kind::Duration, "500us", "latency",
        "What each item adds to a Describe call: 19,000 interfaces in about 10 s fit it.";
    LatencyCreate "latency-create" Kind::Duration, "400ms", "latency",
        "The median of `CreateNetworkInterface`; its 99th percentile is three times that.";
    LatencyModify "latency-modify" Kind::Duration, "250ms", "latency",
        "The median of `ModifyNetworkInterfaceAttribute`; its 99th percentile is three times that.";
    LatencyUnassign "latency-unassign" Kind::Duration, "400ms", "latency",
        "The median of Unassign calls; their 99th percentile is three times that.";
    LatencyDetach "latency-detach" Kind::Duration, "300ms", "latency",
        "The median of `DetachNetworkInterface`; its 99th percentile is three times that.";
    LatencyDelete "latency-delete" Kind::Duration, "300ms", "latency",
        "The median of `DeleteNetworkInterface`; its 99th percentile is three times that.";
    LatencyOther "latency-other" Kind::Duration, "300ms", "latency",
        "The median of `AssociateAddress`, `CreateTags` and `CreateSubnetCidrReservation`; their 99th percentile is three times that.";
}
