//! What an agent knows after a restart.

use crate::door::check;

#[test]
fn without_its_records_it_waits_to_be_told_what_is_used() {
    check(
        "start untrusted
         metadata eni-1#0=10.0.0.5,10.0.0.6
         ready
         allocate ipv4 router
         exact 10.0.0.5 router
         status
         add c1 a/x 1s
         add c2 a/y
         word eni-1#0=10.0.0.5,10.0.0.6
         at 1s tick
         at 2s found 10.0.0.5=b/z
         ready
         holdings",
        "nothing
         listed +2 -0 withdrawn 0
         missing: the list of addresses in use
         allocate not_ready: not ready: waiting for the list of addresses in use
         exact not_ready: not ready: waiting for the list of addresses in use
         status not_ready: not ready: waiting for the list of addresses in use
         nothing
         nothing
         nothing
         c1 not_ready: not ready: waiting for the list of addresses in use
         adopted 10.0.0.5 of b/z; c2 10.0.0.6; publish used [10.0.0.5=b/z@eni-1 10.0.0.6=a/y@eni-1] releases []
         ready
         10.0.0.5=b/z 10.0.0.6=a/y(net/c2/eth0)",
    );
}

#[test]
fn the_same_boot_is_the_same_instance() {
    check(
        "metadata eni-1#0=10.0.0.5,10.0.0.6
         add c1 a/x
         restart instance=?
         add c1 a/x
         add c2 a/y
         restart
         word instance=i-2 eni-1#0=10.0.0.9
         cidrs",
        "listed +2 -0 withdrawn 0
         c1 10.0.0.5
         nothing
         c1 10.0.0.5
         c2 10.0.0.6
         nothing
         the word is of i-2
         10.0.0.5/32:0/1/0/0 10.0.0.6/32:0/1/0/0",
    );
}

#[test]
fn another_boot_ends_all_sandboxes() {
    check(
        "metadata eni-1#0=10.0.0.5,10.0.0.6,10.0.0.7
         add c1 a/x
         allocate ipv4 router
         found 10.0.0.7
         at 1s restart boot=second
         cidrs
         holdings
         restart boot=third instance=?
         add c2 a/y
         ready
         instance i-1
         ready
         at 2s restart boot=third
         holdings",
        "listed +3 -0 withdrawn 0
         c1 10.0.0.5
         allocate 10.0.0.6
         adopted 10.0.0.7 of unknown
         clean because of another boot, 1 attachments
         10.0.0.5/32:0/0/1/0 10.0.0.6/32:0/1/0/0 10.0.0.7/32:0/0/1/0
         10.0.0.6=router
         clean because of another boot, 0 attachments
         nothing
         missing: the id of the instance
         10.0.0.5 cut short; c2 10.0.0.5
         ready
         nothing
         10.0.0.5=a/y(net/c2/eth0) 10.0.0.6=router",
    );
}

#[test]
fn another_instance_begins_with_nothing() {
    check(
        "metadata eni-1#0=10.0.0.5,10.0.0.6
         add c1 a/x
         restart instance=i-2 boot=second
         cidrs
         metadata eni-2#0=10.0.9.5
         add c1 a/x
         restart instance=? boot=third
         add c2 a/y
         word instance=i-3 eni-3#0=10.0.8.5
         instance i-3
         cidrs",
        "listed +2 -0 withdrawn 0
         c1 10.0.0.5
         clean because of another instance, 1 attachments
         nothing
         listed +1 -0 withdrawn 0
         c1 10.0.9.5 on eni-2
         clean because of another boot, 1 attachments
         nothing
         nothing
         clean because of another instance, 0 attachments; listed +1 -0 withdrawn 0; c2 10.0.8.5 on eni-3; publish used [10.0.8.5=a/y@eni-3] releases []
         10.0.8.5/32:0/1/0/0",
    );
}

#[test]
fn a_promise_outlives_a_restart() {
    check(
        "word eni-1#0=10.0.0.5,10.0.0.6 marked=10.0.0.6
         at 1s restart boot=second
         cidrs
         metadata eni-1#0=10.0.0.5,10.0.0.6
         cidrs
         word eni-1#0=10.0.0.5,10.0.0.6 ready=10.0.0.6
         at 200s word eni-1#0=10.0.0.5,10.0.0.6 ready=10.0.0.6
         cidrs",
        "listed +2 -0 withdrawn 0; promised 10.0.0.6/32; publish used [] releases [10.0.0.6:Ready]
         clean because of another boot, 0 attachments
         10.0.0.5/32:1/0/0/0 10.0.0.6/32:0/0/0/1
         nothing
         10.0.0.5/32:1/0/0/0 10.0.0.6/32:0/0/0/1
         nothing
         nothing
         10.0.0.5/32:1/0/0/0 10.0.0.6/32:0/0/0/1",
    );
}

#[test]
fn settings_may_change() {
    check(
        "settings ipv6
         metadata eni-1#0=10.0.0.5,fd00::5
         add c1 a/x
         set contract=cidr ipv6=false
         restart
         holdings",
        "nothing
         listed +2 -0 withdrawn 0
         c1 10.0.0.5 fd00::5
         nothing
         nothing
         10.0.0.5=a/x(net/c1/eth0) fd00::5=a/x(net/c1/eth0)",
    );
}

#[test]
fn it_goes_on_with_the_word_that_it_heard_before() {
    check(
        "word eni-1#0=10.0.0.5,10.0.0.6
         restart
         metadata eni-1#0=10.0.0.4*,10.0.0.5,10.0.0.6,10.0.0.7
         cidrs
         add c1 a/x",
        "listed +2 -0 withdrawn 0
         nothing
         nothing
         10.0.0.5/32:1/0/0/0 10.0.0.6/32:1/0/0/0
         c1 10.0.0.5",
    );
}
