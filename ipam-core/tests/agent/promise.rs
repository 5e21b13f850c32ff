//! What the node does about an entry of `release-ips`.

use std::time::Duration;

use ipam_core::agent::Release;
use ipam_core::promise::{Entry, STUCK_AFTER, step};

/// One line for each entry: what it says, whether the address is in the pool, used and has left the pool, how many seconds it
/// has lasted; and what is done.
#[track_caller]
fn check(table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (entry, expected) = line.split_once(" -> ").unwrap();
        let mut words = entry.split_whitespace();
        let release = match words.next() {
            Some("marked") => Release::Marked,
            Some("ready") => Release::Ready,
            Some("refused") => Release::Refused,
            Some("released") => Release::Released,
            other => panic!("no such entry: {other:?}"),
        };
        let words: Vec<&str> = words.collect();
        let lasts = words.iter().find_map(|word| word.strip_suffix('s')?.parse().ok());
        let entry = Entry {
            release,
            in_pool: words.contains(&"pool"),
            left_pool: words.contains(&"left"),
            used: words.contains(&"used"),
            lasts: Duration::from_secs(lasts.unwrap_or_default()),
        };
        assert_eq!(format!("{:?}", step(entry)), expected, "{line}");
    }
}

#[test]
fn every_entry_has_one_step() {
    assert_eq!(STUCK_AFTER, Duration::from_mins(5));
    check(
        "marked -> Refuse
         marked pool -> Promise
         marked pool used -> Refuse
         marked used -> Refuse
         marked pool left 900s -> Promise
         ready -> Hold
         ready pool -> Hold
         ready pool used -> Refuse
         ready used -> Refuse
         ready pool 900s -> Hold
         refused -> LetGo
         refused pool used -> LetGo
         released -> Remove
         released used -> Remove
         released pool -> Hold
         released pool used -> Hold
         released pool 299s -> Hold
         released pool 300s -> Remove
         released pool left -> Remove",
    );
}
