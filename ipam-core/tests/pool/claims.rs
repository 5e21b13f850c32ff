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
         wrong_claim: 10.0.0.1 waits for claim 1, not for claim 2
         claimed
         no_claim_expected: 10.0.0.1 does not wait for a claim
         nothing
         released by a/x
         not_used: 10.0.0.1 is not used by anybody
         10.0.0.1 on eni-1, claim 2, cut short
         wrong_claim: 10.0.0.1 waits for claim 2, not for claim 1
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
