//! Allocations that wait for their claim.

use crate::script::check;

#[test]
fn an_allocation_without_its_claim_is_given_back_in_time() {
    check(
        "sync 10.0.0.16/28@eni-1 2001:db8::/124@eni-1
         at 1s allocate ipv4 a/late claim
         at 2s allocate ipv6 b/late claim
         at 2s allocate ipv4 c/claims claim
         at 3s allocate ipv4 d/stands
         claim 10.0.0.17 3
         deadline
         at 600999ms expire
         at 601s expire
         at 602s expire
         deadline
         used
         tally ipv4
         at 631s expire
         tally ipv4",
        "added 10.0.0.16/28 2001:db8::/124
         10.0.0.16 on eni-1, claim 1
         2001:db8:: on eni-1, claim 2
         10.0.0.17 on eni-1, claim 3
         10.0.0.18 on eni-1
         claimed
         601000 ms
         nothing
         10.0.0.16 of a/late, claim 1
         2001:db8:: of b/late, claim 2
         631000 ms
         10.0.0.17 of c/claims on eni-1; 10.0.0.18 of d/stands on eni-1
         16 attached, 13 free, 2 used, 1 cooling, 0 promised, 0 withdrawn
         nothing
         16 attached, 14 free, 2 used, 0 cooling, 0 promised, 0 withdrawn",
    );
}

#[test]
fn all_overdue_claims_expire_in_the_order_of_their_allocation() {
    check(
        "sync 10.0.0.16/28@eni-1 2001:db8::/124@eni-1
         allocate ipv6 a/x claim
         allocate ipv4 b/x claim
         allocate ipv6 c/x claim
         restart
         at 700s expire",
        "added 10.0.0.16/28 2001:db8::/124
         2001:db8:: on eni-1, claim 1
         10.0.0.16 on eni-1, claim 2
         2001:db8::1 on eni-1, claim 3
         restarted
         2001:db8:: of a/x, claim 1; 10.0.0.16 of b/x, claim 2; 2001:db8::1 of c/x, claim 3",
    );
}

#[test]
fn a_claim_names_the_allocation_that_stands() {
    check(
        "sync 10.0.0.1/32@eni-1
         allocate ipv4 a/x claim
         claim 10.0.0.1 2
         at 700s claim 10.0.0.1 1
         claim 10.0.0.1 1
         expire
         release 10.0.0.1 a/x
         claim 10.0.0.1 1
         allocate ipv4 b/x claim
         claim 10.0.0.1 1
         claim 10.0.0.9 1",
        "added 10.0.0.1/32
         10.0.0.1 on eni-1, claim 1
         another_grant: 10.0.0.1 is used by grant 1, not by grant 2
         claimed
         no_claim_expected: 10.0.0.1 does not wait for a claim
         nothing
         released by a/x
         not_used: 10.0.0.1 is not used by anybody
         10.0.0.1 on eni-1, claim 2, cut short
         another_grant: 10.0.0.1 is used by grant 2, not by grant 1
         unknown: 10.0.0.9 is not an address of this node",
    );
}

#[test]
fn a_release_ends_the_wait_for_a_claim() {
    check(
        "settings 0s 600s
         sync 10.0.0.1/32@eni-1
         allocate ipv4 a/x claim
         release 10.0.0.1
         deadline
         at 700s expire",
        "set
         added 10.0.0.1/32
         10.0.0.1 on eni-1, claim 1
         released by a/x
         none
         nothing",
    );
}

#[test]
fn a_repeated_release_never_cuts_off_the_next_sandbox_of_the_same_pod() {
    check(
        "sync 10.0.0.0/31@eni-1
         at 0s allocate ipv4 shop/cart-0
         at 1s release 10.0.0.0 #1
         at 60s allocate ipv4 shop/cart-0
         at 61s release 10.0.0.0 #1
         at 62s allocate ipv4 shop/cart-1
         who 10.0.0.0
         release 10.0.0.0 #2
         release 10.0.0.0 #2",
        "added 10.0.0.0/31
         10.0.0.0 on eni-1
         released by shop/cart-0
         10.0.0.0 on eni-1
         another_grant: 10.0.0.0 is used by grant 2, not by grant 1
         10.0.0.1 on eni-1
         shop/cart-0 by grant 2
         released by shop/cart-0
         not_used: 10.0.0.0 is not used by anybody",
    );
}

#[test]
fn an_overdue_allocation_is_given_up_rather_than_refuse_another() {
    check(
        "sync 10.0.0.0/31@eni-1 10.0.0.9/32@eni-1
         exact 10.0.0.9 a/withdrawn claim
         sync 10.0.0.0/31@eni-1
         at 1s exact 10.0.0.1 b/x claim
         at 2s exact 10.0.0.0 c/x claim
         at 600999ms allocate ipv4 d/x
         at 601s allocate ipv4 d/x
         cut-short
         allocate ipv4 e/x
         expire",
        "added 10.0.0.0/31 10.0.0.9/32
         10.0.0.9 on eni-1, claim 1
         withdrawn 10.0.0.9/32
         10.0.0.1 on eni-1, claim 2
         10.0.0.0 on eni-1, claim 3
         exhausted: no IPv4 address is free: 2 attached, 0 free, 2 used, 0 cooling, 0 promised, 1 withdrawn
         10.0.0.1 on eni-1, cut short, instead of 10.0.0.1 of b/x, claim 2
         1
         exhausted: no IPv4 address is free: 2 attached, 0 free, 2 used, 0 cooling, 0 promised, 1 withdrawn
         10.0.0.9 of a/withdrawn, claim 1",
    );
}
