//! The free /28 blocks of a subnet.

use ipam_core::prefix::{
    FreeBlocks, Reservation, ReservationKind, addresses_of, block_of, ipv6_block_of,
    is_ipv6_prefix, is_prefix, prefixes_for,
};
use ipnet::Ipv4Net;
use proptest::prelude::*;

fn net(text: &str) -> Ipv4Net {
    let with_length = if text.contains('/') { text.to_string() } else { format!("{text}/32") };
    with_length.parse().unwrap()
}

/// Of a subnet: what is reserved for prefixes, what explicitly, what is taken, separated by `;`.
/// Compared are the free blocks, by their first addresses.
fn check(subnet: &str, taken: &str, expected: &str) {
    let mut reservations = Vec::new();
    let mut attached = Vec::new();
    for word in taken.split_whitespace() {
        match word.split_once(':') {
            Some(("prefix", cidr)) => {
                reservations.push(Reservation { cidr: net(cidr), kind: ReservationKind::Prefix });
            }
            Some(("explicit", cidr)) => {
                reservations.push(Reservation { cidr: net(cidr), kind: ReservationKind::Explicit });
            }
            _ => attached.push(net(word)),
        }
    }
    let blocks = FreeBlocks::observed(net(subnet), &reservations, attached).unwrap();
    let free: Vec<String> = blocks.iter().map(|it| it.network().to_string()).collect();
    assert_eq!(free.join(" "), expected, "{subnet} with {taken}");
    assert_eq!(blocks.count() as usize, free.len());
}

#[test]
fn the_first_and_the_last_block_are_never_whole() {
    check("10.0.0.0/26", "", "10.0.0.16 10.0.0.32");
    check("10.0.0.0/28", "", "");
    check("10.0.0.0/27", "", "");
}

#[test]
fn one_address_breaks_its_block() {
    check("10.0.0.0/26", "10.0.0.16", "10.0.0.32");
    check("10.0.0.0/26", "10.0.0.31 10.0.0.32", "");
    check("10.0.0.0/26", "10.0.0.4 10.0.0.62", "10.0.0.16 10.0.0.32");
}

#[test]
fn what_is_outside_the_subnet_changes_nothing() {
    check("10.0.0.0/26", "10.0.1.16 9.255.255.255 10.0.0.64/28", "10.0.0.16 10.0.0.32");
}

#[test]
fn a_prefix_takes_its_block() {
    check("10.0.0.0/25", "10.0.0.16/28 10.0.0.96/28", "10.0.0.32 10.0.0.48 10.0.0.64 10.0.0.80");
}

#[test]
fn explicit_reservations_take_the_blocks_they_touch_and_those_for_prefixes_take_none() {
    check("10.0.0.0/25", "explicit:10.0.0.32/27", "10.0.0.16 10.0.0.64 10.0.0.80 10.0.0.96");
    check("10.0.0.0/26", "explicit:10.0.0.40/30", "10.0.0.16");
    check("10.0.0.0/26", "prefix:10.0.0.32/28", "10.0.0.16 10.0.0.32");
    check("10.0.0.0/26", "explicit:10.0.0.0/16", "");
}

#[test]
fn the_ends_of_the_address_space_are_no_trap() {
    check("255.255.255.192/26", "255.255.255.0/24", "");
    check("0.0.0.0/26", "0.0.0.0/0", "");
}

#[test]
fn a_16_has_4094_whole_blocks() {
    let blocks = FreeBlocks::new(net("10.0.0.0/16"), &[]).unwrap();
    assert_eq!(blocks.count(), 4094);
    let message = FreeBlocks::new(net("10.0.0.0/15"), &[]).unwrap_err().to_string();
    assert_eq!(message, "10.0.0.0/15 is not the range of a subnet: expected /16 to /28");
    assert!(FreeBlocks::new(net("10.0.0.0/29"), &[]).is_err());
}

#[test]
fn block_arithmetic() {
    assert_eq!([0, 1, 16, 17].map(prefixes_for), [0, 1, 1, 2]);
    assert_eq!(block_of([10, 0, 0, 47].into()), net("10.0.0.32/28"));
    let ipv6 = ipv6_block_of("2001:db8:0:1:2:3:4:5".parse().unwrap());
    assert_eq!(ipv6.to_string(), "2001:db8:0:1:2::/80");
    assert!(is_ipv6_prefix(&ipv6));
    assert!(!is_ipv6_prefix(&"2001:db8::1/80".parse().unwrap()));
    assert_eq!(addresses_of(net("10.0.0.32/28")).count(), 16);
    let prefixes = ["10.0.0.32/28", "10.0.0.33/28", "10.0.0.32/27"].map(|it| is_prefix(&net(it)));
    assert_eq!(prefixes, [true, false, false]);
}

proptest! {
    /// The bitmap says the same as trying every address of every block.
    #[test]
    fn blocks_are_free_exactly_when_nothing_in_them_is_taken(
        taken in proptest::collection::vec((any::<u16>(), 26_u8..=32), 0..60),
        length in 20_u8..=28,
    ) {
        let subnet = Ipv4Net::new_assert([10, 0, 0, 0].into(), length);
        let range = |(offset, length): &(u16, u8)| {
            let address = u32::from_be_bytes([10, 0, 0, 0]) + u32::from(*offset);
            Ipv4Net::new_assert(address.into(), *length)
        };
        let taken: Vec<Ipv4Net> = taken.iter().map(range).collect();
        let blocks = FreeBlocks::observed(subnet, &[], taken.iter().copied()).unwrap();
        let usable = |address| {
            address != subnet.network()
                && address != subnet.broadcast()
                && !taken.iter().any(|it| it.contains(&address))
        };
        let expected: Vec<Ipv4Net> = subnet
            .subnets(28)
            .unwrap()
            .filter(|block| addresses_of(*block).all(usable))
            .collect();
        prop_assert_eq!(blocks.iter().collect::<Vec<_>>(), expected);
    }
}
