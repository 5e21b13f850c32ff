//! The CIDR contract: demand, and giving back by omission.

use crate::door::check;

#[test]
fn demand_is_what_is_used_and_waits_and_is_to_be_there_besides() {
    check(
        "settings contract=cidr pre=2
         word allocated=10.0.9.0/28
         written
         at 10s add c1 a/x
         at 10s add c2 a/y
         at 11s allocate ipv4 health
         written
         at 13s tick
         written
         at 20s tick
         at 21s tick
         written
         at 311s tick
         at 312s tick",
        "nothing
         publish requested 2,0 allocated [10.0.9.0/28]
         nothing
         publish requested 3,0 allocated [10.0.9.0/28]
         nothing
         allocate no_address: no free IPv4 address (0 attached, 0 free, 0 used, 0 cooling, 0 promised, 0 withdrawn)
         nothing
         publish requested 5,0 allocated [10.0.9.0/28]
         nothing
         c1 no_address: no free IPv4 address within 10s (0 attached, 0 free, 0 used, 0 cooling, 0 promised, 0 withdrawn); c2 no_address: no free IPv4 address within 10s (0 attached, 0 free, 0 used, 0 cooling, 0 promised, 0 withdrawn)
         publish requested 3,0 allocated [10.0.9.0/28]
         nothing
         nothing
         publish requested 2,0 allocated [10.0.9.0/28]",
    );
}

#[test]
fn unused_cidrs_are_given_back_from_the_last_on() {
    check(
        "settings contract=cidr pre=3
         word pool=none eni-1#0=10.0.1.0/30 eni-2#1=10.0.2.0/30,10.0.3.0/30,10.0.0.9 allocated=10.0.1.0/30,10.0.2.0/30,10.0.3.0/30,10.0.0.9/32
         cidrs
         written
         word pool=none eni-1#0=10.0.1.0/30
         cidrs",
        "nothing
         listed +4 -0 withdrawn 0; promised 10.0.3.0/30; promised 10.0.2.0/30; promised 10.0.0.9/32; publish requested 3,0 allocated [10.0.1.0/30]
         10.0.0.9/32:0/0/0/1 10.0.1.0/30:4/0/0/0 10.0.2.0/30:0/0/0/4 10.0.3.0/30:0/0/0/4
         nothing
         listed +0 -3 withdrawn 0
         10.0.1.0/30:4/0/0/0",
    );
}

#[test]
fn nothing_is_given_back_that_is_used_or_cools_down() {
    check(
        "settings contract=cidr pre=0
         metadata eni-1#0=10.0.1.0/30,10.0.2.0/30
         exact 10.0.1.1 a/x
         exact 10.0.2.1 a/y
         at 5s release 10.0.2.1
         at 10s word pool=none eni-1#0=10.0.1.0/30,10.0.2.0/30 allocated=10.0.1.0/30,10.0.2.0/30
         written
         at 35s tick
         at 36s tick
         at 37s tick
         cidrs",
        "nothing
         listed +2 -0 withdrawn 0
         exact 10.0.1.1
         exact 10.0.2.1
         release done
         publish requested 1,0 allocated [10.0.1.0/30 10.0.2.0/30]
         nothing
         nothing
         promised 10.0.2.0/30
         publish requested 1,0 allocated [10.0.1.0/30]
         10.0.1.0/30:3/1/0/0 10.0.2.0/30:0/0/0/4",
    );
}

#[test]
fn a_cidr_that_was_never_left_out_comes_back_at_once() {
    check(
        "settings contract=cidr pre=0
         hold
         word pool=none eni-1#0=10.0.1.0/30 allocated=10.0.1.0/30
         cidrs
         add c1 a/x
         flush
         cidrs",
        "nothing
         nothing
         listed +1 -0 withdrawn 0; promised 10.0.1.0/30
         10.0.1.0/30:0/0/0/4
         nothing
         c1 10.0.1.0; publish requested 1,0 allocated [10.0.1.0/30]
         10.0.1.0/30:3/1/0/0",
    );
}

#[test]
fn a_cidr_that_was_left_out_comes_back_when_the_word_shows_it() {
    check(
        "settings contract=cidr pre=0
         word pool=none eni-1#0=10.0.1.0/30 allocated=10.0.1.0/30
         written
         at 5s word pool=none eni-1#0=10.0.1.0/30
         at 10s add c1 a/x
         cidrs
         at 11s word pool=none eni-1#0=10.0.1.0/30
         written
         at 12s word pool=none eni-1#0=10.0.1.0/30
         cidrs
         restart
         at 13s word pool=none eni-1#0=10.0.1.0/30",
        "nothing
         listed +1 -0 withdrawn 0; promised 10.0.1.0/30; publish requested 0,0 allocated []
         nothing
         nothing
         publish requested 1,0 allocated [10.0.1.0/30]
         10.0.1.0/30:0/0/0/4
         nothing
         nothing
         c1 10.0.1.0
         10.0.1.0/30:3/1/0/0
         nothing
         nothing",
    );
}

/// The watch may be faster than the answer to the write, and nothing is different afterwards.
#[test]
fn a_word_may_show_what_is_named_again_before_the_answer_is_there() {
    check(
        "settings contract=cidr pre=0
         word pool=none eni-1#0=10.0.1.0/30 allocated=10.0.1.0/30
         written
         at 5s word pool=none eni-1#0=10.0.1.0/30
         at 10s add c1 a/x
         at 11s word pool=none eni-1#0=10.0.1.0/30 allocated=10.0.1.0/30
         written
         cidrs",
        "nothing
         listed +1 -0 withdrawn 0; promised 10.0.1.0/30; publish requested 0,0 allocated []
         nothing
         nothing
         publish requested 1,0 allocated [10.0.1.0/30]
         c1 10.0.1.0
         nothing
         10.0.1.0/30:3/1/0/0",
    );
}

#[test]
fn a_restart_forgets_neither_what_was_left_out_nor_that_it_was() {
    check(
        "settings contract=cidr pre=0
         word pool=none eni-1#0=10.0.1.0/30 allocated=10.0.1.0/30
         written
         restart
         cidrs
         at 1s add c1 a/x
         at 2s word pool=none eni-1#0=10.0.1.0/30
         cidrs
         written
         at 3s word pool=none eni-1#0=10.0.1.0/30",
        "nothing
         listed +1 -0 withdrawn 0; promised 10.0.1.0/30; publish requested 0,0 allocated []
         nothing
         nothing
         10.0.1.0/30:0/0/0/4
         nothing
         publish requested 1,0 allocated [10.0.1.0/30]
         10.0.1.0/30:0/0/0/4
         nothing
         c1 10.0.1.0",
    );
}

#[test]
fn a_withdrawn_cidr_in_use_stays_allocated() {
    check(
        "settings contract=cidr pre=0
         metadata eni-1#0=10.0.1.0/30
         exact 10.0.1.1 a/x
         word pool=none eni-1#0=10.0.2.0/30 allocated=10.0.1.0/30,10.0.2.0/30
         cidrs
         written
         at 60s release 10.0.1.1
         at 61s tick",
        "nothing
         listed +1 -0 withdrawn 0
         exact 10.0.1.1
         listed +1 -0 withdrawn 1; promised 10.0.2.0/30; publish requested 1,0 allocated [10.0.1.0/30]
         -10.0.1.0/30:0/1/0/0 10.0.2.0/30:0/0/0/4
         nothing
         release done
         publish requested 0,0 allocated []",
    );
}

#[test]
fn before_a_word_lists_something_nothing_is_erased() {
    check(
        "settings contract=cidr
         metadata eni-1#0=10.0.1.0/28
         add c1 a/x
         word allocated=10.0.1.0/28
         written
         at 60s word
         at 61s word pool=none eni-1#0=10.0.1.0/28",
        "nothing
         listed +1 -0 withdrawn 0
         c1 10.0.1.0
         publish requested 9,0 allocated [10.0.1.0/28]
         nothing
         nothing
         nothing",
    );
}

#[test]
fn a_found_user_keeps_a_cidr_that_was_promised() {
    check(
        "settings contract=cidr pre=0
         word pool=none eni-1#0=10.0.1.0/30 allocated=10.0.1.0/30
         written
         at 1s found 10.0.1.2=a/x
         at 2s tick
         written
         at 3s word pool=none eni-1#0=10.0.1.0/30
         cidrs",
        "nothing
         listed +1 -0 withdrawn 0; promised 10.0.1.0/30; publish requested 0,0 allocated []
         nothing
         adopted 10.0.1.2 of a/x
         publish requested 1,0 allocated [10.0.1.0/30]
         nothing
         nothing
         10.0.1.0/30:3/1/0/0",
    );
}

#[test]
fn both_families_are_asked_for() {
    check(
        "settings contract=cidr ipv6 pre=4
         word
         written
         metadata eni-1#0=10.0.1.0/28,fd00:1::/80
         add c1 a/x
         at 1s tick",
        "nothing
         publish requested 4,4 allocated []
         nothing
         listed +2 -0 withdrawn 0
         c1 10.0.1.0 fd00:1::
         publish requested 5,5 allocated []",
    );
}

#[test]
fn the_operator_sees_no_promise_that_is_not_on_disk() {
    check(
        "settings contract=cidr pre=0
         hold
         word pool=none eni-1#0=10.0.1.0/30 allocated=10.0.1.0/30
         fail
         written
         at 1s tick
         flush
         at 2s tick",
        "nothing
         nothing
         listed +1 -0 withdrawn 0; promised 10.0.1.0/30
         publish requested 0,0 allocated [10.0.1.0/30]
         nothing
         nothing
         nothing
         publish requested 0,0 allocated []",
    );
}

/// A word that is older than the omission shows what was before it, however late it comes.
#[test]
fn an_older_word_never_brings_a_cidr_back() {
    check(
        "settings contract=cidr pre=0
         word pool=none eni-1#0=10.0.1.0/30 allocated=10.0.1.0/30
         written
         at 5s add c1 a/x
         written
         at 6s word pool=none eni-1#0=10.0.1.0/30 allocated=10.0.1.0/30
         cidrs
         at 7s word pool=none eni-1#0=10.0.1.0/30
         at 8s written
         at 9s word pool=none eni-1#0=10.0.1.0/30",
        "nothing
         listed +1 -0 withdrawn 0; promised 10.0.1.0/30; publish requested 0,0 allocated []
         nothing
         publish requested 1,0 allocated []
         nothing
         nothing
         10.0.1.0/30:0/0/0/4
         publish requested 1,0 allocated [10.0.1.0/30]
         nothing
         c1 10.0.1.0",
    );
    check(
        "settings contract=cidr pre=0
         word pool=none eni-1#0=10.0.1.0/30 allocated=10.0.1.0/30
         written
         at 1s word pool=none eni-1#0=10.0.1.0/30
         at 5s word pool=none eni-1#0=10.0.1.0/30 allocated=10.0.1.0/30
         at 6s add c1 a/x
         cidrs",
        "nothing
         listed +1 -0 withdrawn 0; promised 10.0.1.0/30; publish requested 0,0 allocated []
         nothing
         nothing
         nothing
         publish requested 1,0 allocated []
         10.0.1.0/30:0/0/0/4",
    );
}

/// Nobody knows whether a publication that failed was carried out after all.
#[test]
fn what_a_failed_publication_left_out_is_left_out_first() {
    check(
        "settings contract=cidr pre=0
         word pool=none eni-1#0=10.0.1.0/30 allocated=10.0.1.0/30
         failed
         at 5s add c1 a/x
         written
         cidrs
         at 8s word pool=none eni-1#0=10.0.1.0/30
         written
         at 9s word pool=none eni-1#0=10.0.1.0/30",
        "nothing
         listed +1 -0 withdrawn 0; promised 10.0.1.0/30; publish requested 0,0 allocated []
         nothing
         publish requested 1,0 allocated []
         nothing
         10.0.1.0/30:0/0/0/4
         publish requested 1,0 allocated [10.0.1.0/30]
         nothing
         c1 10.0.1.0",
    );
}

/// The operator hides what it is about to take off, and may show it again.
#[test]
fn what_was_hidden_and_is_shown_again_is_named_before_it_is_used() {
    for meanwhile in ["at 9s tick", "restart"] {
        let script = format!(
            "settings contract=cidr pre=0
             metadata eni-1#0=10.0.1.1
             exact 10.0.1.1 a/w
             word pool=none eni-1#0=10.0.1.1,10.0.2.0/30 allocated=10.0.1.1/32,10.0.2.0/30
             written
             at 1s word pool=none eni-1#0=10.0.1.1,10.0.2.0/30
             at 5s word pool=none eni-1#0=10.0.1.1
             {meanwhile}
             at 30s word pool=none eni-1#0=10.0.1.1,10.0.2.0/30
             add c1 a/x
             cidrs
             failed
             at 35s tick
             written
             at 36s word pool=none eni-1#0=10.0.1.1,10.0.2.0/30"
        );
        check(
            &script,
            "nothing
             listed +1 -0 withdrawn 0
             exact 10.0.1.1
             listed +1 -0 withdrawn 0; promised 10.0.2.0/30; publish requested 1,0 allocated [10.0.1.1/32]
             nothing
             nothing
             listed +0 -1 withdrawn 0
             nothing
             listed +1 -0 withdrawn 0
             publish requested 2,0 allocated [10.0.1.1/32 10.0.2.0/30]
             10.0.1.1/32:0/1/0/0 10.0.2.0/30:0/0/0/4
             nothing
             publish requested 2,0 allocated [10.0.1.1/32 10.0.2.0/30]
             nothing
             c1 10.0.2.0",
        );
    }
}

/// Named while it was shown, and hidden before anybody could see that: it is not back by being named.
#[test]
fn what_is_named_and_hidden_is_not_back() {
    check(
        "settings contract=cidr pre=0
         word pool=none eni-1#0=10.0.1.0/30 allocated=10.0.1.0/30
         written
         at 1s word pool=none eni-1#0=10.0.1.0/30
         at 5s add c1 a/x
         written
         at 6s word pool=none eni-1#0=10.0.9.0/30 allocated=10.0.1.0/30",
        "nothing
         listed +1 -0 withdrawn 0; promised 10.0.1.0/30; publish requested 0,0 allocated []
         nothing
         nothing
         publish requested 1,0 allocated [10.0.1.0/30]
         nothing
         listed +1 -1 withdrawn 0; c1 10.0.9.0",
    );
}

/// An operator takes nothing of which it has not heard since it shows it: what is new is named before it is given back, and what it hid
/// and shows again is named again.
#[test]
fn what_is_shown_anew_is_named_first() {
    check(
        "settings contract=cidr pre=0
         metadata eni-1#0=10.0.1.1
         exact 10.0.1.1 a/w
         word pool=none eni-1#0=10.0.1.1,10.0.2.0/30 allocated=10.0.1.1/32
         written
         at 1s word pool=none eni-1#0=10.0.1.1,10.0.2.0/30 allocated=10.0.1.1/32,10.0.2.0/30
         written
         at 2s word pool=none eni-1#0=10.0.1.1,10.0.2.0/30 allocated=10.0.1.1/32
         at 5s word pool=none eni-1#0=10.0.1.1 allocated=10.0.1.1/32
         at 30s word pool=none eni-1#0=10.0.1.1,10.0.2.0/30 allocated=10.0.1.1/32
         at 40s tick
         written
         at 41s word pool=none eni-1#0=10.0.1.1,10.0.2.0/30 allocated=10.0.1.1/32,10.0.2.0/30
         at 120s tick
         cidrs
         written
         at 130s word pool=none allocated=10.0.1.1/32
         at 131s word pool=none eni-1#0=10.0.1.1,10.0.2.0/30 allocated=10.0.1.1/32",
        "nothing
         listed +1 -0 withdrawn 0
         exact 10.0.1.1
         listed +1 -0 withdrawn 0; publish requested 1,0 allocated [10.0.1.1/32 10.0.2.0/30]
         nothing
         promised 10.0.2.0/30; publish requested 1,0 allocated [10.0.1.1/32]
         nothing
         nothing
         listed +0 -1 withdrawn 0
         listed +1 -0 withdrawn 0; publish requested 1,0 allocated [10.0.1.1/32 10.0.2.0/30]
         nothing
         nothing
         nothing
         promised 10.0.2.0/30; publish requested 1,0 allocated [10.0.1.1/32]
         10.0.1.1/32:0/1/0/0 10.0.2.0/30:0/0/0/4
         nothing
         nothing
         publish requested 1,0 allocated [10.0.1.1/32 10.0.2.0/30]",
    );
}
