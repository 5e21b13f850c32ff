//! Interfaces that carry pods only when the host's network is ready for them.

use crate::door::check;

#[test]
fn only_what_the_host_is_ready_for_is_handed_out() {
    check(
        "settings host wait=0s
         metadata eni-1#0=10.0.0.4*,10.0.0.5 eni-2#1=10.0.2.4*,10.0.2.5
         cidrs
         host
         cidrs
         add c1 a/x
         add c2 a/y
         host eni-2=no-device
         add c2 a/y
         at 1s host eni-2
         add c2 a/y
         enis",
        "nothing
         nothing
         nothing
         listed +1 -0 withdrawn 0
         10.0.0.5/32:1/0/0/0
         c1 10.0.0.5
         c2 no_address: no free IPv4 address (1 attached, 0 free, 1 used, 0 cooling, 0 promised, 0 withdrawn)
         eni-2: no-device
         c2 no_address: no free IPv4 address (1 attached, 0 free, 1 used, 0 cooling, 0 promised, 0 withdrawn); eni-2 carries no pods: no-device
         eni-2 ready; listed +1 -0 withdrawn 0
         c2 10.0.2.5 on eni-2
         eni-1#0=10.0.0.4 eni-2#1=10.0.2.4",
    );
}

#[test]
fn who_waits_is_served_when_the_device_comes() {
    check(
        "settings host
         host
         word eni-2#1=10.0.2.5
         add c1 a/x
         at 2s host eni-2",
        "nothing
         nothing
         nothing
         nothing
         eni-2 ready; listed +1 -0 withdrawn 0; c1 10.0.2.5 on eni-2; publish used [10.0.2.5=a/x@eni-2] releases []",
    );
}

#[test]
fn what_is_used_stays_when_the_device_goes() {
    check(
        "settings host
         host eni-2
         word eni-2#1=10.0.2.5,10.0.2.6
         add c1 a/x
         host eni-2=gone
         cidrs
         enis
         restart
         cidrs
         host eni-2
         cidrs
         word eni-2#1=10.0.2.5,10.0.2.6
         cidrs",
        "nothing
         eni-2 ready
         listed +2 -0 withdrawn 0
         c1 10.0.2.5 on eni-2; publish used [10.0.2.5=a/x@eni-2] releases []
         eni-2: gone; listed +0 -1 withdrawn 1
         -10.0.2.5/32:0/1/0/0
         eni-2#1!(gone)
         nothing
         -10.0.2.5/32:0/1/0/0
         eni-2 ready
         -10.0.2.5/32:0/1/0/0
         listed +2 -0 withdrawn 0; publish used [10.0.2.5=a/x@eni-2] releases []
         10.0.2.5/32:0/1/0/0 10.0.2.6/32:1/0/0/0",
    );
}

#[test]
fn a_restart_goes_on_with_what_was_listed() {
    check(
        "settings host
         host eni-2
         word eni-2#1=10.0.2.5,10.0.2.6
         restart
         word eni-2#1=10.0.2.5,10.0.2.6
         cidrs
         add c1 a/x
         host eni-2
         cidrs",
        "nothing
         eni-2 ready
         listed +2 -0 withdrawn 0
         nothing
         nothing
         10.0.2.5/32:1/0/0/0 10.0.2.6/32:1/0/0/0
         c1 10.0.2.5 on eni-2; publish used [10.0.2.5=a/x@eni-2] releases []
         eni-2 ready
         10.0.2.5/32:0/1/0/0 10.0.2.6/32:1/0/0/0",
    );
}

#[test]
fn the_interfaces_that_carry_pods() {
    check(
        "settings host first=1
         metadata eni-1#0=10.0.0.4* eni-2#1=10.0.2.4*,10.0.2.5 eni-3#2@1=10.0.3.4*
         enis
         word eni-4#2=10.0.4.5
         enis
         settings host primary first=0
         metadata eni-1#0=10.0.0.4*
         enis",
        "nothing
         nothing
         eni-1#0=10.0.0.4 eni-2#1=10.0.2.4!
         nothing
         eni-1#0=10.0.0.4 eni-4#2!
         nothing
         nothing
         eni-1#0",
    );
}

#[test]
fn a_problem_that_keeps_no_pod_away_is_told_as_one() {
    check(
        "settings host
         metadata eni-1#0=10.0.0.4* eni-2#1=10.0.2.4*,10.0.2.5
         host eni-2 eni-1=undone eni-2=undone
         enis
         add c1 a/x
         host eni-2=gone
         enis",
        "nothing
         nothing
         eni-2 ready; eni-1 carries on: undone; eni-2 carries on: undone; listed +1 -0 withdrawn 0
         eni-1#0=10.0.0.4(undone) eni-2#1=10.0.2.4(undone)
         c1 10.0.2.5 on eni-2
         eni-2: gone; listed +0 -0 withdrawn 1
         eni-1#0=10.0.0.4 eni-2#1=10.0.2.4!(gone)",
    );
}
