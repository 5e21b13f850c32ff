//! A line a second.

use std::io::{self, Write};

use super::script::Seen;
use crate::view::lines::Lines;

/// Shows moments, which a line `-` divides, one after the other, and holds what is written to what is expected. Of several blanks one
/// counts.
#[track_caller]
fn check(moments: &str, expected: &str) {
    let mut written = Vec::new();
    let mut lines = Lines::new(&mut written);
    for seen in moments.split("\n-\n").map(Seen::read) {
        lines.show(&seen.moment, &seen.news).expect("a vector takes all");
    }
    let written = String::from_utf8(written).expect("text");
    let blanks = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let written: Vec<String> = written.lines().map(blanks).collect();
    let expected: Vec<String> = expected.trim().lines().map(blanks).collect();
    assert_eq!(written, expected);
}

#[test]
fn a_line_has_all_that_counts() {
    check(
        "at 12s of 60s
         operator ready
         node a-0 m5.large eu-west-1a ready used 20 free 10 cooling 4 max 27
         node a-1 m5.large eu-west-1a joining used 1 free 2 max 27
         node b-0 m5.large eu-west-1b foreign
         pods running 43 waiting 4 started 61
         waiting 900 default/a - not placed yet
         waiting 800 default/b a-0 no free address
         waiting 700 default/c a-0 no free address
         waiting 600 default/d a-0 the agent
         waiting 600 default/e a-0 some other
         call AssignPrivateIpAddresses made 30 throttled 2
         call CreateNetworkInterface made 1 failed 1",
        "12s nodes 1/2 pods 43 running 4 waiting 61 started addresses 21 used 12 free 4 cooling ec2 31 calls 2 throttled 1 failed findings 0 operator ready (no free address: 2, not placed yet: 1, some other: 1, 1 more reason)",
    );
}

#[test]
fn columns_stay_where_they_are() {
    let line = |text: &str| crate::view::lines::status(&Seen::read(text).moment);
    let (few, many) = (
        line("at 3s of 60s"),
        line(
            "at 140s of 200s
             pods running 4312 waiting 120 started 20000
             call AssignPrivateIpAddresses made 31000 throttled 200",
        ),
    );
    assert_eq!(
        few,
        "    3s  nodes     0/0  pods     0 running    0 waiting      0 started  addresses     0 used     0 free     0 cooling  ec2      0 calls    0 throttled    0 failed  findings 0"
    );
    assert_eq!(few.len(), many.len(), "{few}\n{many}");
    let place = |text: &str| text.find("running");
    assert_eq!(place(&few), place(&many));
}

#[test]
fn a_line_a_second_and_troubles_once() {
    let rest = "nodes 0/0 pods 0 running 0 waiting 0 started addresses 0 used 0 free 0 cooling ec2 0 calls 0 throttled 0 failed";
    check(
        "at 1s of 60s
         news 0 the operator leads
         trouble 1 EC2 throttles
-
         at 1s of 60s
         news 0 the operator leads
         trouble 1 EC2 throttles
         trouble 1 EC2 throttles still
         finding 10.0.0.1 is used twice
-
         at 2s of 60s
         trouble 1 EC2 throttles still
         trouble 2 a node is silent
         finding 10.0.0.1 is used twice
-
         at 3s of 60s
         trouble 4 the last one is no longer told of
-
         at 3s of 60s",
        &format!(
            "1s trouble: EC2 throttles
             1s {rest} findings 0
             1s trouble: EC2 throttles still
             1s finding: 10.0.0.1 is used twice
             2s trouble: a node is silent
             2s {rest} findings 1
             4s trouble: the last one is no longer told of
             3s {rest} findings 0"
        ),
    );
}

/// Where nobody reads any more.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn nobody_reads_any_more() {
    let seen = Seen::read("at 1s of 60s");
    let shown = Lines::new(Closed).show(&seen.moment, &seen.news);
    assert_eq!(shown.expect_err("it is closed").kind(), io::ErrorKind::BrokenPipe);
}
