//! Whole screens.

use ratatui::buffer::Cell;
use ratatui::style::Color;

use super::script::Seen;
use super::{check, check_seen, render, text};

/// A minute in which more pods come than the subnet takes.
const BUSY: &str = "
    at 42s of 60s
    scenario subnet-exhaustion
    about A subnet of 32 addresses runs full; pods on its nodes wait and say why.
    operator ready
    node small-0 m5.large eu-west-1a ready used 18 free 0 cooling 4 enis 3 max 27
    blocked SubnetsExhausted subnet-0a1 has no address left
    node small-1 m5.xlarge eu-west-1a ready used 9 free 0 cooling 0 enis 2 max 42
    blocked SubnetsExhausted subnet-0a1 has no address left
    blocked InstanceFull m5.xlarge has no slot left
    node big-0 c5.4xlarge eu-west-1b ready used 31 free 12 cooling 3 promised 2 enis 2 max 232
    node big-1 c5.4xlarge eu-west-1b joining max 232
    node old-0 m5.large eu-west-1b silent used 4 free 6 enis 1 max 27
    pods running 58 waiting 4 started 122 refused 9
    waiting 12400 default/web-117 small-0 no free address: SubnetsExhausted
    waiting 4200 default/web-119 small-1 no free address: SubnetsExhausted
    waiting 1800 default/web-121 old-0 the agent does not answer
    waiting 200 default/web-122 - not placed on a node yet
    call AssignPrivateIpAddresses made 14 late 6 refill 5
    call AttachNetworkInterface made 6 refill 5
    call CreateNetworkInterface made 9 throttled 2 failed 1 late 3 refill 5
    call DescribeNetworkInterfaces made 12 late 2 refill 20
    call DescribeSubnets made 3
    call ModifyNetworkInterfaceAttribute made 6 refill 5
    news 0 the operator leads
    news 2 node small-0 has joined
    news 3 node big-0 has joined
    trouble 17 somebody else takes addresses of subnet a: 4 are left
    trouble 31 the agent of old-0 was killed
    news 40 node big-1 has joined";

#[test]
fn a_busy_minute_in_a_small_terminal() {
    check(
        BUSY,
        (80, 24),
        "
 Berth playground  subnet-exhaustion         42s of 60s  ━━━━━━━━━━━━━━━━╌╌╌╌╌╌╌
 operator ready   5 nodes: 3 ready, 1 joining, 1 silent   seed 7
─ Nodes 5 ─────────────────────── █ used  ▒ free  ~ cooling  > promised  · room
  node    type       zone addresses    used free cool ENIs state, or why blocked
! small-0 m5.large   1a   ████████~~··   18    -    4    3 SubnetsExhausted
! small-1 m5.xlarge  1a   ███·········    9    -    -    2 SubnetsExhausted (+1)
  big-0   c5.4xlarge 1b   █▒~>········   31   12    3    2 ready
  big-1   c5.4xlarge 1b   ············    -    -    -    - joining
! old-0   m5.large   1b   ██▒▒▒·······    4    6    -    1 silent
─ Pods without an address 4 ──────────────────────────── failed tries so far: 9
  longest 12s: default/web-117 on small-0: no free address: SubnetsExhausted
    2  no free address: SubnetsExhausted
       … 2 more reasons
─ EC2 calls 50, 2 throttled, 1 failed ──────────────────────── … 2 more actions
  action                           calls last 10s throttled failed  refill/s
! CreateNetworkInterface               9    0.3/s         2      1         5
  AssignPrivateIpAddresses            14    0.6/s         -      -         5
  DescribeNetworkInterfaces           12    0.2/s         -      -        20
  AttachNetworkInterface               6        -         -      -         5
─ Last events ──────────────────────────────────────────────────────────────────
!   17s  somebody else takes addresses of subnet a: 4 are left
!   31s  the agent of old-0 was killed
    40s  node big-1 has joined
 Pods 58 running  4 waiting  122 started   0 findings         ↑↓ scroll  q ends",
    );
}

#[test]
fn a_busy_minute_in_a_large_terminal() {
    check(BUSY, (120, 40), "
 Berth playground  subnet-exhaustion                                                 42s of 60s  ━━━━━━━━━━━━━━━━╌╌╌╌╌╌╌
 operator ready   5 nodes: 3 ready, 1 joining, 1 silent   seed 7
 A subnet of 32 addresses runs full; pods on its nodes wait and say why.
─ Nodes 5 ─────────────────────────────────────────────────────────────── █ used  ▒ free  ~ cooling  > promised  · room
  node    type       zone       addresses            used free cool prom  max ENIs state, or why blocked
! small-0 m5.large   eu-west-1a █████████████~~~····   18    -    4    -   27    3 SubnetsExhausted: subnet-0a1 has no …
! small-1 m5.xlarge  eu-west-1a ████················    9    -    -    -   42    2 SubnetsExhausted (+1): subnet-0a1 ha…
  big-0   c5.4xlarge eu-west-1b ██▒~>···············   31   12    3    2  232    2 ready
  big-1   c5.4xlarge eu-west-1b ····················    -    -    -    -  232    - joining
! old-0   m5.large   eu-west-1b ███▒▒▒▒·············    4    6    -    -   27    1 silent
─ Pods without an address 4 ──────────────────────────────────────────────────────────────────── failed tries so far: 9
  longest 12s: default/web-117 on small-0: no free address: SubnetsExhausted
    2  no free address: SubnetsExhausted
    1  not placed on a node yet
    1  the agent does not answer


─ EC2 calls 50, 2 throttled, 1 failed ──────────────────────────────────────────────────────────────────────────────────
  action                           calls last 10s throttled failed  refill/s
  AssignPrivateIpAddresses            14    0.6/s         -      -         5
  AttachNetworkInterface               6        -         -      -         5
! CreateNetworkInterface               9    0.3/s         2      1         5
  DescribeNetworkInterfaces           12    0.2/s         -      -        20
  DescribeSubnets                      3        -         -      -         -
  ModifyNetworkInterfaceAttribute      6        -         -      -         5
─ Last events ──────────────────────────────────────────────────────────────────────────────────────────────────────────
     0s  the operator leads
     2s  node small-0 has joined
     3s  node big-0 has joined
!   17s  somebody else takes addresses of subnet a: 4 are left
!   31s  the agent of old-0 was killed
    40s  node big-1 has joined







 Pods 58 running  4 waiting  122 started   0 findings                                       ↑↓ PgUp PgDn scroll  q ends");
}

#[test]
fn the_first_moment() {
    check(
        "at 0s of 60s",
        (80, 24),
        "
 Berth playground  steady                     0s of 60s  ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
 operator ! not seen yet   0 nodes   seed 7
─ Nodes 0 ─────────────────────────────────── █ used  ▒ free  ~ cooling  · room
  node type zone addresses     used free cool  max ENIs state, or why blocked
  none has joined yet
─ Pods without an address 0 ──────────────────────────── failed tries so far: 0
  none





─ EC2 calls 0, 0 throttled, 0 failed ───────────────────────────────────────────
  action                           calls last 10s throttled failed  refill/s
  none yet
─ Last events ──────────────────────────────────────────────────────────────────
  nothing yet






 Pods 0 running  0 waiting  0 started   0 findings  ↑↓ PgUp PgDn scroll  q ends",
    );
}

#[test]
fn the_smallest_terminal() {
    check(
        BUSY,
        (60, 15),
        "
 Berth playground  subnet-ex… 42s of 60s  ━━━━━━━━━━━━╌╌╌╌╌╌
 operator ready   5 nodes: 3 ready, 1 joining, 1 silent
─ Nodes 5 ─── █ used  ▒ free  ~ cooling  > promised  · room
  node    addresses    used free ENIs state, or why blocked
! small-0 ████████~~··   18    -    3 SubnetsExhausted
! small-1 ███·········    9    -    2 SubnetsExhausted (+1)
  … 3 more ↓
─ Pods without an address 4 ──────── failed tries so far: 9
  longest 12s: default/web-117 on small-0: no free address…
─ EC2 calls 50, 2 throttled, 1 failed ──── … 5 more actions
  action           calls last 10s throttled failed  refill/s
! CreateNetworkIn      9    0.3/s         2      1         5
─ Last events ──────────────────────────────────────────────
    40s  node big-1 has joined
 Pods 58 running  4 waiting   0 findings  ↑↓ scroll  q ends",
    );
}

#[test]
fn too_small_a_terminal() {
    check(
        BUSY,
        (40, 6),
        "
Too small to show more: 40 by 6, and 60
by 15 are needed. 42s: 58 pods running,
4 waiting, 0 findings. q ends.",
    );
}

/// Fifty nodes, of which the last ones are those to look at.
fn fleet() -> Seen {
    let mut seen = Seen::read(
        "at 301s of 600s
         scenario rolling-drain
         operator ready
         prefixes yes
         pods running 800 waiting 0 started 4032
         call AssignPrivateIpAddresses made 211 late 30 refill 5
         call CreateNetworkInterface made 50 throttled 4 late 1 refill 5
         trouble 290 node general-48 answers no more",
    );
    for node in 0..50 {
        let zone = ["a", "b", "c"][node % 3];
        let state = match node {
            48.. => "silent",
            46..48 => "draining",
            _ => "ready",
        };
        let used = node % 17;
        seen.read_more(&format!(
            "node general-{node} m5.4xlarge eu-west-1{zone} {state} used {used} free 16 prefixes 2 enis 1 max 464"
        ));
        if node == 20 {
            seen.read_more("blocked NoFreePrefix no block of 16 is free in subnet-0a1");
        }
    }
    seen
}

#[test]
fn those_to_look_at_come_first_where_not_all_fit() {
    check_seen(
        &fleet(),
        (80, 24),
        "
 Berth playground  rolling-drain        5m01s of 10m00s  ━━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌
 operator ready   50 nodes: 46 ready, 2 draining, 2 silent   seed 7
─ Nodes 50 ────────────────────────────────── █ used  ▒ free  ~ cooling  · room
  node       type       addresses    used free ENIs /28s state, or why blocked
! general-20 m5.4xlarge █▒··········    3   16    1    2 NoFreePrefix
! general-48 m5.4xlarge █▒··········   14   16    1    2 silent
! general-49 m5.4xlarge █▒··········   15   16    1    2 silent
  general-0  m5.4xlarge ▒···········    -   16    1    2 ready
  general-1  m5.4xlarge █▒··········    1   16    1    2 ready
  general-2  m5.4xlarge █▒··········    2   16    1    2 ready
  … 44 more ↓
─ Pods without an address 0 ──────────────────────────── failed tries so far: 0
  none


─ EC2 calls 261, 4 throttled, 0 failed ─────────────────────────────────────────
  action                           calls last 10s throttled failed  refill/s
  AssignPrivateIpAddresses           211      3/s         -      -         5
! CreateNetworkInterface              50    0.1/s         4      -         5
─ Last events ──────────────────────────────────────────────────────────────────
! 4m50s  node general-48 answers no more


 Pods 800 running  0 waiting  4032 started   0 findings       ↑↓ scroll  q ends",
    );
}

#[test]
fn scrolled_to_the_last_node() {
    check_seen(
        &Seen { scroll: 9_999, ..fleet() },
        (100, 24),
        "
 Berth playground  rolling-drain                            5m01s of 10m00s  ━━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌
 operator ready   50 nodes: 46 ready, 2 draining, 2 silent   seed 7
─ Nodes 50 ────────────────────────────────────────────────────── █ used  ▒ free  ~ cooling  · room
  node       type       zone addresses      used free cool  max ENIs /28s state, or why blocked
  general-42 m5.4xlarge 1a   █▒············    8   16    -  464    1    2 ready
  general-43 m5.4xlarge 1b   █▒············    9   16    -  464    1    2 ready
  general-44 m5.4xlarge 1c   █▒············   10   16    -  464    1    2 ready
  general-45 m5.4xlarge 1a   █▒············   11   16    -  464    1    2 ready
  general-46 m5.4xlarge 1b   █▒············   12   16    -  464    1    2 draining
  general-47 m5.4xlarge 1c   █▒············   13   16    -  464    1    2 draining
  … 44 more ↑
─ Pods without an address 0 ──────────────────────────────────────────────── failed tries so far: 0
  none


─ EC2 calls 261, 4 throttled, 0 failed ─────────────────────────────────────────────────────────────
  action                           calls last 10s throttled failed  refill/s
  AssignPrivateIpAddresses           211      3/s         -      -         5
! CreateNetworkInterface              50    0.1/s         4      -         5
─ Last events ──────────────────────────────────────────────────────────────────────────────────────
! 4m50s  node general-48 answers no more


 Pods 800 running  0 waiting  4032 started   0 findings                 ↑↓ PgUp PgDn scroll  q ends");
}

#[test]
fn broken_promises_are_seen() {
    let findings = "
        finding 10.0.0.17 is used by default/web-3 on a-0 and by default/web-9 on a-1
        finding 10.0.0.18 is used by default/web-4, and a-0 has it no more, which nobody noticed until it was much too late for it";
    check(
        &format!("{BUSY}{findings}"),
        (80, 24),
        "
 Berth playground  subnet-exhaustion         42s of 60s  ━━━━━━━━━━━━━━━━╌╌╌╌╌╌╌
 operator ready   5 nodes: 3 ready, 1 joining, 1 silent   seed 7
─ Nodes 5 ─────────────────────── █ used  ▒ free  ~ cooling  > promised  · room
  node    type       zone addresses    used free cool ENIs state, or why blocked
! small-0 m5.large   1a   ████████~~··   18    -    4    3 SubnetsExhausted
! small-1 m5.xlarge  1a   ███·········    9    -    -    2 SubnetsExhausted (+1)
  big-0   c5.4xlarge 1b   █▒~>········   31   12    3    2 ready
  big-1   c5.4xlarge 1b   ············    -    -    -    - joining
! old-0   m5.large   1b   ██▒▒▒·······    4    6    -    1 silent
─ Pods without an address 4 ──────────────────────────── failed tries so far: 9
  longest 12s: default/web-117 on small-0: no free address: SubnetsExhausted
    2  no free address: SubnetsExhausted
       … 2 more reasons
─ EC2 calls 50, 2 throttled, 1 failed ──────────────────────── … 3 more actions
  action                           calls last 10s throttled failed  refill/s
! CreateNetworkInterface               9    0.3/s         2      1         5
  AssignPrivateIpAddresses            14    0.6/s         -      -         5
  DescribeNetworkInterfaces           12    0.2/s         -      -        20
─ Last events ──────────────────────────────────────────────────────────────────
!   31s  the agent of old-0 was killed
    40s  node big-1 has joined
 BROKEN PROMISE: 10.0.0.17 is used by default/web-3 on a-0 and by default/web-…
 BROKEN PROMISE: 10.0.0.18 is used by default/web-4, and a-0 has it no more, w…
 Pods 58 running  4 waiting  122 started   2 findings         ↑↓ scroll  q ends",
    );
    check(
        &format!("{BUSY}{findings}"),
        (60, 15),
        "
 Berth playground  subnet-ex… 42s of 60s  ━━━━━━━━━━━━╌╌╌╌╌╌
 operator ready   5 nodes: 3 ready, 1 joining, 1 silent
─ Nodes 5 ─── █ used  ▒ free  ~ cooling  > promised  · room
  node    addresses    used free ENIs state, or why blocked
! small-0 ████████~~··   18    -    3 SubnetsExhausted
  … 4 more ↓
─ Pods without an address 4 ──────── failed tries so far: 9
  longest 12s: default/web-117 on small-0: no free address…
─ EC2 calls 50, 2 throttled, 1 failed ──── … 5 more actions
  action           calls last 10s throttled failed  refill/s
! CreateNetworkIn      9    0.3/s         2      1         5
─ Last events ──────────────────────────────────────────────
    40s  node big-1 has joined
 BROKEN PROMISE: 10.0.0.17 is used by default… (and 1 more)
 Pods 58 running  4 waiting   2 findings  ↑↓ scroll  q ends",
    );
}

#[test]
fn colours_only_where_they_are_wanted() {
    for (wanted, is_coloured) in [("yes", true), ("no", false)] {
        let text = format!("{BUSY}\ncolours {wanted}\nfinding one");
        let (buffer, _) = render(&Seen::read(&text), (120, 40));
        let coloured = |cell: &Cell| cell.fg != Color::Reset || cell.bg != Color::Reset;
        assert_eq!(buffer.content().iter().any(coloured), is_coloured);
    }
    let [with, without] = ["yes", "no"].map(|wanted| {
        text(&render(&Seen::read(&format!("{BUSY}\ncolours {wanted}")), (120, 40)).0)
    });
    assert_eq!(with, without, "what is told by colours is told by characters too");
}
