//! One node and its agent, step by step.

use ipam_core::agent::Release;
use ipam_core::view::Contract;

use crate::bench::{check, check_on, node};

/// As Cilium's operator does it (operator reference, 12.6: 18 held, 10 used, 5 to spare), and as its agent answers.
#[test]
fn an_address_leaves_when_its_agent_has_agreed() {
    check(
        "1-4",
        "spare 2                 -> 3,4 waiting
         wait 179                -> 3,4 waiting
         wait 1                  -> 3,4 asked; mark 3,4
         written                 -> 3,4 asked
         says 3 ready            -> 3 agreed, 4 asked
         says 4 ready            -> 3,4 agreed
         wait 19                 -> 3,4 agreed
         wait 1                  -> 3,4 agreed; due 3,4
         sent 3,4, spare 0       -> 3,4 leaving; withheld 3,4
         gone 3,4                -> 3,4 gone; say 3,4; withheld 3,4
         written                 -> 3,4 told; withheld 3,4
         forgets 3,4             -> 3,4 told; withheld 3,4
         wait 15                 ->",
    );
}

/// As recorded: of nine addresses one is kept, the others go (g1/32 to g1/34).
#[test]
fn a_refusal_is_kept_for_a_while() {
    check(
        "1-4",
        "spare 2, wait 180, written   -> 3,4 asked
         says 3 refused, says 4 ready -> 2 waiting, 3 cancelled, 4 agreed; remove 3
         written                      -> 2 waiting, 3 cancelled, 4 agreed
         wait 180                     -> 2 asked, 3 cancelled, 4 agreed; mark 2; due 4
         spare 0                      -> 3,4 cancelled; remove 4
         written                      -> 3 cancelled
         wait 420                     ->",
    );
}

#[test]
fn what_is_needed_again_is_called_off() {
    check(
        "1-4",
        "spare 2, wait 180, written   -> 3,4 asked
         says 3 ready                 -> 3 agreed, 4 asked
         spare 1                      -> 3 agreed, 4 cancelled; remove 4
         spare 0                      -> 3,4 cancelled; remove 3,4
         spare 2                      -> 1,2 waiting, 3,4 cancelled; remove 3,4
         written                      -> 1,2 waiting",
    );
}

/// cilium/cilium#13412: a pod came between the agent's look and its answer.
#[test]
fn an_answer_is_no_agreement_while_the_address_is_used() {
    check(
        "1-4",
        "spare 1, wait 180, written   -> 4 asked
         used 4, says 4 ready         -> 3 waiting, 4 cancelled; remove 4",
    );
    check(
        "1-4",
        "spare 1, wait 180, written, says 4 ready -> 4 agreed
         wait 15                                  -> 4 agreed
         used 4                                   -> 3 waiting, 4 cancelled; remove 4",
    );
}

#[test]
fn an_entry_that_somebody_removes_is_no_agreement_any_more() {
    check(
        "1-4",
        "spare 1, wait 180, written, says 4 ready, wait 20 -> 4 agreed; due 4
         forgets 4                                         -> 4 asked; mark 4",
    );
}

#[test]
fn a_lost_call_is_settled_by_a_reading_that_is_late_enough() {
    let agreed = "spare 1, wait 180, written, says 4 ready, wait 20";
    check(
        "1-4",
        &format!(
            "{agreed}                     -> 4 agreed; due 4
             sent 4, spare 0              -> 4 leaving; withheld 4
             lost 4                       -> 4 doubtful; withheld 4
             wait 59, read                -> 4 doubtful; withheld 4
             wait 1                       -> 4 doubtful; withheld 4
             read                         -> 4 cancelled; remove 4"
        ),
    );
    check(
        "1-4",
        &format!(
            "{agreed}                     -> 4 agreed; due 4
             sent 4, lost 4, spare 0, wait 60, spare 1, read -> 4 agreed
             wait 20                      -> 4 agreed; due 4
             sent 4, spare 0, lost 4, drop 4 -> 4 gone; say 4; withheld 4"
        ),
    );
}

/// cilium/cilium#39981: EC2 gives the interface the same address again before the agent has forgotten it.
#[test]
fn what_comes_back_is_nobodys_before_its_entry_is_gone() {
    let told =
        "spare 1, wait 180, written, says 4 ready, wait 20, sent 4, spare 0, gone 4, written";
    check(
        "1-4",
        &format!(
            "{told}                       -> 4 told; withheld 4
             assigned 4                   -> 4 returned; remove 4; withheld 4
             written                      ->"
        ),
    );
    check(
        "1-4",
        &format!(
            "{told}                       -> 4 told; withheld 4
             wait 15, hold 4, read        -> 4 returned; remove 4; withheld 4
             written                      ->"
        ),
    );
}

/// cilium/cilium#32531 in Cilium's words: marks were lost with the operator's memory.
#[test]
fn a_new_operator_goes_on_or_calls_off() {
    check(
        "1-4",
        "spare 2, wait 180, written   -> 3,4 asked
         restart                      -> 3,4 asked
         says 3 ready, wait 5         -> 3 agreed, 4 asked
         restart                      -> 3 doubtful, 4 asked; withheld 3
         wait 59, read                -> 3 doubtful, 4 asked; withheld 3
         wait 1, read                 -> 3 agreed, 4 asked
         spare 0                      -> 3,4 cancelled; remove 3,4",
    );
    check(
        "1-4",
        "spare 1, wait 180, written, says 4 ready, wait 20, sent 4, spare 0 -> 4 leaving; withheld 4
         restart                      -> 4 doubtful; withheld 4
         drop 4                       -> 4 gone; say 4; withheld 4
         written                      -> 4 told; withheld 4
         restart                      -> 4 told; withheld 4
         forgets 4, wait 15           ->",
    );
}

/// The call that was not answered was carried out, and EC2 gave the address to another interface of the node.
#[test]
fn what_came_back_elsewhere_is_unassigned_there() {
    check(
        "1-4",
        "spare 1, wait 180, written, says 4 ready, wait 20 -> 4 agreed; due 4
         spare 0, sent 4                                    -> 4 leaving; withheld 4
         lost 4                                             -> 4 doubtful; withheld 4
         wait 60, spare 1, moves, read                      -> 4 agreed
         wait 20                                            -> 4 agreed; due 4 from eni-2",
    );
}

/// A former operator may have called off what it asked for, by a write that is on its way: the agent would take back what it agrees to
/// now.
#[test]
fn what_a_former_operator_asked_for_is_unassigned_when_nothing_of_it_is_on_its_way() {
    check(
        "1-4",
        "spare 1, wait 180, written   -> 4 asked
         restart, says 4 ready        -> 4 agreed
         wait 59                      -> 4 agreed
         wait 1                       -> 4 agreed; due 4",
    );
}

/// A former operator released it, its agent has removed the entry, and a reading is older than that.
#[test]
fn what_is_attached_and_was_not_published_is_doubtful_after_a_restart() {
    check(
        "1-5",
        "listed 1-4            -> 5 doubtful; withheld 5
         wait 14, read         -> 5 doubtful; withheld 5
         wait 1, read          ->",
    );
    check(
        "1-5",
        "listed 1-4            -> 5 doubtful; withheld 5
         wait 10, read, drop 5 -> 5 told; withheld 5
         wait 15               ->",
    );
    check("1-5", "spare 0 ->");
}

#[test]
fn entries_of_addresses_that_are_on_no_interface_are_cleared() {
    let mut node = node(Contract::PerIp, "1-2");
    for (last, says) in [(7, Release::Marked), (8, Release::Refused), (9, Release::Ready)] {
        node.usage.releases.insert([10, 0, 0, last].into(), says);
    }
    check_on(&mut node, "wait 1 -> 7,8 cancelled, 9 gone; remove 7,8; say 9; withheld 9");
}

#[test]
fn a_prefix_leaves_when_all_of_its_addresses_are_agreed() {
    check(
        "16/28 32/28",
        "spare 15, wait 180           ->
         spare 31                     -> 32/28 waiting
         wait 180, written            -> 32/28 asked
         says 32/28 ready, says 40 marked -> 32/28 asked
         wait 600                     -> 32/28 asked
         says 40 ready                -> 32/28 agreed
         wait 20                      -> 32/28 agreed; due 32/28
         sent 32/28, spare 15         -> 32/28 leaving; withheld 32/28
         gone 32/28         -> 32-47 gone; say 32-47; withheld 32-47
         written, forgets 32-47, wait 15 ->",
    );
    check(
        "16/28 32/28",
        "spare 16, wait 180, written, says 32/28 ready -> 32/28 agreed
         says 40 refused              -> 16/28 waiting, 32/28 cancelled; remove 32-47",
    );
    check("16/28 32/28", "spare 16, used 40 -> 16/28 waiting");
    check("16/28 32/28", "spare 16, used 17,40 ->");
}

/// The agent names what it keeps; what it leaves out is not shown any more, and then unassigned.
#[test]
fn a_cidr_leaves_when_it_is_named_and_shown_no_more() {
    check(
        "cidr 16/28 32/28",
        "allocated 16/28,32/28, listed 16/28,32/28, spare 16 ->
         allocated 16/28              -> 32/28 waiting
         wait 179                     -> 32/28 waiting
         wait 1                       -> 32/28 asked; withheld 32/28
         listed 16/28                 -> 32/28 agreed; withheld 32/28
         wait 20                      -> 32/28 agreed; due 32/28; withheld 32/28
         sent 32/28, spare 0          -> 32/28 leaving; withheld 32/28
         gone 32/28                   -> 32/28 told; withheld 32/28
         wait 15                      ->",
    );
}

/// Agents of Cilium 1.20 take a CIDR back without asking, as long as they see it.
#[test]
fn a_cidr_that_is_named_again_stays() {
    let begun = "listed 16/28,32/28, allocated 16/28, spare 16, wait 180";
    check(
        "cidr 16/28 32/28",
        &format!(
            "{begun}                      -> 32/28 asked; withheld 32/28
             allocated 16/28,32/28        ->"
        ),
    );
    check(
        "cidr 16/28 32/28",
        &format!(
            "{begun}, listed 16/28, wait 19 -> 32/28 agreed; withheld 32/28
             allocated 16/28,32/28        ->"
        ),
    );
    check(
        "cidr 16/28 32/28",
        &format!(
            "{begun}, listed 16/28, wait 19 -> 32/28 agreed; withheld 32/28
             spare 15                     ->"
        ),
    );
}

/// Operator reference, 12.8: what the agent names no more counts from then on, and no more when it names it again or it is gone.
#[test]
fn what_an_agent_leaves_out_is_followed_as_in_the_fixtures() {
    check(
        "cidr 16/28",
        "drop 16/28, allocated 1,2, spare 32 ->
         hold 1,2, listed 1,2, allocated 1 -> 2 waiting
         wait 100                      -> 2 waiting
         allocated 1                   -> 2 waiting
         wait 80                       -> 2 asked; withheld 2
         allocated 1,2                 ->
         allocated 1                   -> 2 waiting
         drop 2                        ->
         hold 16/28, listed 1,16/28, allocated 1,16/28 ->
         allocated 1                   -> 16/28 waiting
         wait 179                      -> 16/28 waiting",
    );
    check("1,2", "allocated 1, spare 0, wait 600 ->");
}

/// It may have given all of it to pods, and cannot say so; or it has said so, and that is not seen.
#[test]
fn what_an_agent_is_shown_and_has_not_written_since_is_kept() {
    let begun = "listed 16/28, allocated 16/28, hold 32/28, spare 16";
    check("cidr 16/28", &format!("{begun}, wait 600 ->"));
    check(
        "cidr 16/28",
        &format!(
            "{begun}, listed 16/28,32/28, wait 600 ->
             requested 9                  -> 32/28 waiting
             wait 180                     -> 32/28 asked; withheld 32/28
             listed 16/28                 -> 32/28 agreed; withheld 32/28
             spare 0                      ->
             listed 16/28,32/28, spare 16, wait 600 ->
             allocated 16/28,32/28        ->
             allocated 16/28              -> 32/28 waiting"
        ),
    );
}

#[test]
fn an_agent_that_names_nothing_gives_nothing_back() {
    check("cidr 16/28 32/28", "listed 16/28,32/28, spare 32, wait 600 ->");
}

/// What the former operator withdrew may be gone in a moment; what is new on a node is shown at once.
#[test]
fn a_new_operator_does_not_show_what_was_withdrawn() {
    let withdrawn = "listed 16/28,32/28, allocated 16/28, spare 16, wait 180, listed 16/28";
    check(
        "cidr 16/28 32/28",
        &format!(
            "{withdrawn}                  -> 32/28 agreed; withheld 32/28
             restart                      -> 32/28 doubtful; withheld 32/28
             wait 60, read                -> 32/28 agreed; withheld 32/28
             spare 0                      ->"
        ),
    );
    check("cidr 16/28 32/28", "spare 0 -> ");
}

#[test]
fn an_agent_that_speaks_otherwise_is_asked_anew() {
    check(
        "1-4",
        "spare 1, wait 180, written, says 4 ready -> 4 agreed
         contract cidr, spare 0       -> ; remove 4
         written                      ->",
    );
}
