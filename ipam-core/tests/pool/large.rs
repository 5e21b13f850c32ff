//! The agent's ledger: large CIDRs, and many addresses.

use std::ops::RangeInclusive;

use crate::script::check;

#[test]
fn of_a_large_cidr_the_first_4096_addresses_are_handed_out() {
    check(
        "sync 2001:db8::/80@eni-1
         fill ipv6 4096
         allocate ipv6 a/x
         release 2001:db8::1000
         promise 2001:db8::1000
         promise 2001:db8::1000/116
         release 2001:db8::fff
         release 2001:db8::40
         at 30s allocate ipv6 a/x
         promise 2001:db8::fff
         sync
         cidrs",
        "added 2001:db8::/80
         2001:db8::fff on eni-1
         exhausted: no IPv6 address is free: 4096 attached, 0 free, 4096 used, 0 cooling, 0 promised, 0 withdrawn
         beyond: 2001:db8::1000 is not among the first 4096 addresses of 2001:db8::/80
         beyond: 2001:db8::1000 is not among the first 4096 addresses of 2001:db8::/80
         beyond: 2001:db8::1000 is not among the first 4096 addresses of 2001:db8::/80
         released by fill/4095
         released by fill/64
         2001:db8::40 on eni-1
         promised
         withdrawn 2001:db8::/80
         2001:db8::/80 on eni-1 withdrawn 0/4095/0/0",
    );
}

#[test]
fn a_used_address_behind_those_of_a_larger_cidr_is_kept() {
    check(
        "sync 10.0.100.5/32@eni-1
         allocate ipv4 a/x
         sync 10.0.0.0/16@eni-2
         release 10.0.100.5 a/x
         exact 10.0.100.5 a/x
         sync 10.0.0.0/16@eni-2
         restart
         release 10.0.100.5 a/x
         sync 10.0.0.0/16@eni-2",
        "added 10.0.100.5/32
         10.0.100.5 on eni-1
         added 10.0.0.0/16; withdrawn 10.0.100.5/32
         released by a/x
         10.0.100.5 on eni-2
         withdrawn 10.0.100.5/32
         restarted
         released by a/x
         removed 10.0.100.5/32",
    );
}

#[test]
fn there_is_a_limit_to_the_addresses_of_a_family_and_those_known_come_first() {
    let cidr = |subnet: u32| format!("10.{subnet}.0.0/16@eni-1 ");
    let cidrs: String = (1..=64).map(cidr).collect();
    check(
        &format!(
            "sync {cidrs}
             exact 10.64.0.0 a/x
             sync {cidrs} 10.0.0.1/32@eni-1
             sync {} 10.65.0.0/16@eni-1
             sync {} 10.0.0.1/32@eni-1
             exact 10.64.0.1 b/x",
            cidrs.replace("10.64.0.0/16@eni-1", ""),
            cidrs.replace("10.1.0.0/16@eni-1", "10.1.0.0/32@eni-1"),
        ),
        &format!(
            "added {}
             10.64.0.0 on eni-1
             refused (too_many: 10.0.0.1/32 on eni-1 is one too many: expected at most 262144 addresses)
             withdrawn 10.64.0.0/16; refused (too_many: 10.65.0.0/16 on eni-1 is one too many: expected at most 262144 addresses)
             added 10.0.0.1/32 10.1.0.0/32 10.64.0.0/16; removed 10.1.0.0/16
             10.64.0.1 on eni-1",
            cidrs.replace("@eni-1", "").trim_end()
        ),
    );
}

#[test]
fn a_block_is_not_promised_while_an_address_behind_its_first_ones_is_used() {
    check(
        "sync 2001:db8::/80@eni-1 10.0.0.0/16@eni-1
         exact 2001:db8::abcd:1234 a/x claim
         exact 2001:db8::abcd:1234 b/x
         used
         tally ipv6
         promise 2001:db8::/80
         promise 2001:db8::abcd:0/112
         promise 2001:db8::/84
         promise 2001:db8::/116
         withdraw-promise 2001:db8::/116
         restart
         sync 10.0.0.0/16@eni-1
         sync 2001:db8::/80@eni-1 10.0.0.0/16@eni-1
         release 2001:db8::abcd:1234 #1
         promise 2001:db8::/80
         exact 2001:db8::abcd:1234 a/x
         exact 10.0.200.1 router
         exact 10.0.200.2 router
         exact 10.0.200.3 b/x
         exact 10.0.0.1 b/x",
        "added 10.0.0.0/16 2001:db8::/80
         2001:db8::abcd:1234 on eni-1, claim 1
         in_use: 2001:db8::abcd:1234 is used by a/x
         2001:db8::abcd:1234 of a/x on eni-1, claim 1
         4096 attached, 4096 free, 0 used, 0 cooling, 0 promised, 1 withdrawn
         in_use: 2001:db8::abcd:1234 is used by a/x
         beyond: 2001:db8::abcd:0 is not among the first 4096 addresses of 2001:db8::/80
         in_use: 2001:db8::abcd:1234 is used by a/x
         promised
         promise withdrawn
         restarted
         removed 2001:db8::/80; withdrawn 2001:db8::abcd:1234/128
         added 2001:db8::/80; withdrawn 2001:db8::abcd:1234/128
         released by a/x
         promised
         promised: 2001:db8::abcd:1234 is promised away
         10.0.200.1 on eni-1
         holds_another: router holds 10.0.200.1 already
         10.0.200.3 on eni-1
         10.0.0.1 on eni-1",
    );
}

#[test]
fn cidrs_overlap_as_a_whole() {
    check(
        "sync 2001:db8::/64@eni-1 2001:db8:0:0:1::/80@eni-2 10.0.0.0/16@eni-1 10.0.128.0/28@eni-1
         release 10.0.200.1
         exact 10.0.128.0 a/x
         release 10.0.200.1
         sync 10.0.128.0/28@eni-1
         sync 10.0.0.0/16@eni-1
         cidrs",
        "added 10.0.0.0/16 2001:db8::/64; \
         refused (overlap: 10.0.128.0/28 on eni-1 overlaps 10.0.0.0/16 on eni-1) \
         (overlap: 2001:db8:0:0:1::/80 on eni-2 overlaps 2001:db8::/64 on eni-1)
         beyond: 10.0.200.1 is not among the first 4096 addresses of 10.0.0.0/16
         10.0.128.0 on eni-1
         beyond: 10.0.200.1 is not among the first 4096 addresses of 10.0.0.0/16
         added 10.0.128.0/28; removed 10.0.0.0/16 10.0.128.0/32 2001:db8::/64
         added 10.0.0.0/16; removed 10.0.128.0/28; withdrawn 10.0.128.0/32
         10.0.0.0/16 on eni-1 4096/0/0/0; 10.0.128.0/32 on eni-1 withdrawn 0/1/0/0",
    );
}

#[test]
fn the_limit_counts_what_a_listing_leaves() {
    let cidr = |block: u32| format!("2001:db8:0:{block:x}::/80@eni-1 ");
    let single = |block: u32| format!("2001:db8:0:{block:x}::1/128@eni-1 ");
    let use_one = |block: u32| format!("exact 2001:db8:0:{block:x}:: a/x\n");
    let granted = |block: u32| format!("2001:db8:0:{block:x}:: on eni-1\n");
    let left = |block: u32| format!("2001:db8:0:{block:x}::/128 ");
    let all = |blocks: RangeInclusive<u32>, text: &dyn Fn(u32) -> String| {
        blocks.map(text).collect::<String>()
    };
    let after = all(1..=64, &single) + &all(65..=128, &cidr);
    let former = all(1..=64, &cidr);
    let named = |listed: &str| listed.replace("@eni-1", "").trim_end().to_string();
    check(
        &format!("sync {former}\n{}sync {after}\ntally ipv6", all(1..=64, &use_one)),
        &format!(
            "added {}\n{}added {}; removed {}; withdrawn {}; refused (too_many: \
             2001:db8:0:80::/80 on eni-1 is one too many: expected at most 262144 addresses)
             258112 attached, 258112 free, 0 used, 0 cooling, 0 promised, 64 withdrawn",
            named(&former),
            all(1..=64, &granted),
            named(&after.replace(&cidr(128), "")),
            named(&former),
            named(&all(1..=64, &left)),
        ),
    );
}
