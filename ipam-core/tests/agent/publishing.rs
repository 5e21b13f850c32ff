//! When something is published, and when not.

use crate::door::check;

#[test]
fn the_first_is_published_at_once_and_the_next_when_it_is_quiet() {
    check(
        "metadata eni-1#0=10.0.0.5,10.0.0.6,10.0.0.7
         add c1 a/x
         word
         written
         at 5s add c2 a/y
         deadline
         at 5500ms add c3 a/z
         at 6s tick
         at 6500ms tick
         written
         deadline",
        "listed +3 -0 withdrawn 0
         c1 10.0.0.5
         publish used [10.0.0.5=a/x@eni-1] releases []
         nothing
         c2 10.0.0.6
         6000 ms
         c3 10.0.0.7
         nothing
         publish used [10.0.0.5=a/x@eni-1 10.0.0.6=a/y@eni-1 10.0.0.7=a/z@eni-1] releases []
         nothing
         none",
    );
}

#[test]
fn unrest_delays_no_longer_than_the_latest_moment() {
    check(
        "metadata eni-1#0=10.0.0.5
         add c1 a/x
         word
         written
         at 10s del c1
         at 10900ms add c2 a/y
         at 11800ms del c2
         at 12700ms add c3 a/y
         at 13600ms del c3
         at 14500ms add c4 a/y
         at 15400ms del c4
         at 16300ms add c5 a/y
         at 17200ms del c5
         at 18100ms add c6 a/y
         at 19s del c6
         at 19900ms add c7 a/y
         at 20800ms del c7
         at 21700ms add c8 a/y
         at 22600ms del c8
         at 23500ms add c9 a/y
         at 24400ms del c9
         deadline
         at 25s tick",
        "listed +1 -0 withdrawn 0
         c1 10.0.0.5
         publish used [10.0.0.5=a/x@eni-1] releases []
         nothing
         c1 done
         10.0.0.5 cut short; c2 10.0.0.5
         c2 done
         10.0.0.5 cut short; c3 10.0.0.5
         c3 done
         10.0.0.5 cut short; c4 10.0.0.5
         c4 done
         10.0.0.5 cut short; c5 10.0.0.5
         c5 done
         10.0.0.5 cut short; c6 10.0.0.5
         c6 done
         10.0.0.5 cut short; c7 10.0.0.5
         c7 done
         10.0.0.5 cut short; c8 10.0.0.5
         c8 done
         10.0.0.5 cut short; c9 10.0.0.5
         c9 done
         25000 ms
         publish used [] releases []",
    );
}

#[test]
fn what_is_shown_already_is_not_written() {
    check(
        "metadata eni-1#0=10.0.0.5
         add c1 a/x
         word used=10.0.0.5:a/x
         at 1s del c1
         written
         word
         at 3s add c2 a/x
         at 4s tick
         written
         at 5s del c2
         at 5100ms add c3 a/x
         at 7s tick
         deadline",
        "listed +1 -0 withdrawn 0
         c1 10.0.0.5
         nothing
         c1 done; publish used [] releases []
         nothing
         nothing
         10.0.0.5 cut short; c2 10.0.0.5
         publish used [10.0.0.5=a/x@eni-1] releases []
         nothing
         c2 done
         10.0.0.5 cut short; c3 10.0.0.5
         nothing
         none",
    );
}

#[test]
fn what_somebody_overwrites_is_written_again_but_not_in_a_tight_loop() {
    check(
        "metadata eni-1#0=10.0.0.5
         add c1 a/x
         word
         written
         word
         at 2s word used=10.0.0.5:b/y
         deadline
         at 14999ms tick
         at 15s tick
         written
         at 16s word used=10.0.0.5:b/y
         at 30s tick
         written
         at 31s word
         at 90s tick",
        "listed +1 -0 withdrawn 0
         c1 10.0.0.5
         publish used [10.0.0.5=a/x@eni-1] releases []
         nothing
         nothing
         nothing
         15000 ms
         nothing
         publish used [10.0.0.5=a/x@eni-1] releases []
         nothing
         nothing
         publish used [10.0.0.5=a/x@eni-1] releases []
         nothing
         nothing
         nothing",
    );
}

#[test]
fn a_failed_one_is_tried_again_with_growing_pauses() {
    check(
        "metadata eni-1#0=10.0.0.5
         add c1 a/x
         word
         failed
         problems
         deadline
         at 2s tick
         failed
         deadline
         at 4s tick
         failed
         deadline
         at 8s tick
         written
         problems
         deadline",
        "listed +1 -0 withdrawn 0
         c1 10.0.0.5
         publish used [10.0.0.5=a/x@eni-1] releases []
         nothing
         conflict
         2000 ms
         publish used [10.0.0.5=a/x@eni-1] releases []
         nothing
         4000 ms
         publish used [10.0.0.5=a/x@eni-1] releases []
         nothing
         8000 ms
         publish used [10.0.0.5=a/x@eni-1] releases []
         nothing
         none
         none",
    );
}

#[test]
fn nothing_is_published_before_a_word_nor_while_it_is_unknown_what_is_used() {
    check(
        "start untrusted
         metadata eni-1#0=10.0.0.5
         at 60s tick
         word
         at 90s tick
         found 10.0.0.5=a/x",
        "nothing
         listed +1 -0 withdrawn 0
         nothing
         nothing
         nothing
         adopted 10.0.0.5 of a/x; publish used [10.0.0.5=a/x@eni-1] releases []",
    );
}

#[test]
fn one_at_a_time() {
    check(
        "metadata eni-1#0=10.0.0.5,10.0.0.6
         add c1 a/x
         word
         at 10s add c2 a/y
         at 60s tick
         at 61s written",
        "listed +2 -0 withdrawn 0
         c1 10.0.0.5
         publish used [10.0.0.5=a/x@eni-1] releases []
         c2 10.0.0.6
         nothing
         publish used [10.0.0.5=a/x@eni-1 10.0.0.6=a/y@eni-1] releases []",
    );
}
