//! The agent's ledger: what a listing of CIDRs does to it.

use crate::script::check;

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
         restart
         sync
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
         restarted
         removed 10.0.0.16/28
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
         release 10.0.0.18
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
         16 attached, 14 free, 1 used, 1 cooling, 0 promised, 0 withdrawn
         10.0.0.18 on eni-2
         withdrawn 10.0.0.16/28
         released by a/x
         released by c/x
         added 10.0.0.16/28
         10.0.0.16/28 on eni-1 13/0/3/0",
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
         10.0.0.7 on eni-1, claim 4
         released by fill/2
         released by fill/0
         released by fill/1
         added 10.0.0.0/30
         10.0.0.3 on eni-1
         10.0.0.6 on eni-1, cut short
         10.0.0.4 on eni-1, cut short
         33000 ms
         10.0.0.7 of a/x, claim 4",
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
fn a_prefix_listed_as_single_addresses_keeps_what_they_are() {
    check(
        "sync 10.0.0.16/28@eni-1
         exact 10.0.0.17 a/stays
         exact 10.0.0.18 b/uncovered
         exact 10.0.0.19 router
         exact 10.0.0.20 c/cools
         release 10.0.0.20
         exact 10.0.0.23 d/remembered
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
         released by d/remembered
         promised
         added 10.0.0.17/32 10.0.0.19/32 10.0.0.20/32 10.0.0.21/32 10.0.0.22/32; removed 10.0.0.16/28; withdrawn 10.0.0.18/32
         10.0.0.17/32 on eni-1 0/1/0/0; 10.0.0.18/32 on eni-1 withdrawn 0/1/0/0; 10.0.0.19/32 on eni-2 0/1/0/0; \
         10.0.0.20/32 on eni-1 0/0/1/0; 10.0.0.21/32 on eni-1 0/0/0/1; 10.0.0.22/32 on eni-1 1/0/0/0
         holds_another: router holds 10.0.0.19 already
         added 10.0.0.16/28; removed 10.0.0.17/32 10.0.0.18/32 10.0.0.19/32 10.0.0.20/32 10.0.0.21/32 10.0.0.22/32
         10.0.0.16/28 on eni-1 10/3/2/1
         10.0.0.17 of a/stays on eni-1; 10.0.0.18 of b/uncovered on eni-1; 10.0.0.19 of router on eni-1",
    );
}

#[test]
fn an_address_is_in_the_ledger_in_one_form_only() {
    check(
        "sync 10.0.0.0/32@eni-1 ::ffff:10.0.0.0/128@eni-1 ::/64@eni-1 ::1/128@eni-1 fe80::/64@eni-1 ff02::/64@eni-1 \
              0.0.0.0/32@eni-1 127.0.0.1/32@eni-1 169.254.1.0/28@eni-1 224.0.0.0/28@eni-1 255.255.0.0/16@eni-1
         exact ::ffff:10.0.0.0 a/x
         allocate ipv6 a/x
         who ::ffff:10.0.0.0
         claim ::ffff:10.0.0.0 1
         promise ::ffff:10.0.0.0
         withdraw-promise ::ffff:10.0.0.0
         release ::ffff:10.0.0.0 a/x",
        "added 10.0.0.0/32; \
         refused (not_unicast: 0.0.0.0/32 on eni-1 has unspecified addresses: expected unicast addresses of a network) \
         (not_unicast: 127.0.0.1/32 on eni-1 has loopback addresses: expected unicast addresses of a network) \
         (not_unicast: 169.254.1.0/28 on eni-1 has link-local addresses: expected unicast addresses of a network) \
         (not_unicast: 224.0.0.0/28 on eni-1 has multicast addresses: expected unicast addresses of a network) \
         (not_unicast: 255.255.0.0/16 on eni-1 has broadcast addresses: expected unicast addresses of a network) \
         (not_unicast: ::/64 on eni-1 has unspecified addresses: expected unicast addresses of a network) \
         (not_unicast: ::1/128 on eni-1 has loopback addresses: expected unicast addresses of a network) \
         (not_unicast: ::ffff:10.0.0.0/128 on eni-1 has IPv4-mapped addresses: expected unicast addresses of a network) \
         (not_unicast: fe80::/64 on eni-1 has link-local addresses: expected unicast addresses of a network) \
         (not_unicast: ff02::/64 on eni-1 has multicast addresses: expected unicast addresses of a network)
         10.0.0.0 on eni-1
         exhausted: no IPv6 address is free: 0 attached, 0 free, 0 used, 0 cooling, 0 promised, 0 withdrawn
         a/x by grant 1
         no_claim_expected: 10.0.0.0 does not wait for a claim
         in_use: 10.0.0.0 is used by a/x
         not_promised: 10.0.0.0 is not promised away
         released by a/x",
    );
}
