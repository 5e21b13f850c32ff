//! What may be handed out: by the metadata, and by the operator's word.

use crate::door::check;

#[test]
fn the_metadata_is_enough_to_begin() {
    check(
        "metadata eni-1#0=10.0.0.4*,10.0.0.5,10.0.1.0/28 eni-2#1=10.0.2.4*,10.0.2.5 eni-3#1@1=10.0.3.4*,10.0.3.5
         cidrs
         add c1 a/x
         ready
         settings first=1 primary ipv6
         metadata eni-1#0=10.0.0.4*,10.0.0.5 eni-2#1=10.0.2.4*,10.0.2.5,fd00:1::/80
         cidrs
         settings fast=false
         metadata eni-1#1=10.0.0.4*,10.0.0.5
         cidrs
         ready",
        "listed +3 -0 withdrawn 0
         10.0.0.5/32:1/0/0/0 10.0.1.0/28:16/0/0/0 10.0.2.5/32:1/0/0/0
         c1 10.0.0.5
         ready
         nothing
         listed +3 -0 withdrawn 0
         10.0.2.4/32:1/0/0/0 10.0.2.5/32:1/0/0/0 fd00:1::/80:4096/0/0/0
         nothing
         nothing
         nothing
         missing: a free address",
    );
}

#[test]
fn own_addresses_are_never_handed_out() {
    check(
        "settings own=10.0.1.3,10.0.0.5,fd00::5 ipv6 primary
         metadata eni-1#0=10.0.0.4*,10.0.0.5,10.0.1.0/30,fd00::4,fd00::5
         cidrs
         word eni-1#0=10.0.0.5,10.0.0.6,10.0.1.0/30
         cidrs
         found 10.0.0.5",
        "nothing
         listed +4 -0 withdrawn 0
         10.0.0.4/32:1/0/0/0 10.0.1.0/31:2/0/0/0 10.0.1.2/32:1/0/0/0 fd00::4/128:1/0/0/0
         listed +1 -2 withdrawn 0
         10.0.0.6/32:1/0/0/0 10.0.1.0/31:2/0/0/0 10.0.1.2/32:1/0/0/0
         nothing",
    );
}

/// An operator takes the last address out of the pool, and the pool with it.
#[test]
fn without_a_pool_what_is_on_no_interface_is_not_handed_out() {
    check(
        "word eni-1#0=10.0.0.5,10.0.0.6
         at 1s word pool=none eni-1#0=10.0.0.6
         cidrs
         at 2s word pool=none
         cidrs",
        "listed +2 -0 withdrawn 0
         listed +0 -1 withdrawn 0
         10.0.0.6/32:1/0/0/0
         nothing
         10.0.0.6/32:1/0/0/0",
    );
}

#[test]
fn the_word_wins_and_a_used_address_stays() {
    check(
        "metadata eni-1#0=10.0.0.4*,10.0.0.5,10.0.0.6
         exact 10.0.0.6 a/x
         add c1 a/y
         del c1
         at 1s word eni-1#0=10.0.0.5,10.0.0.7
         cidrs
         metadata eni-1#0=10.0.0.4*,10.0.0.9
         cidrs
         exact 10.0.0.6 router
         release 10.0.0.6
         cidrs",
        "listed +2 -0 withdrawn 0
         exact 10.0.0.6
         c1 10.0.0.5
         c1 done
         listed +1 -0 withdrawn 1; publish used [10.0.0.6=a/x@eni-1] releases []
         10.0.0.5/32:0/0/1/0 -10.0.0.6/32:0/1/0/0 10.0.0.7/32:1/0/0/0
         nothing
         10.0.0.5/32:0/0/1/0 -10.0.0.6/32:0/1/0/0 10.0.0.7/32:1/0/0/0
         exact in_use: 10.0.0.6 is used by a/x
         release done
         10.0.0.5/32:0/0/1/0 10.0.0.7/32:1/0/0/0",
    );
}

#[test]
fn a_word_that_says_nothing_is_none() {
    check(
        "metadata eni-1#0=10.0.0.4*,10.0.0.5
         word
         cidrs
         word instance=i-9 eni-1#0=10.0.0.6
         word eni-1#0=10.0.0.6
         word
         cidrs",
        "listed +1 -0 withdrawn 0
         nothing
         10.0.0.5/32:1/0/0/0
         the word is of i-9
         listed +1 -1 withdrawn 0
         nothing
         10.0.0.6/32:1/0/0/0",
    );
}

#[test]
fn the_pool_decides_in_the_per_ip_contract() {
    check(
        "word eni-1#0=10.0.0.5,10.0.0.6,10.0.1.0/30 eni-2#1=10.0.2.0/30 pool=10.0.0.5@eni-1,10.0.1.0@eni-1,10.0.2.0@eni-2,10.0.2.1@eni-2,10.0.2.2@eni-2,10.0.2.3@eni-2
         cidrs
         word eni-1#0=10.0.0.5 pool=
         cidrs",
        "listed +3 -0 withdrawn 0
         10.0.0.5/32:1/0/0/0 10.0.1.0/32:1/0/0/0 10.0.2.0/30:4/0/0/0
         listed +0 -3 withdrawn 0
         nothing",
    );
}

#[test]
fn a_word_that_contradicts_itself_is_not_followed() {
    check(
        "metadata eni-1#0=10.0.0.4*,10.0.0.5
         word eni-1#0=10.0.0.6 pool=10.0.0.6@eni-1,10.0.0.7@eni-1
         cidrs
         problems
         word eni-1#0=10.0.0.6
         cidrs
         word eni-1#0=10.0.0.6 pool=10.0.0.6@eni-2
         word eni-1#0=10.0.0.6 pool=10.0.0.6@eni-2 blocked=x
         cidrs
         word eni-1#0=10.0.0.6
         problems",
        "listed +1 -0 withdrawn 0
         inconsistent: the pool has 10.0.0.7 on eni-1, which has no such address
         10.0.0.5/32:1/0/0/0
         the pool has 10.0.0.7 on eni-1, which has no such address
         listed +1 -1 withdrawn 0
         10.0.0.6/32:1/0/0/0
         inconsistent: the pool has 10.0.0.6 on eni-2, which has no such address
         nothing
         10.0.0.6/32:1/0/0/0
         nothing
         none",
    );
}

#[test]
fn the_interfaces_decide_in_the_cidr_contract() {
    check(
        "settings contract=cidr ipv6 pre=0
         word eni-1#0=10.0.0.5,10.0.1.3,10.0.1.0/28,fd00:1::/80 pool=none allocated=10.0.0.5/32,10.0.1.0/28,fd00:1::/80
         cidrs",
        "nothing
         listed +3 -0 withdrawn 0; promised 10.0.1.0/28; promised 10.0.0.5/32; promised fd00:1::/80; publish requested 0,0 allocated []
         10.0.0.5/32:0/0/0/1 10.0.1.0/28:0/0/0/16 fd00:1::/80:0/0/0/4096",
    );
}

#[test]
fn what_cannot_be_used_hides_nothing_else() {
    check(
        "metadata eni-1#0=10.0.0.5,127.0.0.1
         problems
         metadata eni-1#0=10.0.0.5,127.0.0.1
         add c1 a/x",
        "invalid: 127.0.0.1/32 on eni-1 has loopback addresses: expected unicast addresses of a network; listed +1 -0 withdrawn 0
         127.0.0.1/32 on eni-1 has loopback addresses: expected unicast addresses of a network
         nothing
         c1 10.0.0.5",
    );
}

#[test]
fn addresses_found_in_use_are_taken() {
    check(
        "metadata eni-1#0=10.0.0.5,10.0.0.6,10.0.0.7
         add c1 a/x
         found 10.0.0.5=a/old 10.0.0.6=b/y 10.0.0.7 10.0.0.8
         holdings
         add c2 a/z 0s
         restart
         at 1s found 10.0.0.5=a/old 10.0.0.7
         holdings
         at 2s metadata eni-1#0=10.0.0.5,10.0.0.7,10.0.0.6
         at 3s found 10.0.0.8
         at 4s metadata eni-1#0=10.0.0.5,10.0.0.7,10.0.0.8
         holdings",
        "listed +3 -0 withdrawn 0
         c1 10.0.0.5
         adopted 10.0.0.6 of b/y; adopted 10.0.0.7 of unknown
         10.0.0.5=a/x(net/c1/eth0) 10.0.0.6=b/y 10.0.0.7=unknown
         c2 no_address: no free IPv4 address (3 attached, 0 free, 3 used, 0 cooling, 0 promised, 0 withdrawn)
         nothing
         nothing
         10.0.0.5=a/x(net/c1/eth0) 10.0.0.7=unknown
         nothing
         nothing
         listed +1 -1 withdrawn 0; adopted 10.0.0.8 of unknown
         10.0.0.5=a/x(net/c1/eth0) 10.0.0.8=unknown",
    );
}

#[test]
fn interfaces_without_a_pool_say_nothing_in_the_per_ip_contract() {
    check(
        "metadata eni-1#0=10.0.0.4*,10.0.0.5
         word eni-1#0=10.0.0.5,10.0.0.6 pool=none
         cidrs
         word eni-1#0=10.0.0.5,10.0.0.6
         word eni-1#0=10.0.0.5,10.0.0.6 pool=none
         cidrs",
        "listed +1 -0 withdrawn 0
         nothing
         10.0.0.5/32:1/0/0/0
         listed +1 -0 withdrawn 0
         nothing
         10.0.0.5/32:1/0/0/0 10.0.0.6/32:1/0/0/0",
    );
}

#[test]
fn an_address_on_another_interface_moves_with_its_lease() {
    check(
        "word eni-1#0=10.0.0.5
         add c1 a/x
         written
         word eni-1#0= eni-2#1=10.0.0.5
         at 1s tick
         add c1 a/x",
        "listed +1 -0 withdrawn 0
         c1 10.0.0.5; publish used [10.0.0.5=a/x@eni-1] releases []
         nothing
         listed +0 -0 withdrawn 0
         publish used [10.0.0.5=a/x@eni-2] releases []
         c1 10.0.0.5 on eni-2",
    );
}

#[test]
fn readiness_is_an_address_or_a_reason() {
    check(
        "ready
         word
         ready
         word blocked=no_free_address
         ready
         word eni-1#0=10.0.0.5
         ready
         add c1 a/x
         ready
         settings ipv6
         metadata eni-1#0=10.0.0.5
         ready",
        "missing: a free address
         nothing
         missing: a free address
         nothing
         ready
         listed +1 -0 withdrawn 0
         ready
         c1 10.0.0.5; publish used [10.0.0.5=a/x@eni-1] releases []
         ready
         nothing
         listed +1 -0 withdrawn 0
         missing: a free address",
    );
}
