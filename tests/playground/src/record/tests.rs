use super::*;
use crate::moment::{Node, Waiting};

fn moment(second: u64, nodes: usize) -> Moment {
    let at = Duration::from_secs(second);
    Moment { at, nodes: vec![Node::default(); nodes], ..Moment::default() }
}

/// So many moments, a second apart, of so many nodes; how many are kept, and when the first three and the last two of them were.
#[track_caller]
fn check(came: u64, nodes: usize, expected: &str) {
    let mut recorder = Recorder::default();
    for second in 0..came {
        recorder.add(&moment(second, nodes));
    }
    let kept: Vec<u64> = recorder.record.moments.iter().map(|moment| moment.at.as_secs()).collect();
    let ends = (&kept[..kept.len().min(3)], &kept[kept.len().saturating_sub(2)..]);
    assert_eq!(format!("{}: {:?} {:?}", kept.len(), ends.0, ends.1), expected);
}

#[test]
fn a_short_run_is_kept_whole() {
    check(1, 5, "1: [0] [0]");
    check(3_600, 5, "3600: [0, 1, 2] [3598, 3599]");
}

#[test]
fn a_long_run_is_thinned_out_and_keeps_its_last_moment() {
    check(3_601, 5, "1801: [0, 2, 4] [3598, 3600]");
    check(3_602, 5, "1802: [0, 2, 4] [3600, 3601]");
    check(3_603, 5, "1802: [0, 2, 4] [3600, 3602]");
    check(100_000, 5, "3126: [0, 32, 64] [99968, 99999]");
}

#[test]
fn many_nodes_leave_fewer_moments() {
    check(1_001, 200, "501: [0, 2, 4] [998, 1000]");
    check(302, 5_000, "152: [0, 2, 4] [300, 301]");
}

#[test]
fn why_pods_and_nodes_wait_is_counted_and_no_list_is_kept() {
    let mut recorder = Recorder::default();
    for (second, pods) in [(1, 2), (2, 3), (3, 1), (4, 0)] {
        let waiting = |number: usize| Waiting {
            pod: format!("default/p{number}"),
            node: None,
            since: Duration::ZERO,
            why: "no room".to_owned(),
        };
        let blocked = vec![("NoSubnet".to_owned(), String::new()); 2];
        let node = Node { blocked, ..Node::default() };
        let nodes = vec![node; usize::from(second < 3)];
        let at = Duration::from_secs(second);
        let waiting = (0..pods).map(waiting).collect();
        recorder.add(&Moment { at, nodes, waiting, ..Moment::default() });
    }
    let seconds = Duration::from_secs;
    let reason =
        |why: &str, most, last| Reason { why: why.to_owned(), most, first: seconds(1), last };
    assert_eq!(recorder.record.reasons, [reason("no room", 3, seconds(3))]);
    assert_eq!(recorder.record.blocked, [reason("NoSubnet", 1, seconds(2))]);
    assert!(recorder.record.moments.iter().all(|moment| moment.waiting.is_empty()));
}
