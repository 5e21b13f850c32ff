//! Quotas of addresses and interfaces, and what an instance type can hold.

use crate::assumption::Assumption;
use crate::error::ApiError;
use crate::id::VpcId;
use crate::instance_types::{self, InstanceType};
use crate::machine::region::Region;
use crate::model::{Instance, Interface};

/// Checks that `vpc` may have that many more addresses and prefixes in use.
///
/// # Errors
///
/// `NetworkAddressUsageLimitExceeded`.
pub(super) fn check_addresses(region: &Region, vpc: &VpcId, more: usize) -> Result<(), ApiError> {
    let limit = region.settings.quotas.address_usage_per_vpc;
    let Some(entry) = region.world.vpc_entry(vpc) else { return Ok(()) };
    let assumptions = &region.settings.assumptions;
    let primaries = assumptions.is(Assumption::AddressUsageCountsPrimary);
    let uncounted = if primaries { 0 } else { entry.usage.own };
    let each = usize::try_from(assumptions.count(Assumption::AddressUsageOfServices));
    let services = entry.usage.managed.saturating_mul(each.unwrap_or(usize::MAX));
    let present = (entry.usage.slots - uncounted).saturating_add(services);
    if limit < present.saturating_add(more) {
        return Err(ApiError::address_usage_limit(limit as u64));
    }
    Ok(())
}

/// How many units of network address usage a primary address is.
pub(super) fn of_primary(region: &Region) -> usize {
    usize::from(region.settings.assumptions.is(Assumption::AddressUsageCountsPrimary))
}

/// The type of the instance that an interface is attached to, if it is.
pub(super) fn attached_type(
    region: &Region,
    interface: &Interface,
) -> Option<&'static InstanceType> {
    let instance = region.world.instance(interface.instance()?)?;
    instance_types::find(&instance.instance_type)
}

/// The type of an instance: instances are only built of types that are known.
pub(super) fn type_of(instance: &Instance) -> Result<&'static InstanceType, ApiError> {
    instance_types::find(&instance.instance_type).ok_or_else(ApiError::internal_error)
}

/// The refusal of prefixes on a type that is not built on Nitro.
pub(super) fn prefixes_refused(region: &Region, kind: &InstanceType) -> ApiError {
    let refusal = ApiError::prefixes_unsupported(&kind.name);
    let code = region.settings.assumptions.choice(Assumption::PrefixOnXen);
    ApiError::new(code, refusal.message)
}

/// As many addresses as the largest subnet has: no call is asked for more, whatever is assumed.
pub(super) const ADDRESSES_MAX: usize = 1 << 16;

/// How many addresses and prefixes of a family an interface takes that is attached to nothing.
pub(super) fn ceiling(region: &Region) -> usize {
    let ceiling = region.settings.assumptions.count(Assumption::CreateCeiling);
    usize::try_from(ceiling).unwrap_or(usize::MAX).min(ADDRESSES_MAX)
}
