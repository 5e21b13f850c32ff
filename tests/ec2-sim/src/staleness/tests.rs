use super::*;

/// Writes at the given moments with the given delays, then says what each audience sees when, in milliseconds.
///
/// A write: `at: value replica0,replica1,replica2/metadata`; `-` deletes. A read: `at`.
#[track_caller]
fn check(script: &str, expected: &str) {
    let mut object = Versioned::default();
    let mut seen = Vec::new();
    for line in script.split(';').map(str::trim) {
        match line.split_once(": ") {
            Some((at, write)) => {
                let (value, visibility) = parsed(moment(at), write);
                object.write(value, &visibility);
            }
            None => seen.push(read(&object, moment(line))),
        }
    }
    assert_eq!(seen.join("; "), expected);
}

fn moment(milliseconds: &str) -> Moment {
    Moment::from_micros(milliseconds.parse::<u64>().unwrap() * 1_000)
}

fn parsed(now: Moment, write: &str) -> (Option<String>, Visibility) {
    let (value, delays) = write.split_once(' ').unwrap();
    let (replicas, metadata) = delays.split_once('/').unwrap();
    let delay = |text: &str| now + Duration::from_millis(text.parse().unwrap());
    let replicas: Vec<_> = replicas.split(',').map(delay).collect();
    let mut visibility = Visibility::at_once(now);
    visibility.replicas = replicas.try_into().unwrap();
    visibility.metadata = delay(metadata);
    (Some(value.to_owned()).filter(|value| value != "-"), visibility)
}

fn read(object: &Versioned<String>, now: Moment) -> String {
    let replicas = (0..REPLICAS).map(Audience::Replica);
    let audiences = replicas.chain([Audience::Metadata]);
    let seen = audiences.map(|audience| object.seen(now, audience).map_or("-", |value| value));
    seen.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_all_see_at_once_has_no_history() {
    check("0; 5: a 0,0,0/0; 5; 6: - 0,0,0/0; 6", "- - - -; a a a a; - - - -");
    let mut object = Versioned::new(1);
    object.write(Some(2), &Visibility::at_once(Moment::START));
    assert!(object.lagging.is_none());
}

#[test]
fn each_audience_sees_a_change_in_its_own_time() {
    check("10: a 0,100,200/1000; 10; 110; 210; 1010", "a - - -; a a - -; a a a -; a a a a");
}

#[test]
fn successive_reads_may_go_backwards_between_replicas() {
    check("0: a 0,0,0/0; 10: b 0,500,0/0; 20", "b a b b");
}

#[test]
fn a_later_version_overtakes_an_earlier_one() {
    check(
        "0: a 0,0,0/0; 10: b 900,900,900/900; 20: c 0,100,2000/2000; 20; 120; 910; 2020",
        "c a a a; c c a a; c c b b; c c c c",
    );
}

#[test]
fn deletions_lag_too_and_are_settled_when_nobody_sees_anything() {
    let mut object = Versioned::new("a".to_owned());
    let (value, visibility) = parsed(moment("10"), "- 0,50,100/2000");
    let settled_at = object.write(value, &visibility);
    assert_eq!(settled_at, Some(moment("2010")));
    assert_eq!(read(&object, moment("60")), "- - a a");
    assert!(!object.settle(moment("2009")));
    assert!(object.settle(moment("2010")) && object.is_gone());
}

#[test]
fn versions_that_nobody_sees_are_forgotten() {
    let mut object = Versioned::default();
    for number in 0..1_000_u64 {
        let now = Moment::from_micros(number * 1_000_000);
        object.write(
            Some(number),
            &Visibility::draw(Mode::Typical, now, &mut fastrand::Rng::with_seed(number)),
        );
    }
    let older = object.lagging.map_or(0, |lagging| lagging.older.len());
    assert!(older <= 61, "{older} versions are kept");
}

#[test]
fn history_is_kept_for_stale_reads() {
    let mut object = Versioned::new(1);
    let write = Visibility::at_once(moment("1000")).kept_for(Duration::from_secs(1));
    object.write(Some(2), &write);
    let seen = |at| object.seen(moment(at), Audience::Replica(0)).map(|value| **value);
    assert_eq!((seen("999"), seen("1000")), (Some(1), Some(2)));
    assert!(!object.settle(moment("1999")) && object.lagging.is_some());
    object.settle(moment("2000"));
    assert!(object.lagging.is_none());
}

fn percentiles(mut draw: impl FnMut(&mut fastrand::Rng) -> Duration) -> [u128; 4] {
    let mut rng = fastrand::Rng::with_seed(42);
    let mut drawn: Vec<_> = (0..20_000).map(|_| draw(&mut rng).as_millis()).collect();
    drawn.sort_unstable();
    [drawn[10_000], drawn[18_000], drawn[19_800], drawn[19_999]]
}

#[test]
fn lags_have_the_figures_of_the_reference() {
    let [p50, p90, p99, max] = percentiles(typical_lag);
    assert!(p50 <= 5 && (280..320).contains(&p90), "p50 {p50} p90 {p90}");
    assert!((1_700..2_400).contains(&p99) && max <= 10_000, "p99 {p99} max {max}");
    let [p50, _, _, max] = percentiles(metadata_lag);
    assert!((950..1_050).contains(&p50) && max == 60_000, "p50 {p50} max {max}");
}

#[test]
fn modes_differ_in_what_replicas_share() {
    let mut rng = fastrand::Rng::with_seed(5);
    let now = moment("10");
    assert_eq!(Visibility::draw(Mode::Strong, now, &mut rng), Visibility::at_once(now));
    let typical = Visibility::draw(Mode::Typical, now, &mut rng);
    assert!(typical.replicas.iter().all(|at| *at == typical.replicas[0]));
    let adversarial = Visibility::draw(Mode::Adversarial, now, &mut rng);
    assert!(adversarial.replicas[0] != adversarial.replicas[1]);
}
