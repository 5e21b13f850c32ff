//! What an unlucky order of events must not bring about.

use crate::door::check;

#[test]
fn who_waits_gets_what_was_not_claimed_in_time_whoever_notices_it() {
    check(
        "metadata eni-1#0=10.0.0.5
         allocate ipv4 b/p claim
         at 599s add c1 a/x
         at 600s check c9",
        "listed +1 -0 withdrawn 0
         allocate 10.0.0.5 claim 1
         nothing
         10.0.0.5 of b/p expired; 10.0.0.5 cut short; c9 done; c1 10.0.0.5",
    );
}

#[test]
fn an_answer_that_repeats_a_grant_keeps_it_when_the_first_asker_leaves() {
    check(
        "metadata eni-1#0=10.0.0.5,fd00::5
         settings ipv6
         metadata eni-1#0=10.0.0.5,fd00::5
         hold
         allocate ipv4,ipv6 router
         exact 10.0.0.5 router
         abandon allocate
         flush
         holdings",
        "listed +1 -0 withdrawn 0
         nothing
         listed +2 -0 withdrawn 0
         nothing
         nothing
         nothing
         nothing
         exact 10.0.0.5
         10.0.0.5=router",
    );
}

#[test]
fn what_cannot_be_promised_is_refused() {
    check(
        "settings own=10.0.0.5
         word eni-1#0=10.0.0.5,10.0.0.6 marked=10.0.0.5",
        "nothing
         listed +1 -0 withdrawn 0; publish used [] releases [10.0.0.5:Refused]",
    );
    check(
        "word eni-1#0=10.0.0.6 pool=10.0.0.6@eni-1,10.0.0.7@eni-1 marked=10.0.0.6",
        "inconsistent: the pool has 10.0.0.7 on eni-1, which has no such address; publish used [] releases [10.0.0.6:Refused]",
    );
}

#[test]
fn what_the_metadata_shows_is_not_handed_out_while_it_is_being_released() {
    check(
        "word eni-1#0=10.0.0.6 pool=10.0.0.6@eni-1,10.0.0.7@eni-1 ready=10.0.0.6
         metadata eni-1#0=10.0.0.6
         add c1 a/x",
        "inconsistent: the pool has 10.0.0.7 on eni-1, which has no such address
         listed +1 -0 withdrawn 0; promised 10.0.0.6/32
         nothing",
    );
}

#[test]
fn a_request_left_over_from_the_other_contract_is_taken_away() {
    check(
        "word eni-1#0=10.0.0.5 requested=8
         written
         at 1s word eni-1#0=10.0.0.5",
        "listed +1 -0 withdrawn 0; publish used [] releases []
         nothing
         nothing",
    );
    check(
        "word eni-1#0=10.0.0.5
         at 59s word eni-1#0=10.0.0.5
         at 60s word eni-1#0=10.0.0.5 requested=0
         written
         at 61s word eni-1#0=10.0.0.5 requested=0
         at 75s tick",
        "listed +1 -0 withdrawn 0
         nothing
         publish used [] releases []
         nothing
         nothing
         publish used [] releases []",
    );
}

#[test]
fn what_the_operator_keeps_by_its_watermarks_is_not_given_back() {
    check(
        "settings contract=cidr pre=0 least=16
         word pool=none eni-1#0=10.0.1.0/28,10.0.2.0/28,10.0.3.0/28 allocated=10.0.1.0/28,10.0.2.0/28,10.0.3.0/28
         add c1 a/x
         settings contract=cidr pre=4 above=16
         word pool=none eni-1#0=10.0.1.0/28,10.0.2.0/28,10.0.3.0/28 allocated=10.0.1.0/28,10.0.2.0/28,10.0.3.0/28",
        "nothing
         listed +3 -0 withdrawn 0; promised 10.0.3.0/28; promised 10.0.2.0/28; publish requested 0,0 allocated [10.0.1.0/28]
         c1 10.0.1.0
         nothing
         listed +3 -0 withdrawn 0; promised 10.0.3.0/28; publish requested 4,0 allocated [10.0.1.0/28 10.0.2.0/28]",
    );
}

#[test]
fn the_interface_of_a_used_address_is_published_anew_when_it_changes() {
    check(
        "word eni-1#0=10.0.0.5
         add c1 a/x
         written
         word eni-1#0= eni-2#1=10.0.0.5
         at 1s tick
         written
         at 2s word eni-1#0= eni-2#1=10.0.0.5
         at 60s tick",
        "listed +1 -0 withdrawn 0
         c1 10.0.0.5; publish used [10.0.0.5=a/x@eni-1] releases []
         nothing
         listed +0 -0 withdrawn 0
         publish used [10.0.0.5=a/x@eni-2] releases []
         nothing
         nothing
         nothing",
    );
}

#[test]
fn after_records_were_lost_what_was_promised_is_unknown_until_the_operator_speaks() {
    check(
        "start untrusted
         metadata eni-1#0=10.0.0.5,10.0.0.6
         found 10.0.0.6=b/z
         ready
         add c1 a/x
         restart untrusted
         ready
         found 10.0.0.6=b/z
         word eni-1#0=10.0.0.5,10.0.0.6,10.0.0.7 ready=10.0.0.5
         add c1 a/x
         ready",
        "nothing
         listed +2 -0 withdrawn 0
         adopted 10.0.0.6 of b/z
         missing: the operator's word
         nothing
         nothing
         missing: the list of addresses in use
         nothing
         listed +1 -0 withdrawn 0; promised 10.0.0.5/32; publish used [10.0.0.6=b/z@eni-1] releases []
         c1 10.0.0.7
         ready",
    );
}

#[test]
fn without_ipv4_promises_of_ipv6_end_in_the_per_ip_contract() {
    check(
        "settings contract=cidr ipv4=false ipv6 pre=0
         word pool=none eni-1#0=fd00:1::/80 allocated=fd00:1::/80
         set contract=per-ip
         restart
         word pool= eni-1#0=fd00:1::/80
         at 119s word pool= eni-1#0=fd00:1::/80
         at 120s tick
         cidrs",
        "nothing
         listed +1 -0 withdrawn 0; promised fd00:1::/80; publish requested 0,0 allocated []
         nothing
         nothing
         nothing
         nothing
         nothing
         fd00:1::/80:4096/0/0/0",
    );
}

#[test]
fn an_old_word_does_not_bring_back_what_was_left_out() {
    check(
        "settings contract=cidr pre=0
         word pool=none eni-1#0=10.0.1.0/30,10.0.2.0/30 allocated=10.0.1.0/30,10.0.2.0/30
         written
         at 5s add c1 a/x
         written
         found 10.0.2.1=b/y
         metadata eni-1#0=10.0.1.0/30,10.0.2.0/30
         at 8s word pool=none eni-1#0=10.0.1.0/30,10.0.2.0/30
         written
         at 9s word pool=none eni-1#0=10.0.1.0/30,10.0.2.0/30",
        "nothing
         listed +2 -0 withdrawn 0; promised 10.0.2.0/30; promised 10.0.1.0/30; publish requested 0,0 allocated []
         nothing
         publish requested 1,0 allocated []
         nothing
         adopted 10.0.2.1 of b/y
         nothing
         publish requested 2,0 allocated [10.0.1.0/30 10.0.2.0/30]
         nothing
         c1 10.0.2.0",
    );
}

#[test]
fn after_records_were_lost_what_was_left_out_stays_given_back() {
    check(
        "settings contract=cidr pre=0
         word pool=none eni-1#0=10.0.1.0/30,10.0.2.0/30 allocated=10.0.1.0/30,10.0.2.0/30
         written
         start untrusted
         found
         word pool=none eni-1#0=10.0.1.0/30,10.0.2.0/30
         cidrs
         at 1s add c1 a/x
         at 2s tick
         written
         word pool=none eni-1#0=10.0.1.0/30,10.0.2.0/30",
        "nothing
         listed +2 -0 withdrawn 0; promised 10.0.2.0/30; promised 10.0.1.0/30; publish requested 0,0 allocated []
         nothing
         nothing
         nothing
         listed +2 -0 withdrawn 0; promised 10.0.1.0/30; promised 10.0.2.0/30
         10.0.1.0/30:0/0/0/4 10.0.2.0/30:0/0/0/4
         publish requested 1,0 allocated [10.0.1.0/30]
         nothing
         nothing
         c1 10.0.1.0",
    );
}

#[test]
fn a_promise_on_its_way_is_kept_while_the_pool_is_away() {
    check(
        "word eni-1#0=10.0.0.5 marked=10.0.0.5
         word eni-1#0=10.0.0.5 marked=10.0.0.5 pool=none
         add c1 a/x
         written
         at 2s tick
         word eni-1#0=10.0.0.5 refused=10.0.0.5",
        "listed +1 -0 withdrawn 0; promised 10.0.0.5/32; publish used [] releases [10.0.0.5:Ready]
         nothing
         nothing
         nothing
         publish used [] releases [10.0.0.5:Refused]
         c1 10.0.0.5",
    );
}

#[test]
fn what_was_used_of_a_cidr_that_is_left_out_is_given_back_with_it() {
    check(
        "settings contract=cidr pre=0
         word pool=none eni-1#0=10.0.1.0/30 allocated=10.0.1.0/30
         written
         at 1s found 10.0.1.2=a/x
         at 1s restart boot=other
         cidrs
         add c1 a/y
         word pool=none eni-1#0=10.0.1.0/30
         written
         at 2s word pool=none eni-1#0=10.0.1.0/30",
        "nothing
         listed +1 -0 withdrawn 0; promised 10.0.1.0/30; publish requested 0,0 allocated []
         nothing
         adopted 10.0.1.2 of a/x
         promised 10.0.1.2/32; clean because of another boot, 0 attachments
         10.0.1.0/30:0/0/0/4
         nothing
         publish requested 1,0 allocated [10.0.1.0/30]
         nothing
         c1 10.0.1.0",
    );
}

#[test]
fn what_was_found_by_mistake_is_promised_again() {
    check(
        "word eni-1#0=10.0.0.5 marked=10.0.0.5
         found 10.0.0.5
         found
         add c1 a/x",
        "listed +1 -0 withdrawn 0; promised 10.0.0.5/32; publish used [] releases [10.0.0.5:Ready]
         adopted 10.0.0.5 of unknown; kept 10.0.0.5
         promised 10.0.0.5/32
         nothing",
    );
}

/// After records were lost, nobody knows whether whoever gives it back is who uses it.
#[test]
fn what_was_found_in_use_is_not_given_back_by_a_caller() {
    check(
        "start untrusted
         found 10.0.0.5
         word eni-1#0=10.0.0.5,10.0.0.6
         release 10.0.0.5
         add c1 a/x
         found
         release 10.0.0.5",
        "nothing
         nothing
         listed +2 -0 withdrawn 0; adopted 10.0.0.5 of unknown; publish used [10.0.0.5=unknown@eni-1] releases []
         release found_in_use: 10.0.0.5 was found in use on this node, and is until it is found unused
         c1 10.0.0.6
         nothing
         release not_used: 10.0.0.5 is not used by anybody",
    );
}

/// The word that would list it was not consistent when it was found, and then the agent crashed.
#[test]
fn what_was_found_in_use_is_used_when_it_is_listed_after_a_crash() {
    check(
        "start untrusted
         found 10.0.0.5
         word eni-1#0=10.0.0.6
         restart
         word eni-1#0=10.0.0.5,10.0.0.6
         add c1 a/x
         add c2 a/y
         holdings",
        "nothing
         nothing
         listed +1 -0 withdrawn 0
         nothing
         listed +1 -0 withdrawn 0; adopted 10.0.0.5 of unknown; publish used [10.0.0.5=unknown@eni-1] releases []
         c1 10.0.0.6
         nothing
         10.0.0.5=unknown 10.0.0.6=a/x(net/c1/eth0)",
    );
}
