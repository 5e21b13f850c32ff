//! Who finds no free address waits for one.

use crate::door::check;

#[test]
fn who_waits_is_served_in_order() {
    check(
        "metadata eni-1#0=10.0.0.5
         add c1 a/x
         at 1s add c2 a/y
         at 2s add c3 a/z
         at 3s add c4 a/w 1s
         deadline
         at 4s tick
         at 5s del c1
         at 6s metadata eni-1#0=10.0.0.5,10.0.0.6
         at 7s tick
         holdings",
        "listed +1 -0 withdrawn 0
         c1 10.0.0.5
         nothing
         nothing
         nothing
         4000 ms
         c4 no_address: no free IPv4 address within 1s (1 attached, 0 free, 1 used, 0 cooling, 0 promised, 0 withdrawn)
         10.0.0.5 cut short; c1 done; c2 10.0.0.5
         listed +1 -0 withdrawn 0; c3 10.0.0.6
         nothing
         10.0.0.5=a/y(net/c2/eth0) 10.0.0.6=a/z(net/c3/eth0)",
    );
}

#[test]
fn the_limit_ends_a_wait_with_a_reason() {
    check(
        "word eni-1#0=10.0.0.5 blocked=subnet-0a_has_no_free_address
         add c1 a/x
         add c2 a/y 60s
         status
         at 9999ms tick
         at 10s tick
         tally ipv4",
        "listed +1 -0 withdrawn 0
         c1 10.0.0.5; publish used [10.0.0.5=a/x@eni-1] releases []
         nothing
         status no_address: no free IPv4 address (1 attached, 0 free, 1 used, 0 cooling, 0 promised, 0 withdrawn); the operator says: subnet-0a_has_no_free_address
         nothing
         c2 no_address: no free IPv4 address within 10s (1 attached, 0 free, 1 used, 0 cooling, 0 promised, 0 withdrawn); the operator says: subnet-0a_has_no_free_address
         1 attached, 0 free, 1 used, 0 cooling, 0 promised, 0 withdrawn",
    );
}

#[test]
fn only_so_many_wait() {
    check(
        "settings waiting=2
         add c1 a/x
         add c2 a/y
         add c3 a/z
         abandon c1
         add c3 a/z
         metadata eni-1#0=10.0.0.5,10.0.0.6",
        "nothing
         nothing
         nothing
         c3 too_many_wait: 2 calls wait for an address already
         nothing
         nothing
         listed +2 -0 withdrawn 0; c2 10.0.0.5; c3 10.0.0.6",
    );
}

#[test]
fn one_interface_that_asks_twice_gets_one_address() {
    check(
        "add c1 a/x
         add c1 a/x
         add c2 a/y
         metadata eni-1#0=10.0.0.5
         holdings
         at 1s metadata eni-1#0=10.0.0.5,10.0.0.6",
        "nothing
         nothing
         nothing
         listed +1 -0 withdrawn 0; c1 10.0.0.5; c1 10.0.0.5
         10.0.0.5=a/x(net/c1/eth0)
         listed +1 -0 withdrawn 0; c2 10.0.0.6",
    );
}

#[test]
fn a_cooling_address_is_better_than_waiting() {
    check(
        "metadata eni-1#0=10.0.0.5
         add c1 a/x
         add c2 a/y
         del c1
         tally ipv4",
        "listed +1 -0 withdrawn 0
         c1 10.0.0.5
         nothing
         10.0.0.5 cut short; c1 done; c2 10.0.0.5
         1 attached, 0 free, 1 used, 0 cooling, 0 promised, 0 withdrawn",
    );
}

#[test]
fn demand_falls_when_somebody_stops_waiting() {
    check(
        "settings contract=cidr pre=1
         word
         written
         at 10s add c1 a/x
         written
         at 11s abandon c1
         at 12s tick
         written
         at 20s add c2 a/x
         written
         at 21s del c2
         at 22s tick",
        "nothing
         publish requested 1,0 allocated []
         nothing
         publish requested 2,0 allocated []
         nothing
         nothing
         publish requested 1,0 allocated []
         nothing
         publish requested 2,0 allocated []
         nothing
         c2 deleted: a DEL for the same interface came first; c2 done
         publish requested 1,0 allocated []",
    );
}

#[test]
fn a_promise_that_was_taken_back_serves_who_waits() {
    check(
        "word eni-1#0=10.0.0.5 marked=10.0.0.5
         add c1 a/x
         add c2 a/y
         written
         word eni-1#0=10.0.0.5 ready=10.0.0.5
         at 1s word eni-1#0=10.0.0.5
         at 10s tick",
        "listed +1 -0 withdrawn 0; promised 10.0.0.5/32; publish used [] releases [10.0.0.5:Ready]
         nothing
         nothing
         nothing
         nothing
         c1 10.0.0.5
         c2 no_address: no free IPv4 address within 10s (1 attached, 0 free, 1 used, 0 cooling, 0 promised, 0 withdrawn); publish used [10.0.0.5=a/x@eni-1] releases []",
    );
}
