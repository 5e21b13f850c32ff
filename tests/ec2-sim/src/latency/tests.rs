use super::*;

/// Median and 99th percentile of 20,000 draws, in milliseconds, within a tenth of what is expected.
#[track_caller]
fn check(what: &str, expected: &str) {
    let assumptions = Assumptions::default();
    let (profile, call) = what.split_once(' ').unwrap();
    let profile = serde_json::from_value(serde_json::Value::from(profile)).unwrap();
    let settings = Settings::of(profile);
    let (name, items) = call.split_once(' ').unwrap_or((call, "0"));
    let (action, items) = (Action::find(name).unwrap(), items.parse().unwrap());
    let mut rng = fastrand::Rng::with_seed(11);
    let mut drawn: Vec<_> =
        (0..20_000).map(|_| settings.call(action, items, &assumptions, &mut rng)).collect();
    drawn.sort_unstable();
    let wanted: Vec<f64> = expected.split('/').map(|figure| figure.parse().unwrap()).collect();
    for (at, wanted) in [10_000, 19_800].into_iter().zip(wanted) {
        let found = drawn[at].as_secs_f64() * 1_000.0;
        assert!((found - wanted).abs() <= wanted / 10.0, "{what}: {found} for {wanted}");
    }
}

#[test]
fn calls_take_what_was_seen() {
    check("zero DescribeNetworkInterfaces 1000", "0/0");
    check("typical DescribeNetworkInterfaces", "150/400");
    check("typical DescribeNetworkInterfaces 1000", "650/900");
    check("typical AttachNetworkInterface", "700/1500");
    check("typical CreateNetworkInterface", "400/1200");
    check("typical DescribeRouteTables", "900/998");
    check("slow DescribeVpcs", "300/400");
}

#[test]
fn figures_can_be_given_for_an_action() {
    let mut settings = Settings::default();
    let p50 = Duration::from_millis(10);
    let figures = Figures { p50, p99: p50, per_item: Duration::ZERO };
    settings.overrides.insert(Action::CreateTags, figures);
    let mut rng = fastrand::Rng::with_seed(1);
    let drawn = settings.call(Action::CreateTags, 0, &Assumptions::default(), &mut rng);
    assert_eq!(drawn, p50);
}

#[test]
fn guesses_are_switches() {
    let mut assumptions = Assumptions::default();
    assumptions.set("latency-create", "0ms").unwrap();
    let mut rng = fastrand::Rng::with_seed(1);
    let settings = Settings::of(Profile::Typical);
    let drawn = settings.call(Action::CreateNetworkInterface, 0, &assumptions, &mut rng);
    assert_eq!(drawn, Duration::ZERO);
}

#[test]
fn links_come_late_or_never() {
    let mut assumptions = Assumptions::default();
    assumptions.set("link-never", "0.25").unwrap();
    let settings = Settings::of(Profile::Typical);
    let mut rng = fastrand::Rng::with_seed(2);
    let mut draw = || settings.background(Background::Link, &assumptions, &mut rng);
    let drawn: Vec<_> = (0..40_000).map(|_| draw()).collect();
    let never = drawn.iter().filter(|drawn| drawn.is_none()).count();
    assert!((9_500..10_500).contains(&never), "{never} of 40,000 never");
    let longest = drawn.into_iter().flatten().max().unwrap();
    assert!(longest > Duration::from_mins(1) && longest <= Duration::from_secs(150));
}

#[test]
fn background_changes_stay_within_their_bounds() {
    let assumptions = Assumptions::default();
    let settings = Settings::of(Profile::Typical);
    let mut rng = fastrand::Rng::with_seed(3);
    let cases = [
        (Background::Attaching, 0.5..=2.0),
        (Background::Detaching, 2.0..=15.0),
        (Background::Creating, 0.1..=1.0),
        (Background::Terminating, 10.0..=60.0),
        (Background::Booting, 5.0..=30.0),
    ];
    for (change, bounds) in cases {
        for _ in 0..500 {
            let drawn = settings.background(change, &assumptions, &mut rng).unwrap();
            assert!(bounds.contains(&drawn.as_secs_f64()), "{change:?}: {drawn:?}");
        }
    }
    let throttled = settings.throttled(&assumptions, &mut rng);
    assert!((5..=20).contains(&throttled.as_millis()));
}
