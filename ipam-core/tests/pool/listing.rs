//! The agent's ledger: what a listing of CIDRs does to it, and what is promised away.

use crate::script::check;

#[test]
fn a_promised_address_is_never_handed_out() {
    check(
        "sync 10.0.0.4/30@eni-1
         promise 10.0.0.4
         promise 10.0.0.4
         fill ipv4 3
         allocate ipv4 a/x
         promise 10.0.0.5
         promise 10.0.0.8
         withdraw-promise 10.0.0.5
         withdraw-promise 10.0.0.4
         allocate ipv4 a/x",
        "added 10.0.0.4/30
         promised
         promised
         10.0.0.7 on eni-1
         exhausted: no IPv4 address is free: 4 attached, 0 free, 3 used, 0 cooling, 1 promised, 0 withdrawn
         in_use: 10.0.0.5 is used by fill/0
         unknown: 10.0.0.8 is not an address of this node
         not_promised: 10.0.0.5 is not promised away
         promise withdrawn
         10.0.0.4 on eni-1",
    );
}

#[test]
fn a_promise_does_not_end_a_cool_down() {
    check(
        "sync 10.0.0.1/32@eni-1 10.0.0.2/32@eni-1
         fill ipv4 2
         release 10.0.0.1
         at 5s promise 10.0.0.1
         promise 10.0.0.1
         at 10s withdraw-promise 10.0.0.1
         deadline
         promise 10.0.0.1
         at 40s withdraw-promise 10.0.0.1
         tally ipv4",
        "added 10.0.0.1/32 10.0.0.2/32
         10.0.0.2 on eni-1
         released by fill/0
         promised
         promised
         promise withdrawn
         40000 ms
         promised
         promise withdrawn
         2 attached, 1 free, 1 used, 0 cooling, 0 promised, 0 withdrawn",
    );
}

#[test]
fn a_cidr_is_promised_whole_or_not_at_all() {
    check(
        "sync 10.0.0.16/28@eni-1 10.0.0.32/28@eni-1
         exact 10.0.0.47 a/x
         promise 10.0.0.32/28
         tally ipv4
         promise 10.0.0.16/28
         promise 10.0.0.32/29
         allocate ipv4 b/x
         cidrs
         promise 10.0.0.0/24
         promise 10.0.0.17/28
         promise 10.0.0.48/28
         withdraw-promise 10.0.0.32/28
         withdraw-promise 10.0.0.16/28
         withdraw-promise 10.0.0.16/28",
        "added 10.0.0.16/28 10.0.0.32/28
         10.0.0.47 on eni-1
         in_use: 10.0.0.47 is used by a/x
         32 attached, 31 free, 1 used, 0 cooling, 0 promised, 0 withdrawn
         promised
         promised
         10.0.0.40 on eni-1
         10.0.0.16/28 on eni-1 0/0/0/16; 10.0.0.32/28 on eni-1 6/2/0/8
         unknown_cidr: 10.0.0.0/24 is not a CIDR of this node, nor part of one
         unknown_cidr: 10.0.0.17/28 is not a CIDR of this node, nor part of one
         unknown_cidr: 10.0.0.48/28 is not a CIDR of this node, nor part of one
         not_promised: 10.0.0.40 is not promised away
         promise withdrawn
         not_promised: 10.0.0.16 is not promised away",
    );
}

#[test]
fn a_finished_release_loses_no_address() {
    check(
        "sync 10.0.0.1/32@eni-1 10.0.0.2/32@eni-1
         promise 10.0.0.1
         sync 10.0.0.1/32@eni-1 10.0.0.2/32@eni-1
         sync 10.0.0.2/32@eni-1
         promise 10.0.0.1
         sync 10.0.0.1/32@eni-1 10.0.0.2/32@eni-1
         allocate ipv4 a/x",
        "added 10.0.0.1/32 10.0.0.2/32
         promised
         nothing
         removed 10.0.0.1/32
         unknown: 10.0.0.1 is not an address of this node
         added 10.0.0.1/32
         10.0.0.1 on eni-1",
    );
}

#[test]
fn what_is_used_of_a_withdrawn_cidr_stays_and_nothing_new_comes_from_it() {
    check(
        "sync 10.0.0.16/28@eni-1
         allocate ipv4 a/x
         allocate ipv4 b/x
         sync
         allocate ipv4 c/x
         exact 10.0.0.18 c/x
         promise 10.0.0.18
         promise 10.0.0.24/29
         release 10.0.0.17 b/x
         release 10.0.0.17 b/x
         cidrs
         sync
         release 10.0.0.16 a/x
         cidrs
         exact 10.0.0.18 c/x
         promise 10.0.0.16/28
         sync",
        "added 10.0.0.16/28
         10.0.0.16 on eni-1
         10.0.0.17 on eni-1
         withdrawn 10.0.0.16/28
         exhausted: no IPv4 address is free: 0 attached, 0 free, 0 used, 0 cooling, 0 promised, 2 withdrawn
         withdrawn: 10.0.0.18 is no longer this node's: 10.0.0.16/28 was withdrawn
         withdrawn: 10.0.0.18 is no longer this node's: 10.0.0.16/28 was withdrawn
         withdrawn: 10.0.0.24 is no longer this node's: 10.0.0.16/28 was withdrawn
         released by b/x
         not_used: 10.0.0.17 is not used by anybody
         10.0.0.16/28 on eni-1 withdrawn 0/1/0/0
         withdrawn 10.0.0.16/28
         released by a/x
         nothing
         unknown: 10.0.0.18 is not an address of this node
         unknown_cidr: 10.0.0.16/28 is not a CIDR of this node, nor part of one
         nothing",
    );
}

#[test]
fn a_withdrawn_cidr_that_comes_back_is_whole_again() {
    check(
        "sync 10.0.0.16/28@eni-1
         allocate ipv4 a/x claim
         allocate ipv4 b/x
         sync
         release 10.0.0.17
         restart
         sync 10.0.0.16/28@eni-2
         used
         tally ipv4
         allocate ipv4 c/x
         sync
         release 10.0.0.16
         release 10.0.0.17
         sync 10.0.0.16/28@eni-1
         cidrs",
        "added 10.0.0.16/28
         10.0.0.16 on eni-1, claim 1
         10.0.0.17 on eni-1
         withdrawn 10.0.0.16/28
         released by b/x
         restarted
         added 10.0.0.16/28; moved 10.0.0.16/28
         10.0.0.16 of a/x on eni-2, claim 1
         16 attached, 15 free, 1 used, 0 cooling, 0 promised, 0 withdrawn
         10.0.0.17 on eni-2
         withdrawn 10.0.0.16/28
         released by a/x
         released by c/x
         added 10.0.0.16/28
         10.0.0.16/28 on eni-1 16/0/0/0",
    );
}

#[test]
fn an_allocation_of_a_withdrawn_cidr_still_expires() {
    check(
        "sync 10.0.0.16/28@eni-1
         allocate ipv4 a/x claim
         sync
         at 600s expire
         cidrs
         deadline",
        "added 10.0.0.16/28
         10.0.0.16 on eni-1, claim 1
         withdrawn 10.0.0.16/28
         10.0.0.16 of a/x, claim 1
         nothing
         none",
    );
}

#[test]
fn a_cidr_that_moved_to_another_interface_is_followed() {
    check(
        "sync 10.0.0.16/28@eni-1 10.0.0.32/28@eni-1
         allocate ipv4 a/x
         sync 10.0.0.16/28@eni-2 10.0.0.32/28@eni-1
         allocate ipv4 b/x
         used",
        "added 10.0.0.16/28 10.0.0.32/28
         10.0.0.16 on eni-1
         moved 10.0.0.16/28
         10.0.0.17 on eni-2
         10.0.0.16 of a/x on eni-2; 10.0.0.17 of b/x on eni-2",
    );
}

#[test]
fn cooling_and_waiting_addresses_keep_their_turn_when_the_listing_changes() {
    check(
        "sync 10.0.0.4/30@eni-1
         fill ipv4 3
         allocate ipv4 a/x claim
         at 1s release 10.0.0.6
         at 2s release 10.0.0.4
         at 3s release 10.0.0.5
         sync 10.0.0.0/30@eni-1 10.0.0.4/30@eni-1
         fill ipv4 4
         allocate ipv4 b/x
         allocate ipv4 c/x
         deadline
         at 600s expire",
        "added 10.0.0.4/30
         10.0.0.6 on eni-1
         10.0.0.7 on eni-1, claim 1
         released by fill/2
         released by fill/0
         released by fill/1
         added 10.0.0.0/30
         10.0.0.3 on eni-1
         10.0.0.6 on eni-1, cut short
         10.0.0.4 on eni-1, cut short
         33000 ms
         10.0.0.7 of a/x, claim 1",
    );
}

#[test]
fn one_bad_entry_never_hides_the_others() {
    check(
        "sync 10.0.0.17/28@eni-1 10.0.0.0/15@eni-1 10.0.0.32/28@eni-1 10.0.0.33/32@eni-2 \
              10.0.0.32/28@eni-2 10.0.0.32/28@eni-1 2001:db8::/63@eni-1 2001:db8::/64@eni-1 10.1.0.0/16@eni-1
         cidrs
         sync 10.0.0.33/32@eni-2",
        "added 10.0.0.32/28 10.1.0.0/16 2001:db8::/64; \
         refused (too_large: 10.0.0.0/15 on eni-1 is too large: expected /16 or longer) \
         (host_bits: 10.0.0.17/28 on eni-1 has host bits set: expected 10.0.0.16/28) \
         (overlap: 10.0.0.32/28 on eni-2 overlaps 10.0.0.32/28 on eni-1) \
         (overlap: 10.0.0.33/32 on eni-2 overlaps 10.0.0.32/28 on eni-1) \
         (too_large: 2001:db8::/63 on eni-1 is too large: expected /64 or longer)
         10.0.0.32/28 on eni-1 16/0/0/0; 10.1.0.0/16 on eni-1 4096/0/0/0; 2001:db8::/64 on eni-1 4096/0/0/0
         added 10.0.0.33/32; removed 10.0.0.32/28 10.1.0.0/16 2001:db8::/64",
    );
}

#[test]
fn of_a_large_cidr_the_first_4096_addresses_are_handed_out() {
    check(
        "sync 2001:db8::/80@eni-1
         fill ipv6 4096
         allocate ipv6 a/x
         exact 2001:db8::1000 a/x
         release 2001:db8::1000
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
fn a_prefix_listed_as_single_addresses_keeps_what_they_are() {
    check(
        "sync 10.0.0.16/28@eni-1
         exact 10.0.0.17 a/stays
         exact 10.0.0.18 b/uncovered
         exact 10.0.0.19 router
         exact 10.0.0.20 c/cools
         release 10.0.0.20
         exact 10.0.0.23 d/forgotten
         release 10.0.0.23
         promise 10.0.0.21
         sync 10.0.0.17/32@eni-1 10.0.0.19/32@eni-2 10.0.0.20/32@eni-1 10.0.0.21/32@eni-1 10.0.0.22/32@eni-1
         cidrs
         allocate ipv4 router
         sync 10.0.0.16/28@eni-1
         cidrs
         used",
        "added 10.0.0.16/28
         10.0.0.17 on eni-1
         10.0.0.18 on eni-1
         10.0.0.19 on eni-1
         10.0.0.20 on eni-1
         released by c/cools
         10.0.0.23 on eni-1
         released by d/forgotten
         promised
         added 10.0.0.17/32 10.0.0.19/32 10.0.0.20/32 10.0.0.21/32 10.0.0.22/32; removed 10.0.0.16/28; withdrawn 10.0.0.18/32
         10.0.0.17/32 on eni-1 0/1/0/0; 10.0.0.18/32 on eni-1 withdrawn 0/1/0/0; 10.0.0.19/32 on eni-2 0/1/0/0; \
         10.0.0.20/32 on eni-1 0/0/1/0; 10.0.0.21/32 on eni-1 0/0/0/1; 10.0.0.22/32 on eni-1 1/0/0/0
         holds_another: router holds 10.0.0.19 already
         added 10.0.0.16/28; removed 10.0.0.17/32 10.0.0.18/32 10.0.0.19/32 10.0.0.20/32 10.0.0.21/32 10.0.0.22/32
         10.0.0.16/28 on eni-1 11/3/1/1
         10.0.0.17 of a/stays on eni-1; 10.0.0.18 of b/uncovered on eni-1; 10.0.0.19 of router on eni-1",
    );
}

#[test]
fn a_used_address_behind_those_of_a_larger_cidr_is_kept() {
    check(
        "sync 10.0.100.5/32@eni-1
         allocate ipv4 a/x
         sync 10.0.0.0/16@eni-2
         release 10.0.100.5 a/x
         exact 10.0.100.5 a/x",
        "added 10.0.100.5/32
         10.0.100.5 on eni-1
         added 10.0.0.0/16; withdrawn 10.0.100.5/32
         released by a/x
         beyond: 10.0.100.5 is not among the first 4096 addresses of 10.0.0.0/16",
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
