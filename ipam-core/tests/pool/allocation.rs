//! Handing out and taking back, sentence by sentence.

use crate::script::check;
use ipam_core::pool::Owner;

#[test]
fn owners_are_written_as_in_the_status_of_a_cilium_node() {
    for text in ["shop/cart-0", "kube-system/router", "router", "health", "ingress"] {
        assert_eq!(text.parse::<Owner>().unwrap().to_string(), text);
    }
    for (text, expected) in [
        (
            "cart-0",
            "\"cart-0\" is not an owner: expected `namespace/pod`, `router`, `health`, `ingress` or `unknown`",
        ),
        (
            "",
            "\"\" is not an owner: expected `namespace/pod`, `router`, `health`, `ingress` or `unknown`",
        ),
        (
            "shop/",
            "\"shop/\" is not a pod: expected `namespace/name` in lower-case letters, digits, `-` and `.`",
        ),
    ] {
        assert_eq!(text.parse::<Owner>().unwrap_err().to_string(), expected);
    }
}

#[test]
fn first_and_last_address_of_a_cidr_are_handed_out() {
    check(
        "sync 10.0.0.16/28@eni-1
         allocate ipv4 a/first
         fill ipv4 14
         allocate ipv4 a/last
         allocate ipv4 a/none",
        "added 10.0.0.16/28
         10.0.0.16 on eni-1
         10.0.0.30 on eni-1
         10.0.0.31 on eni-1
         exhausted: no IPv4 address is free: 16 attached, 0 free, 16 used, 0 cooling, 0 promised, 0 withdrawn",
    );
}

#[test]
fn a_used_prefix_comes_before_a_single_address_and_that_before_an_untouched_prefix() {
    check(
        "sync 10.0.0.16/28@eni-1 10.0.0.32/28@eni-1 10.0.0.99/32@eni-2
         exact 10.0.0.40 a/one
         fill ipv4 15
         allocate ipv4 a/single
         allocate ipv4 a/untouched",
        "added 10.0.0.16/28 10.0.0.32/28 10.0.0.99/32
         10.0.0.40 on eni-1
         10.0.0.47 on eni-1
         10.0.0.99 on eni-2
         10.0.0.16 on eni-1",
    );
}

#[test]
fn the_prefix_of_which_most_is_used_is_filled_first_and_the_lowest_of_equals() {
    check(
        "settings 0s 600s
         sync 10.0.0.16/28@eni-1 10.0.0.32/28@eni-1 10.0.0.48/28@eni-1
         exact 10.0.0.20 a/low
         exact 10.0.0.40 b/high
         exact 10.0.0.41 b/high
         allocate ipv4 c/fuller
         release 10.0.0.40
         release 10.0.0.41
         allocate ipv4 d/equal
         cidrs",
        "set
         added 10.0.0.16/28 10.0.0.32/28 10.0.0.48/28
         10.0.0.20 on eni-1
         10.0.0.40 on eni-1
         10.0.0.41 on eni-1
         10.0.0.32 on eni-1
         released by b/high
         released by b/high
         10.0.0.16 on eni-1
         10.0.0.16/28 on eni-1 14/2/0/0; 10.0.0.32/28 on eni-1 15/1/0/0; 10.0.0.48/28 on eni-1 16/0/0/0",
    );
}

#[test]
fn a_large_cidr_is_judged_as_a_whole() {
    check(
        "sync 10.0.0.0/24@eni-1 10.0.1.0/24@eni-2
         exact 10.0.0.200 a/one
         exact 10.0.0.100 a/two
         exact 10.0.0.50 a/three
         exact 10.0.1.10 b/one
         exact 10.0.1.11 b/two
         allocate ipv4 c/next",
        "added 10.0.0.0/24 10.0.1.0/24
         10.0.0.200 on eni-1
         10.0.0.100 on eni-1
         10.0.0.50 on eni-1
         10.0.1.10 on eni-2
         10.0.1.11 on eni-2
         10.0.0.0 on eni-1",
    );
}

#[test]
fn a_released_address_rests_for_the_cool_down() {
    check(
        "sync 10.0.0.2/32@eni-1 10.0.0.1/32@eni-1
         allocate ipv4 a/x
         release 10.0.0.1 a/x
         tally ipv4
         deadline
         at 29999ms allocate ipv4 b/x
         release 10.0.0.2 b/x
         at 30s allocate ipv4 c/x
         cut-short",
        "added 10.0.0.1/32 10.0.0.2/32
         10.0.0.1 on eni-1
         released by a/x
         2 attached, 1 free, 0 used, 1 cooling, 0 promised, 0 withdrawn
         30000 ms
         10.0.0.2 on eni-1
         released by b/x
         10.0.0.1 on eni-1
         0",
    );
}

#[test]
fn when_nothing_is_free_the_address_that_rested_longest_is_taken_and_counted() {
    check(
        "sync 10.0.0.4/30@eni-1
         fill ipv4 4
         at 1s release 10.0.0.6
         at 2s release 10.0.0.4
         at 2s release 10.0.0.7
         at 3s allocate ipv4 a/x
         allocate ipv4 b/x claim
         cut-short
         at 33s allocate ipv4 c/x
         cut-short",
        "added 10.0.0.4/30
         10.0.0.7 on eni-1
         released by fill/2
         released by fill/0
         released by fill/3
         10.0.0.6 on eni-1, cut short
         10.0.0.4 on eni-1, claim 6, cut short
         2
         10.0.0.7 on eni-1
         2",
    );
}

#[test]
fn no_cool_down_at_all_is_legal() {
    check(
        "settings 0s 600s
         sync 10.0.0.1/32@eni-1
         allocate ipv4 a/x
         release 10.0.0.1
         deadline
         allocate ipv4 b/x
         cut-short",
        "set
         added 10.0.0.1/32
         10.0.0.1 on eni-1
         released by a/x
         none
         10.0.0.1 on eni-1
         0",
    );
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    check(
        "settings 3600s 3600s
         settings 3601s 600s
         settings 30s 3601s
         settings 30s 999ms
         settings 30s 1s
         settings 30s 1s 3601s
         settings 30s 1s 0s",
        "set
         cool-down is 3601s: expected 0ns to 3600s
         claim-within is 3601s: expected 1s to 3600s
         claim-within is 999ms: expected 1s to 3600s
         set
         remember is 3601s: expected 0ns to 3600s
         set",
    );
}

#[test]
fn a_named_address_is_handed_out_even_while_it_cools_down() {
    check(
        "sync 10.0.0.16/28@eni-1
         exact 10.0.0.20 router
         release 10.0.0.20 router
         exact 10.0.0.20 router claim
         cut-short
         exact 10.0.0.20 a/x
         exact 10.0.0.32 a/x
         promise 10.0.0.21
         exact 10.0.0.21 a/x",
        "added 10.0.0.16/28
         10.0.0.20 on eni-1
         released by router
         10.0.0.20 on eni-1, claim 2, cut short
         1
         in_use: 10.0.0.20 is used by router
         unknown: 10.0.0.32 is not an address of this node
         promised
         promised: 10.0.0.21 is promised away",
    );
}

#[test]
fn an_address_is_released_only_by_its_owner_or_by_force() {
    check(
        "sync 10.0.0.16/28@eni-1
         allocate ipv4 a/new
         release 10.0.0.16 a/old
         who 10.0.0.16
         release 10.0.0.16 a/new
         release 10.0.0.16 a/new
         release 10.0.0.99 a/new
         exact 10.0.0.17 b/x
         release 10.0.0.17
         who 10.0.0.17",
        "added 10.0.0.16/28
         10.0.0.16 on eni-1
         held_by_another: 10.0.0.16 is used by a/new, not by a/old
         a/new by grant 1
         released by a/new
         not_used: 10.0.0.16 is not used by anybody
         unknown: 10.0.0.99 is not an address of this node
         10.0.0.17 on eni-1
         released by b/x
         nobody",
    );
}

#[test]
fn a_pod_may_hold_several_addresses_and_a_role_one_of_each_family() {
    check(
        "sync 10.0.0.16/28@eni-1 2001:db8::/124@eni-1
         allocate ipv4 a/x
         allocate ipv4 a/x
         allocate ipv4 router
         allocate ipv6 router
         allocate ipv4 router
         exact 10.0.0.30 router
         exact 10.0.0.18 router claim
         exact 10.0.0.18 health
         who 10.0.0.18
         allocate ipv4 health
         allocate ipv4 ingress
         restart
         allocate ipv4 ingress
         release 10.0.0.20 ingress
         allocate ipv4 ingress
         used",
        "added 10.0.0.16/28 2001:db8::/124
         10.0.0.16 on eni-1
         10.0.0.17 on eni-1
         10.0.0.18 on eni-1
         2001:db8:: on eni-1
         holds_another: router holds 10.0.0.18 already
         holds_another: router holds 10.0.0.18 already
         10.0.0.18 on eni-1
         in_use: 10.0.0.18 is used by router
         router by grant 3
         10.0.0.19 on eni-1
         10.0.0.20 on eni-1
         restarted
         holds_another: ingress holds 10.0.0.20 already
         released by ingress
         10.0.0.21 on eni-1
         10.0.0.16 of a/x on eni-1; 10.0.0.17 of a/x on eni-1; 10.0.0.18 of router on eni-1; \
         10.0.0.19 of health on eni-1; 10.0.0.21 of ingress on eni-1; 2001:db8:: of router on eni-1",
    );
}

#[test]
fn the_families_do_not_help_each_other_out() {
    check(
        "sync 2001:db8::5/128@eni-1
         allocate ipv4 a/x
         allocate ipv6 a/x
         allocate ipv6 b/x",
        "added 2001:db8::5/128
         exhausted: no IPv4 address is free: 0 attached, 0 free, 0 used, 0 cooling, 0 promised, 0 withdrawn
         2001:db8::5 on eni-1
         exhausted: no IPv6 address is free: 1 attached, 0 free, 1 used, 0 cooling, 0 promised, 0 withdrawn",
    );
}

#[test]
fn time_that_goes_backwards_has_not_passed() {
    check(
        "sync 10.0.0.1/32@eni-1 10.0.0.2/32@eni-1
         at 60s allocate ipv4 a/x claim
         at 10s release 10.0.0.1
         deadline
         at 50s allocate ipv4 b/x claim
         deadline
         at 89999ms tally ipv4
         at 90s expire
         tally ipv4
         at 660s expire",
        "added 10.0.0.1/32 10.0.0.2/32
         10.0.0.1 on eni-1, claim 1
         released by a/x
         90000 ms
         10.0.0.2 on eni-1, claim 2
         90000 ms
         2 attached, 0 free, 1 used, 1 cooling, 0 promised, 0 withdrawn
         nothing
         2 attached, 1 free, 1 used, 0 cooling, 0 promised, 0 withdrawn
         10.0.0.2 of b/x, claim 2",
    );
}
