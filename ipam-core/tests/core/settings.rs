//! Settings that make no sense cannot be constructed, and say why.

use ipam_core::policy::{ADDRESSES_MAX, Policy, PolicySettings, Watermarks};

/// Changes the defaults and compares the refusal.
fn check(change: impl Fn(&mut PolicySettings), expected: &str) {
    let mut settings = PolicySettings::default();
    change(&mut settings);
    let outcome = Policy::new(settings).map_or_else(|error| error.to_string(), |_| "fine".into());
    assert_eq!(outcome, expected);
}

fn tag(key: &str, value: &str) -> impl Fn(&mut PolicySettings) {
    let tag = (key.to_string(), value.to_string());
    move |settings| settings.eni_tags.extend([tag.clone()])
}

#[test]
fn policies() {
    check(|_| {}, "fine");
    check(tag("team", ""), "fine");
    check(tag("", "x"), "eni-tags key \"\": expected 1 to 128 characters");
    check(tag("aws:x", "y"), "eni-tags \"aws:x\": expected a key that does not start with `aws:`");
    let long = "x".repeat(257);
    check(tag("team", &long), &format!("eni-tags value {long:?}: expected 1 to 256 characters"));
    check(
        |it| (0..46).for_each(|key| tag(&key.to_string(), "x")(it)),
        "eni-tags has 46 tags: expected at most 45",
    );
    check(|it| it.cluster = Some(String::new()), "cluster-name \"\": expected 1 to 256 characters");
    check(|it| it.return_to_prefixes_at = 0, "return-to-prefixes-at is 0: expected 1 to 4096");
    check(
        |it| it.foreign_tag_keys.extend([String::new()]),
        "foreign-tag-keys \"\": expected 1 to 128 characters",
    );
}

#[test]
fn no_tag_key_is_empty() {
    check(
        |it| it.foreign_secondary_tag_keys.extend([String::new()]),
        "foreign-secondary-tag-keys \"\": expected 1 to 128 characters",
    );
}

#[test]
fn berths_own_tags_win() {
    let mut settings = PolicySettings { cluster: Some("blue".into()), ..PolicySettings::default() };
    tag("berth/cluster", "red")(&mut settings);
    tag("team", "x")(&mut settings);
    let policy = Policy::new(settings).unwrap();
    let tags: Vec<String> = policy.eni_tags().iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(tags, ["berth/cluster=blue", "berth/managed=true", "team=x"]);
}

#[test]
fn watermarks() {
    let beyond = ADDRESSES_MAX + 1;
    let check = |watermarks: [u32; 4], expected: &str| {
        let [pre, min, max, above] = watermarks;
        let outcome = Watermarks::new(i32::try_from(pre).unwrap(), min, max, above);
        let text = outcome.map_or_else(|error| error.to_string(), |it| format!("{it:?}"));
        assert!(text.starts_with(expected), "{text}");
    };
    check([8, 20, 6, 0], "Watermarks");
    check([beyond, 0, 0, 0], "pre-allocate is 65537: expected 0 to 65536");
    check([8, beyond, 0, 0], "min-allocate is 65537: expected 0 to 65536");
    check([8, 0, beyond, 0], "max-allocate is 65537: expected 0 to 65536");
    check([8, 0, 0, beyond], "max-above-watermark is 65537: expected 0 to 65536");
    assert!(Watermarks::new(i32::MIN, 0, 0, 0).is_err());
    assert_eq!(Watermarks::new(-1, 0, 0, 0).unwrap().pre_allocate(), -1);
    assert_eq!(Watermarks::default().pre_allocate(), 8);
}
