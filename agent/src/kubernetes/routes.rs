//! The routes of the kernel's main table, as it shows them in `/proc/net` (`proc_net(5)`).
//!
//! Main plugins such as `ptp` route the address of each pod to its interface on the host. Such a route outlives the agent, and tells of a pod
//! that nobody else remembers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The route goes to a router and not to the address itself.
const GATEWAY: u32 = 0x0002;

/// The address cannot be reached: a route that says so is no use of it.
const REJECT: u32 = 0x0200;

/// IPv6: learned, not made by anybody.
const CACHE: u32 = 0x0100_0000;

/// IPv6: an address of many.
const ANYCAST: u32 = 0x0010_0000;

/// IPv6: an address of the host itself.
const LOCAL: u32 = 0x8000_0000;

const LOOPBACK: &str = "lo";

/// The addresses to which `/proc/net/route` has a route of their own, by an interface. Lines that make no sense are skipped.
#[must_use]
pub fn ipv4(text: &str) -> Vec<IpAddr> {
    text.lines().filter_map(ipv4_of_line).map(IpAddr::V4).collect()
}

/// The line: interface, destination, gateway, flags, three counters, mask, and more; hexadecimal, and addresses as the machine
/// holds them in memory.
fn ipv4_of_line(line: &str) -> Option<Ipv4Addr> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [interface, destination, _, flags, _, _, _, mask, ..] = fields.as_slice() else {
        return None;
    };
    let number = |text: &str| u32::from_str_radix(text, 16).ok();
    let whole = number(mask)? == u32::MAX;
    let is_direct = number(flags)? & (GATEWAY | REJECT) == 0;
    let address = Ipv4Addr::from(number(destination)?.to_ne_bytes());
    (whole && is_direct && *interface != LOOPBACK).then_some(address)
}

/// The addresses to which `/proc/net/ipv6_route` has a route of their own, by an interface. Lines that make no sense are
/// skipped.
#[must_use]
pub fn ipv6(text: &str) -> Vec<IpAddr> {
    text.lines().filter_map(ipv6_of_line).map(IpAddr::V6).collect()
}

/// The line: destination and its length, source and its length, next hop, metric, two counters, flags, interface; hexadecimal.
fn ipv6_of_line(line: &str) -> Option<Ipv6Addr> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [destination, length, _, _, _, _, _, _, flags, interface] = fields.as_slice() else {
        return None;
    };
    let whole = u32::from_str_radix(length, 16).ok()? == 128;
    let flags = u32::from_str_radix(flags, 16).ok()?;
    let is_direct = flags & (GATEWAY | REJECT | CACHE | ANYCAST | LOCAL) == 0;
    let digits = Some(destination).filter(|text| text.len() == 32)?;
    let address = Ipv6Addr::from(u128::from_str_radix(digits, 16).ok()?);
    let is_global = !address.is_unicast_link_local() && !address.is_multicast();
    (whole && is_direct && is_global && *interface != LOOPBACK).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file of a host with these routes: interface, destination, flags and mask.
    fn file(lines: &str) -> String {
        let head =
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
        let lines = lines.lines().map(str::trim).map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            let [interface, destination, flags, mask] = fields.as_slice() else {
                return line.to_owned();
            };
            let memory = |text: &str| {
                let address: Ipv4Addr = text.parse().expect("an address");
                format!("{:08X}", u32::from_ne_bytes(address.octets()))
            };
            let (destination, mask) = (memory(destination), memory(mask));
            format!("{interface}\t{destination}\t00000000\t{flags}\t0\t0\t0\t{mask}\t0\t0\t0")
        });
        head.to_owned() + &lines.collect::<Vec<_>>().join("\n")
    }

    fn check(lines: &str, expected: &str) {
        let found: Vec<String> = ipv4(&file(lines)).iter().map(IpAddr::to_string).collect();
        assert_eq!(found.join(" "), expected, "{lines}");
    }

    #[test]
    fn a_route_to_one_address_is_a_use_of_it() {
        check(
            "eth0 0.0.0.0 0003 0.0.0.0
             eth0 10.0.0.0 0001 255.255.255.0
             veth1 10.0.0.17 0005 255.255.255.255
             veth2 10.0.0.18 0001 255.255.255.255",
            "10.0.0.17 10.0.0.18",
        );
        check("", "");
    }

    #[test]
    fn what_goes_elsewhere_is_none() {
        check("eth0 10.0.0.17 0007 255.255.255.255", "");
        check("* 10.0.0.17 0205 255.255.255.255", "");
        check("lo 10.0.0.17 0005 255.255.255.255", "");
        check("veth1 10.0.0.16 0001 255.255.255.240", "");
    }

    #[test]
    fn lines_that_make_no_sense_are_skipped() {
        check("nonsense\nveth1 10.0.0.17 0005 255.255.255.255\na b c d e f g h i", "10.0.0.17");
        check("veth1 10.0.0.17 zzzz 255.255.255.255", "");
    }

    const NONE: &str = "00000000000000000000000000000000";

    fn check_ipv6(destination: &str, length: &str, flags: &str, interface: &str, expected: &str) {
        let line = format!(
            "{destination} {length} {NONE} 00 {NONE} 00000400 00000001 00000000 {flags} {interface:>8}"
        );
        let found: Vec<String> = ipv6(&line).iter().map(IpAddr::to_string).collect();
        assert_eq!(found.join(" "), expected, "{line}");
    }

    #[test]
    fn ipv6_routes_are_read_too() {
        let pod = "fd000000000000000000000000000017";
        check_ipv6(pod, "80", "00000001", "veth1", "fd00::17");
        check_ipv6(pod, "7f", "00000001", "veth1", "");
        check_ipv6(pod, "80", "00000003", "eth0", "");
        check_ipv6(pod, "80", "80200001", "lo", "");
        check_ipv6(pod, "80", "80200001", "eth0", "");
        check_ipv6(pod, "80", "00200200", "lo", "");
        check_ipv6("fe800000000000000000000000000001", "80", "00000001", "eth0", "");
        check_ipv6("ff020000000000000000000000000001", "80", "00000001", "eth0", "");
        check_ipv6("fd00", "80", "00000001", "veth1", "");
        assert_eq!(ipv6("nonsense\n"), Vec::<IpAddr>::new());
    }
}
