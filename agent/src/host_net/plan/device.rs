//! Devices: which one an interface is, and how it has to be.

use ipnet::{IpNet, Ipv4Net};

use super::{Carrier, Carriers};
use crate::host_net::words::{Kernel, Link, Problem, Step, Wanted};

/// The device of an interface.
pub(super) struct Device<'a> {
    /// Its index, by which the kernel knows it: its name may change.
    pub(super) index: u32,
    link: &'a Link,
}

impl<'a> Device<'a> {
    /// The only device with a MAC that is not the lower part of another, which has the same.
    pub(super) fn of(kernel: &'a Kernel, mac: &str) -> Result<Self, Problem> {
        let has_mac = |link: &Link| link.mac == mac && !link.enslaved;
        let found: Vec<_> = kernel.links.iter().filter(|(_, link)| has_mac(link)).collect();
        match found.as_slice() {
            [] => Err(Problem::NoDevice { mac: mac.to_owned() }),
            [(index, link)] => Ok(Self { index: **index, link }),
            several => {
                let names = several.iter().map(|(_, link)| link.name.clone()).collect();
                Err(Problem::SeveralDevices { mac: mac.to_owned(), names })
            }
        }
    }
}

/// What devices lack. That of the primary interface is the host's own business, but for one thing: see
/// [`passing_answers`].
pub(super) fn steps(
    kernel: &Kernel,
    wanted: &Wanted,
    carriers: &Carriers<'_>,
    masquerades: bool,
) -> Vec<Step> {
    let primary = wanted.enis.values().find(|eni| eni.number == 0);
    let primary = primary.and_then(|eni| Device::of(kernel, &eni.mac).ok());
    let mtu = wanted.mtu.or(primary.as_ref().map(|device| device.link.mtu));
    let loosened =
        primary.filter(|_| masquerades).and_then(|device| passing_answers(kernel, &device));
    let mut steps: Vec<_> = loosened.into_iter().collect();
    for carrier in carriers.values() {
        steps.extend(carried(kernel, carrier, mtu));
    }
    steps
}

fn carried(kernel: &Kernel, carrier: &Carrier<'_>, mtu: Option<u32>) -> impl Iterator<Item = Step> {
    let Device { index: device, link } = carrier.device;
    let mtu = mtu.filter(|mtu| *mtu != link.mtu).map(|mtu| Step::SetMtu { device, mtu });
    let up = (!link.up).then_some(Step::SetUp { device });
    let reverse_path = not_strict(kernel, link).map(|value| Step::SetReversePath { device, value });
    [mtu, up, reverse_path, address(kernel, carrier)].into_iter().flatten()
}

/// `rp_filter` of a secondary interface's device, if it has to be another.
///
/// Strict (1) drops what comes in by a device that an answer would not leave by. An answer of a pod does leave by it; one of
/// the host's own, from the interface's primary address, is looked up in the main table, which leads to the primary
/// interface, and so is one of a pod whose rules are not there yet. What counts is the larger of `all` and the device's own
/// value: where `all` is strict the device has to be loose (2); otherwise it is left alone if it is not strict itself.
fn not_strict(kernel: &Kernel, link: &Link) -> Option<u8> {
    let value = if kernel.reverse_path_of_all == 1 { 2 } else { 0 };
    let fits = |found: u8| match kernel.reverse_path_of_all {
        1 => found > 1,
        _ => found != 1,
    };
    link.reverse_path.filter(|found| !fits(*found)).map(|_| value)
}

/// Answers to masqueraded connections come in by the primary interface, and once the pod's address is back in them, the
/// kernel finds that an answer would leave by the pod's: strict, it drops them. Loose (2) is the least that lets them pass.
fn passing_answers(kernel: &Kernel, device: &Device<'_>) -> Option<Step> {
    let found = device.link.reverse_path?;
    let strict = found.max(kernel.reverse_path_of_all) == 1;
    strict.then_some(Step::SetReversePath { device: device.index, value: 2 })
}

/// The primary address of an interface, by which its device asks (ARP) for the subnet's router. With whatever prefix length
/// somebody else gave it, it is there; without it (it is a pod's) the kernel asks with the host's address.
fn address(kernel: &Kernel, carrier: &Carrier<'_>) -> Option<Step> {
    let device = carrier.device.index;
    let address = carrier.eni.primary?;
    let there = |(on, found): &(u32, IpNet)| *on == device && found.addr() == address;
    if kernel.addresses.iter().any(there) {
        return None;
    }
    let length = carrier.eni.subnet?.prefix_len();
    let address = IpNet::V4(Ipv4Net::new(address, length).ok()?);
    Some(Step::AddAddress { device, address })
}
