//! The agent's ledger: addresses that are promised away, and what is remembered of vanished ones.

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
         in_pieces: 10.0.0.0/24 is not listed as a whole: name its pieces one by one
         host_bits: 10.0.0.17/28 has host bits set: expected 10.0.0.16/28
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
         at 120s sync 10.0.0.1/32@eni-1 10.0.0.2/32@eni-1
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
fn one_listing_without_an_address_forgets_neither_a_promise_nor_a_cool_down() {
    check(
        "sync 10.0.0.1/32@eni-1 10.0.0.2/32@eni-1
         promise 10.0.0.1
         allocate ipv4 a/x
         at 1s release 10.0.0.2
         at 2s sync
         restart
         at 3s sync 10.0.0.0/30@eni-1
         cidrs
         sync
         withdraw-promise 10.0.0.1
         withdraw-promise 10.0.0.1
         at 30s sync 10.0.0.1/32@eni-1 10.0.0.2/32@eni-1
         cidrs
         deadline
         promise 10.0.0.1
         promise 10.0.0.2
         at 32s sync
         at 151999ms sync 10.0.0.1/32@eni-1
         at 152s sync 10.0.0.1/32@eni-1 10.0.0.2/32@eni-1
         cidrs",
        "added 10.0.0.1/32 10.0.0.2/32
         promised
         10.0.0.2 on eni-1
         released by a/x
         removed 10.0.0.1/32 10.0.0.2/32
         restarted
         added 10.0.0.0/30
         10.0.0.0/30 on eni-1 2/0/1/1
         removed 10.0.0.0/30
         promise withdrawn
         unknown: 10.0.0.1 is not an address of this node
         added 10.0.0.1/32 10.0.0.2/32
         10.0.0.1/32 on eni-1 1/0/0/0; 10.0.0.2/32 on eni-1 0/0/1/0
         31000 ms
         promised
         promised
         removed 10.0.0.1/32 10.0.0.2/32
         added 10.0.0.1/32
         added 10.0.0.2/32
         10.0.0.1/32 on eni-1 0/0/0/1; 10.0.0.2/32 on eni-1 1/0/0/0",
    );
}

#[test]
fn a_promise_ends_when_its_address_is_on_another_interface() {
    check(
        "sync 10.0.0.0/31@eni-1 10.0.0.2/32@eni-1 10.0.0.3/32@eni-1
         exact 10.0.0.1 a/x
         release 10.0.0.1
         promise 10.0.0.0/31
         promise 10.0.0.2
         promise 10.0.0.3
         at 1s sync 10.0.0.0/31@eni-2 10.0.0.2/31@eni-2
         cidrs
         deadline
         promise 10.0.0.2
         sync
         sync 10.0.0.2/32@eni-1
         cidrs",
        "added 10.0.0.0/31 10.0.0.2/32 10.0.0.3/32
         10.0.0.1 on eni-1
         released by a/x
         promised
         promised
         promised
         added 10.0.0.2/31; removed 10.0.0.2/32 10.0.0.3/32; moved 10.0.0.0/31
         10.0.0.0/31 on eni-2 1/0/1/0; 10.0.0.2/31 on eni-2 2/0/0/0
         30000 ms
         promised
         removed 10.0.0.0/31 10.0.0.2/31
         added 10.0.0.2/32
         10.0.0.2/32 on eni-1 1/0/0/0",
    );
}
