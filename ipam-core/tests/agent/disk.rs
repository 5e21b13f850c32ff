//! Answers leave when what they rest on is on disk; and what becomes of them when it never is.

use crate::door::check;

#[test]
fn an_answer_waits_for_its_record_and_no_longer() {
    check(
        "metadata eni-1#0=10.0.0.5,10.0.0.6
         add c1 a/x
         hold
         add c2 a/y
         add c1 a/x
         status
         check c1 10.0.0.5
         del c9
         flush",
        "listed +2 -0 withdrawn 0
         c1 10.0.0.5
         nothing
         nothing
         c1 10.0.0.5
         status no_address: no free IPv4 address (2 attached, 0 free, 2 used, 0 cooling, 0 promised, 0 withdrawn)
         c1 done
         nothing
         c2 10.0.0.6; c9 done",
    );
}

#[test]
fn no_add_could_be_served_while_the_disk_fails() {
    check(
        "metadata eni-1#0=10.0.0.5,10.0.0.6
         status
         hold
         add c1 a/x
         fail
         status
         add c1 a/x
         flush
         status",
        "listed +2 -0 withdrawn 0
         status done
         nothing
         nothing
         c1 not_durable: the ledger cannot be written to disk: no space left
         status not_durable: the ledger cannot be written to disk: no space left
         nothing
         c1 10.0.0.6
         status done",
    );
}

#[test]
fn what_cannot_be_written_is_taken_back_and_what_is_given_back_is() {
    check(
        "metadata eni-1#0=10.0.0.5,10.0.0.6,10.0.0.7
         add c1 a/x
         hold
         del c1
         add c2 a/y
         add c2 a/y
         allocate ipv4 router
         fail
         holdings
         problems
         deadline
         add c3 a/z
         flush
         problems
         deadline
         restart
         holdings",
        "listed +3 -0 withdrawn 0
         c1 10.0.0.5
         nothing
         nothing
         nothing
         nothing
         nothing
         c1 done; c2 not_durable: the ledger cannot be written to disk: no space left; c2 not_durable: the ledger cannot be written to disk: no space left; allocate not_durable: the ledger cannot be written to disk: no space left
         nothing
         no space left
         1000 ms
         10.0.0.5 cut short
         c3 10.0.0.5
         none
         30000 ms
         nothing
         10.0.0.5=a/z(net/c3/eth0)",
    );
}

#[test]
fn the_state_is_tried_again_though_nothing_changes() {
    check(
        "metadata eni-1#0=10.0.0.5
         add c1 a/x
         hold
         del c1
         fail
         deadline
         at 1s tick
         fail
         deadline
         at 3s tick
         flush
         deadline
         restart
         holdings",
        "listed +1 -0 withdrawn 0
         c1 10.0.0.5
         nothing
         nothing
         c1 done
         1000 ms
         nothing
         nothing
         3000 ms
         nothing
         nothing
         30000 ms
         nothing
         nothing",
    );
}

#[test]
fn a_claim_that_cannot_be_written_is_refused_and_can_be_repeated() {
    check(
        "metadata eni-1#0=10.0.0.5
         allocate ipv4 b/x claim
         hold
         claim 10.0.0.5 1
         fail
         flush
         at 1s tick
         restart
         at 700s tick
         holdings",
        "listed +1 -0 withdrawn 0
         allocate 10.0.0.5 claim 1
         nothing
         nothing
         claim not_durable: the ledger cannot be written to disk: no space left
         nothing
         nothing
         nothing
         nothing
         10.0.0.5=b/x",
    );
}

#[test]
fn a_full_disk_costs_those_who_wait_one_refusal_each() {
    check(
        "metadata eni-1#0=10.0.0.5
         hold
         add c1 a/x
         add c2 a/y
         fail
         fail
         holdings
         at 20s tick
         flush
         add c3 a/z",
        "listed +1 -0 withdrawn 0
         nothing
         nothing
         nothing
         10.0.0.5 cut short; c1 not_durable: the ledger cannot be written to disk: no space left
         c2 not_durable: the ledger cannot be written to disk: no space left
         nothing
         nothing
         nothing
         10.0.0.5 cut short; c3 10.0.0.5",
    );
}

/// A disk that hangs for longer than a claim is waited for: the address is somebody else's by then.
#[test]
fn a_grant_that_expires_before_it_is_told_is_refused() {
    check(
        "metadata eni-1#0=10.0.0.5
         hold
         allocate ipv4 a/x claim
         at 601s tick
         add c1 a/y
         flush",
        "listed +1 -0 withdrawn 0
         nothing
         nothing
         10.0.0.5 of a/x expired; allocate not_durable: the ledger cannot be written to disk: no record was on disk within the time for the claim
         10.0.0.5 cut short
         c1 10.0.0.5",
    );
}
