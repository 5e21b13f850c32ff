//! How many addresses a node needs, and how many it has too many: the arithmetic of Cilium's operator,
//! which existing clusters rely on, with the deviations named at [`ask`].

use crate::policy::Watermarks;
use crate::view::Demand;

/// What a node has, in IPv4 addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Supply {
    /// Distinct addresses for pods on the interfaces that are managed; a prefix counts 16.
    pub available: u32,
    /// Addresses in use.
    pub used: u32,
}

/// How many addresses `demand` says are in use.
///
/// An agent of the CIDR contract reports one sum, use and pre-allocation together; its own
/// pre-allocation is the one in `watermarks`.
#[must_use]
pub fn used(demand: Demand, watermarks: &Watermarks) -> u32 {
    match demand {
        Demand::PerIp { used } => used,
        Demand::Cidr { ipv4, .. } => to_count(i64::from(ipv4) - pre_allocate(watermarks)),
    }
}

/// Addresses that `supply` lacks. `maximum`: how many the node may have in all, `None` without limit.
#[must_use]
pub fn needed(supply: Supply, watermarks: &Watermarks, maximum: Option<u32>) -> u32 {
    uncapped(supply, watermarks).min(room(supply, maximum))
}

/// Addresses that `supply` has above what the node keeps.
#[must_use]
pub fn excess(supply: Supply, watermarks: &Watermarks) -> u32 {
    let (least, above) = (watermarks.min_allocate(), watermarks.max_above_watermark());
    supply.available.saturating_sub(kept(supply.used, pre_allocate(watermarks), least, above))
}

/// How many addresses a node with `used` of them keeps in all.
///
/// Agents give nothing back of these, and operators take nothing: one function, so that neither gives what the other asks for again.
/// It is never less than what [`needed`] asks for.
#[must_use]
pub fn kept(used: u32, pre_allocate: i64, min_allocate: u32, max_above_watermark: u32) -> u32 {
    let (used, above) = (i64::from(used), i64::from(max_above_watermark));
    let floor = i64::from(min_allocate) + above;
    let is_below = used <= floor && used + pre_allocate <= floor;
    to_count(if is_below { floor } else { used + pre_allocate + above })
}

/// What to ask EC2 for in one round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ask {
    /// Addresses the node must get; short of that it is in deficit.
    pub must: u32,
    /// Addresses to ask for: `must`, what pods wait for, and the cushion. 0 when `must` is 0.
    pub want: u32,
    /// Addresses the node would need and the maximum withholds.
    pub withheld: u32,
}

/// What to ask for, with `waiting_pods` that have no address yet.
///
/// Three deliberate differences from Cilium's operator. Waiting pods and `max-above-watermark` never go
/// beyond the maximum; there they do. And waiting pods count on their own: when more of them wait than
/// addresses are free, the node is in need even though its watermark is met; there they only make a
/// round larger that happens anyway. And the cushion ends at what the node will keep: what is beyond that would be given back as
/// soon as it may.
#[must_use]
pub fn ask(
    supply: Supply,
    watermarks: &Watermarks,
    waiting_pods: u32,
    maximum: Option<u32>,
) -> Ask {
    let free = i64::from(supply.available) - i64::from(supply.used);
    let needed = uncapped(supply, watermarks);
    let short = needed.max(to_count(i64::from(waiting_pods) - free));
    let room = room(supply, maximum);
    let must = short.min(room);
    let (least, above) = (watermarks.min_allocate(), watermarks.max_above_watermark());
    let soon_used = supply.used.saturating_add(waiting_pods);
    let soon_kept = kept(soon_used, pre_allocate(watermarks), least, above);
    let useful = soon_kept.saturating_sub(supply.available).max(short);
    let want = match must {
        0 => 0,
        _ => short.max(waiting_pods).saturating_add(above).min(useful).min(room),
    };
    Ask { must, want, withheld: short - must }
}

/// The need before any maximum.
fn uncapped(supply: Supply, watermarks: &Watermarks) -> u32 {
    let (available, used) = (i64::from(supply.available), i64::from(supply.used));
    let for_free = pre_allocate(watermarks) - (available - used);
    match watermarks.min_allocate() {
        0 => to_count(for_free),
        least => to_count(for_free.max(i64::from(least) - available)),
    }
}

/// How many more addresses `maximum` allows.
fn room(supply: Supply, maximum: Option<u32>) -> u32 {
    maximum.map_or(u32::MAX, |maximum| maximum.saturating_sub(supply.available))
}

fn pre_allocate(watermarks: &Watermarks) -> i64 {
    i64::from(watermarks.pre_allocate())
}

/// A number of addresses; less than none is none.
fn to_count(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}
