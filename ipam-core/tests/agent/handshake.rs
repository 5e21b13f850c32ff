//! The release handshake of the per-IP contract.

use crate::door::check;

#[test]
fn what_is_unused_is_promised_and_what_is_used_is_kept() {
    check(
        "word eni-1#0=10.0.0.5,10.0.0.6,10.0.0.7
         add c1 a/x
         written
         at 100s word eni-1#0=10.0.0.5,10.0.0.6,10.0.0.7 marked=10.0.0.5,10.0.0.6,10.0.0.9
         written
         cidrs
         word eni-1#0=10.0.0.5,10.0.0.6,10.0.0.7 refused=10.0.0.5,10.0.0.9 ready=10.0.0.6
         at 101s word eni-1#0=10.0.0.5,10.0.0.6,10.0.0.7 ready=10.0.0.6
         add c2 a/y
         add c3 a/z 0s
         exact 10.0.0.6 router
         at 130s word eni-1#0=10.0.0.5,10.0.0.7 released=10.0.0.6
         written
         at 131s word eni-1#0=10.0.0.5,10.0.0.7
         cidrs",
        "listed +3 -0 withdrawn 0
         c1 10.0.0.5; publish used [10.0.0.5=a/x@eni-1] releases []
         nothing
         kept 10.0.0.5; promised 10.0.0.6/32; publish used [10.0.0.5=a/x@eni-1] releases [10.0.0.5:Refused 10.0.0.6:Ready 10.0.0.9:Refused]
         nothing
         10.0.0.5/32:0/1/0/0 10.0.0.6/32:0/0/0/1 10.0.0.7/32:1/0/0/0
         nothing
         nothing
         c2 10.0.0.7
         c3 no_address: no free IPv4 address (3 attached, 0 free, 2 used, 0 cooling, 1 promised, 0 withdrawn)
         exact promised: 10.0.0.6 is promised away
         listed +0 -1 withdrawn 0; publish used [10.0.0.5=a/x@eni-1 10.0.0.7=a/y@eni-1] releases [10.0.0.6:gone]
         nothing
         nothing
         10.0.0.5/32:0/1/0/0 10.0.0.7/32:0/1/0/0",
    );
}

#[test]
fn a_promise_is_told_only_when_it_is_on_disk() {
    check(
        "word eni-1#0=10.0.0.5,10.0.0.6
         hold
         word eni-1#0=10.0.0.5,10.0.0.6 marked=10.0.0.6
         deadline
         flush
         written
         restart
         cidrs",
        "listed +2 -0 withdrawn 0
         nothing
         promised 10.0.0.6/32
         none
         publish used [] releases [10.0.0.6:Ready]
         nothing
         nothing
         10.0.0.5/32:1/0/0/0 10.0.0.6/32:0/0/0/1",
    );
}

#[test]
fn a_promise_that_cannot_be_written_is_not_told() {
    check(
        "word eni-1#0=10.0.0.5,10.0.0.6
         hold
         word eni-1#0=10.0.0.5,10.0.0.6 marked=10.0.0.6
         fail
         add c1 a/x
         fail
         written
         at 1s tick
         flush
         deadline
         at 2s tick",
        "listed +2 -0 withdrawn 0
         nothing
         promised 10.0.0.6/32
         nothing
         publish used [10.0.0.5=a/x@eni-1] releases []
         c1 not_durable: the ledger cannot be written to disk: no space left
         nothing
         publish used [] releases []
         nothing
         2000 ms
         nothing",
    );
}

#[test]
fn an_aborted_release_gives_the_address_back_to_the_pods() {
    check(
        "word eni-1#0=10.0.0.5 marked=10.0.0.5
         add c1 a/x
         written
         word eni-1#0=10.0.0.5 ready=10.0.0.5
         at 5s word eni-1#0=10.0.0.5
         cidrs",
        "listed +1 -0 withdrawn 0; promised 10.0.0.5/32; publish used [] releases [10.0.0.5:Ready]
         nothing
         nothing
         nothing
         c1 10.0.0.5; publish used [10.0.0.5=a/x@eni-1] releases []
         10.0.0.5/32:0/1/0/0",
    );
}

#[test]
fn an_abort_that_crosses_the_answer_keeps_the_promise_for_a_while() {
    check(
        "word eni-1#0=10.0.0.5 marked=10.0.0.5
         at 1s word eni-1#0=10.0.0.5
         cidrs
         written
         at 2s word eni-1#0=10.0.0.5
         deadline
         at 121s tick
         cidrs",
        "listed +1 -0 withdrawn 0; promised 10.0.0.5/32; publish used [] releases [10.0.0.5:Ready]
         nothing
         10.0.0.5/32:0/0/0/1
         nothing
         nothing
         121000 ms
         nothing
         10.0.0.5/32:1/0/0/0",
    );
}

/// Nobody knows whether an answer that failed was written. It would be taken for a new promise when the address is asked for again.
#[test]
fn an_abort_after_an_answer_that_was_lost_keeps_the_promise_for_a_while() {
    check(
        "word eni-1#0=10.0.0.5 marked=10.0.0.5
         failed
         at 500ms word eni-1#0=10.0.0.5
         cidrs
         at 121s tick
         cidrs",
        "listed +1 -0 withdrawn 0; promised 10.0.0.5/32; publish used [] releases [10.0.0.5:Ready]
         nothing
         nothing
         10.0.0.5/32:0/0/0/1
         nothing
         10.0.0.5/32:1/0/0/0",
    );
}

#[test]
fn a_refused_entry_ends_the_promise() {
    check(
        "word eni-1#0=10.0.0.5 marked=10.0.0.5
         written
         word eni-1#0=10.0.0.5 refused=10.0.0.5
         cidrs",
        "listed +1 -0 withdrawn 0; promised 10.0.0.5/32; publish used [] releases [10.0.0.5:Ready]
         nothing
         nothing
         10.0.0.5/32:1/0/0/0",
    );
}

#[test]
fn an_answer_that_is_overwritten_is_given_again_in_time() {
    check(
        "word eni-1#0=10.0.0.5 marked=10.0.0.5
         written
         at 1s word eni-1#0=10.0.0.5 marked=10.0.0.5
         deadline
         at 15s tick
         failed
         deadline
         at 17s tick",
        "listed +1 -0 withdrawn 0; promised 10.0.0.5/32; publish used [] releases [10.0.0.5:Ready]
         nothing
         nothing
         15000 ms
         publish used [] releases [10.0.0.5:Ready]
         nothing
         17000 ms
         publish used [] releases [10.0.0.5:Ready]",
    );
}

#[test]
fn a_ready_entry_of_a_used_address_is_taken_back() {
    check(
        "metadata eni-1#0=10.0.0.5
         add c1 a/x
         word eni-1#0=10.0.0.5 ready=10.0.0.5 used=10.0.0.5:a/x",
        "listed +1 -0 withdrawn 0
         c1 10.0.0.5
         kept 10.0.0.5; publish used [10.0.0.5=a/x@eni-1] releases [10.0.0.5:Refused]",
    );
}

#[test]
fn a_found_user_breaks_a_promise() {
    check(
        "word eni-1#0=10.0.0.5 marked=10.0.0.5
         written
         at 10s word eni-1#0=10.0.0.5 ready=10.0.0.5
         found 10.0.0.5=a/x
         holdings",
        "listed +1 -0 withdrawn 0; promised 10.0.0.5/32; publish used [] releases [10.0.0.5:Ready]
         nothing
         nothing
         adopted 10.0.0.5 of a/x; kept 10.0.0.5; publish used [10.0.0.5=a/x@eni-1] releases [10.0.0.5:Refused]
         10.0.0.5=a/x",
    );
}

#[test]
fn an_address_that_came_back_before_its_entry_was_removed_is_not_lost() {
    check(
        "word eni-1#0=10.0.0.5,10.0.0.6 marked=10.0.0.6
         written
         word eni-1#0=10.0.0.5,10.0.0.6 ready=10.0.0.6
         at 60s word eni-1#0=10.0.0.5,10.0.0.6 released=10.0.0.6
         at 61s word eni-1#0=10.0.0.5 released=10.0.0.6
         failed
         at 62s word eni-1#0=10.0.0.5,10.0.0.6 released=10.0.0.6
         at 63s tick
         written
         at 64s word eni-1#0=10.0.0.5,10.0.0.6
         cidrs
         deadline
         at 184s tick
         cidrs",
        "listed +2 -0 withdrawn 0; promised 10.0.0.6/32; publish used [] releases [10.0.0.6:Ready]
         nothing
         nothing
         nothing
         listed +0 -1 withdrawn 0; publish used [] releases [10.0.0.6:gone]
         nothing
         listed +1 -0 withdrawn 0
         publish used [] releases [10.0.0.6:gone]
         nothing
         nothing
         10.0.0.5/32:1/0/0/0 10.0.0.6/32:0/0/0/1
         184000 ms
         nothing
         10.0.0.5/32:1/0/0/0 10.0.0.6/32:1/0/0/0",
    );
}

#[test]
fn an_entry_that_stays_released_while_the_interface_has_the_address_ends() {
    check(
        "word eni-1#0=10.0.0.5 released=10.0.0.5
         cidrs
         at 100s word eni-1#0=10.0.0.5 released=10.0.0.5
         deadline
         at 300s tick
         written
         word eni-1#0=10.0.0.5
         at 421s tick
         cidrs",
        "listed +1 -0 withdrawn 0; promised 10.0.0.5/32
         10.0.0.5/32:0/0/0/1
         nothing
         300000 ms
         publish used [] releases [10.0.0.5:gone]
         nothing
         nothing
         nothing
         10.0.0.5/32:1/0/0/0",
    );
}

#[test]
fn a_promise_made_before_it_was_known_who_uses_what_is_broken() {
    check(
        "start untrusted
         word eni-1#0=10.0.0.5,10.0.0.6 marked=10.0.0.5,10.0.0.6
         cidrs
         found 10.0.0.6=a/x",
        "nothing
         listed +2 -0 withdrawn 0; promised 10.0.0.5/32; promised 10.0.0.6/32
         10.0.0.5/32:0/0/0/1 10.0.0.6/32:0/0/0/1
         adopted 10.0.0.6 of a/x; kept 10.0.0.6; publish used [10.0.0.6=a/x@eni-1] releases [10.0.0.5:Ready 10.0.0.6:Refused]",
    );
}

#[test]
fn the_whole_of_a_release_leaves_nothing_behind() {
    check(
        "word eni-1#0=10.0.0.5,10.0.0.6
         at 10s word eni-1#0=10.0.0.5,10.0.0.6 marked=10.0.0.6
         written
         at 11s word eni-1#0=10.0.0.5,10.0.0.6 ready=10.0.0.6
         at 70s word eni-1#0=10.0.0.5,10.0.0.6 released=10.0.0.6
         at 71s word eni-1#0=10.0.0.5 released=10.0.0.6
         written
         at 72s word eni-1#0=10.0.0.5
         deadline
         at 300s word eni-1#0=10.0.0.5,10.0.0.6
         cidrs",
        "listed +2 -0 withdrawn 0
         promised 10.0.0.6/32; publish used [] releases [10.0.0.6:Ready]
         nothing
         nothing
         nothing
         listed +0 -1 withdrawn 0; publish used [] releases [10.0.0.6:gone]
         nothing
         nothing
         none
         listed +1 -0 withdrawn 0
         10.0.0.5/32:1/0/0/0 10.0.0.6/32:1/0/0/0",
    );
}
