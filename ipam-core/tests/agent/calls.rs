//! CNI's calls and those of `/v1/ipam`.

use crate::door::check;

#[test]
fn an_add_is_answered_the_same_again_and_a_del_gives_back_what_it_held() {
    check(
        "metadata eni-1#0=10.0.0.4*,10.0.0.5,10.0.0.6
         add c1 a/x
         add c1 a/x
         add c2 a/x
         check c1 10.0.0.5
         check c1 10.0.0.6
         check c3 10.0.0.5
         del c1
         del c1
         check c1 10.0.0.5
         restart
         add c2 a/x
         holdings",
        "listed +2 -0 withdrawn 0
         c1 10.0.0.5
         c1 10.0.0.5
         c2 10.0.0.6
         c1 done
         c1 not_held: 10.0.0.6 is not held by this interface: it holds [10.0.0.5]
         c3 not_held: 10.0.0.5 is not held by this interface: it holds []
         c1 done
         c1 done
         c1 not_held: 10.0.0.5 is not held by this interface: it holds []
         nothing
         c2 10.0.0.6
         10.0.0.6=a/x(net/c2/eth0)",
    );
}

#[test]
fn both_families_or_none() {
    check(
        "settings ipv6 wait=0s
         metadata eni-1#0=10.0.0.4*,10.0.0.5,10.0.0.6,fd00::1
         add c1 a/x
         add c2 a/y
         tally ipv4
         allocate ipv4,ipv6 router
         allocate ipv4 health
         allocate ipv6 ingress
         tally ipv4
         status
         del c1
         status
         allocate ipv4,ipv6 router",
        "nothing
         listed +3 -0 withdrawn 0
         c1 10.0.0.5 fd00::1
         c2 no_address: no free IPv6 address (1 attached, 0 free, 1 used, 0 cooling, 0 promised, 0 withdrawn)
         2 attached, 1 free, 1 used, 0 cooling, 0 promised, 0 withdrawn
         allocate no_address: no free IPv6 address (1 attached, 0 free, 1 used, 0 cooling, 0 promised, 0 withdrawn)
         allocate 10.0.0.6
         allocate no_address: no free IPv6 address (1 attached, 0 free, 1 used, 0 cooling, 0 promised, 0 withdrawn)
         2 attached, 0 free, 2 used, 0 cooling, 0 promised, 0 withdrawn
         status no_address: no free IPv4 address (2 attached, 0 free, 2 used, 0 cooling, 0 promised, 0 withdrawn)
         c1 done
         status done
         10.0.0.5 cut short; fd00::1 cut short; allocate 10.0.0.5 fd00::1",
    );
}

#[test]
fn a_disabled_family_is_refused() {
    check(
        "metadata eni-1#0=10.0.0.4*,10.0.0.5,fd00::1
         allocate ipv6 router
         exact fd00::1 router
         add c1 a/x",
        "listed +1 -0 withdrawn 0
         allocate family_disabled: IPv6 is not enabled on this node
         exact family_disabled: IPv6 is not enabled on this node
         c1 10.0.0.5",
    );
}

#[test]
fn the_next_sandbox_keeps_what_it_got_of_the_last_one() {
    check(
        "metadata eni-1#0=10.0.0.5
         add c1 a/x
         at 1s del c1
         at 2s add c2 a/x
         at 3s del c1
         at 4s gc net c2
         at 5s check c2 10.0.0.5
         holdings",
        "listed +1 -0 withdrawn 0
         c1 10.0.0.5
         c1 done
         10.0.0.5 cut short; c2 10.0.0.5
         c1 done
         gc done
         c2 done
         10.0.0.5=a/x(net/c2/eth0)",
    );
}

#[test]
fn gc_keeps_to_its_network_and_to_what_was_answered() {
    check(
        "metadata eni-1#0=10.0.0.5,10.0.0.6,10.0.0.7
         add c1 a/x
         add c2 a/y
         gc other
         gc net c2
         hold
         add c3 a/z
         gc net
         flush
         check c3 10.0.0.6
         gc net
         holdings",
        "listed +3 -0 withdrawn 0
         c1 10.0.0.5
         c2 10.0.0.6
         gc done
         collected net/c1/eth0; gc done
         nothing
         nothing
         collected net/c2/eth0
         c3 10.0.0.7; gc done
         c3 not_held: 10.0.0.6 is not held by this interface: it holds [10.0.0.7]
         collected net/c3/eth0; gc done
         nothing",
    );
}

#[test]
fn a_del_ends_an_add_that_waits_or_is_not_answered_yet() {
    check(
        "metadata eni-1#0=10.0.0.5
         hold
         add c1 a/x
         add c2 a/y
         del c2
         del c1
         flush
         holdings
         tally ipv4",
        "listed +1 -0 withdrawn 0
         nothing
         nothing
         nothing
         c2 deleted: a DEL for the same interface came first
         c1 deleted: a DEL for the same interface came first
         c2 done; c1 done
         nothing
         1 attached, 0 free, 0 used, 1 cooling, 0 promised, 0 withdrawn",
    );
}

#[test]
fn what_nobody_is_told_is_given_back() {
    check(
        "metadata eni-1#0=10.0.0.5,10.0.0.6
         hold
         add c1 a/x
         abandon c1
         allocate ipv4 b/x
         abandon allocate
         flush
         holdings
         add c1 a/x
         hold
         add c1 a/x
         abandon c1
         flush
         holdings",
        "listed +2 -0 withdrawn 0
         nothing
         nothing
         nothing
         nothing
         nothing
         nothing
         nothing
         10.0.0.5 cut short; c1 10.0.0.5
         nothing
         c1 10.0.0.5
         nothing
         nothing
         10.0.0.5=a/x(net/c1/eth0)",
    );
}

#[test]
fn a_repeated_add_keeps_what_the_first_one_leaves_behind() {
    check(
        "metadata eni-1#0=10.0.0.5
         hold
         add c1 a/x
         add c1 a/x
         abandon c1
         flush
         holdings
         restart
         hold
         del c1
         add c2 a/x
         abandon c2
         add c2 a/x
         flush
         holdings",
        "listed +1 -0 withdrawn 0
         nothing
         nothing
         nothing
         nothing
         c1 10.0.0.5
         10.0.0.5=a/x(net/c1/eth0)
         nothing
         nothing
         nothing
         10.0.0.5 cut short
         nothing
         10.0.0.5 cut short
         c1 done; c2 10.0.0.5
         10.0.0.5=a/x(net/c2/eth0)",
    );
}

#[test]
fn ciliums_calls() {
    check(
        "metadata eni-1#0=10.0.0.5,10.0.0.6
         allocate ipv4 router
         allocate ipv4 router
         exact 10.0.0.5 router
         exact 10.0.0.5 health
         exact 10.0.0.9 health
         allocate ipv4 b/x claim
         claim 10.0.0.6 1
         claim 10.0.0.6 2
         claim 10.0.0.6 2
         release 10.0.0.6
         release 10.0.0.6
         release 10.0.0.9
         add c1 a/x
         release 10.0.0.6
         allocate ipv4 ingress",
        "listed +2 -0 withdrawn 0
         allocate 10.0.0.5
         allocate holds_another: router holds 10.0.0.5 already
         exact 10.0.0.5
         exact in_use: 10.0.0.5 is used by router
         exact unknown: 10.0.0.9 is not an address of this node
         allocate 10.0.0.6 claim 2
         claim another_grant: 10.0.0.6 is used by grant 2, not by grant 1
         claim done
         claim no_claim_expected: 10.0.0.6 does not wait for a claim
         release done
         release not_used: 10.0.0.6 is not used by anybody
         release unknown: 10.0.0.9 is not an address of this node
         10.0.0.6 cut short; c1 10.0.0.6
         release held_by_attachment: 10.0.0.6 is held by net/c1/eth0: its DEL gives it back
         allocate no_address: no free IPv4 address (2 attached, 0 free, 2 used, 0 cooling, 0 promised, 0 withdrawn)",
    );
}

#[test]
fn what_is_not_claimed_is_given_back_to_who_waits() {
    check(
        "metadata eni-1#0=10.0.0.5
         allocate ipv4 b/x claim
         at 598s add c1 a/x
         deadline
         at 599999ms tick
         at 600s tick
         holdings
         restart
         claim 10.0.0.5 1",
        "listed +1 -0 withdrawn 0
         allocate 10.0.0.5 claim 1
         nothing
         600000 ms
         nothing
         10.0.0.5 of b/x expired; 10.0.0.5 cut short; c1 10.0.0.5
         10.0.0.5=a/x(net/c1/eth0)
         nothing
         claim another_grant: 10.0.0.5 is used by grant 2, not by grant 1",
    );
}
