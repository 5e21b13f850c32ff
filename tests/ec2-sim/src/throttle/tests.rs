use super::*;

/// Calls at moments given in milliseconds, `3x100` for three at once, against one bucket: which were let through, and what is left.
#[track_caller]
fn check(bucket: &str, calls: &str, expected: &str) {
    let bucket: Bucket = bucket.parse().unwrap();
    let mut buckets = Buckets::default();
    let outcomes = calls.split(' ').map(|call| {
        let (count, at) = call.split_once('x').unwrap();
        let now = Moment::from_micros(at.parse::<u64>().unwrap() * 1_000);
        let calls = 0..count.parse::<u32>().unwrap();
        let passed = calls.filter(|_| buckets.take(now, "1", bucket).0).count();
        let left = buckets.peek(now, "1", bucket).unwrap();
        format!("{passed} passed, {left:.1} left")
    });
    assert_eq!(outcomes.collect::<Vec<_>>().join("; "), expected);
}

#[test]
fn a_bucket_gives_its_capacity_and_then_its_refill() {
    check(
        "AssignPrivateIpAddresses",
        "120x0 10x1000 10x1100 3x60000",
        "100 passed, 0.0 left; 5 passed, 0.0 left; 0 passed, 0.5 left; 3 passed, 97.0 left",
    );
}

#[test]
fn listing_everything_has_a_smaller_bucket() {
    check("DescribeNetworkInterfaces:unfiltered", "60x0", "50 passed, 0.0 left");
    check("DescribeNetworkInterfaces", "120x0", "100 passed, 0.0 left");
}

#[test]
fn every_bucket_has_its_published_size() {
    let expected = "AssignIpv6Addresses 100/5, AssignPrivateIpAddresses 100/5, AssociateAddress 50/5, \
        AttachNetworkInterface 50/5, CreateNetworkInterface 100/5, CreateSubnetCidrReservation 5/1, CreateTags 100/10, \
        DeleteNetworkInterface 100/5, DescribeAddresses 100/20, DescribeInstanceTypes 100/20, DescribeInstances 100/20, \
        DescribeNetworkInterfaces 100/20, DescribeRouteTables 100/20, DescribeSecurityGroups 100/20, \
        DescribeSubnets 100/20, DescribeTags 100/20, DescribeVpcs 100/20, DetachNetworkInterface 50/5, \
        GetSecurityGroupsForVpc 100/20, ModifyNetworkInterfaceAttribute 100/5, UnassignIpv6Addresses 50/5, \
        UnassignPrivateIpAddresses 100/5";
    let size = |action: &Action| {
        let size = published(Bucket::of(*action));
        format!("{} {}/{}", action.name(), size.capacity, size.refill_per_second)
    };
    let sizes: Vec<_> = Action::ALL.iter().map(size).collect();
    assert_eq!(sizes.join(", "), expected);
}

#[test]
fn names_of_buckets_are_read_and_written() {
    for name in ["DescribeInstances", "DescribeInstances:unfiltered", "CreateTags"] {
        assert_eq!(name.parse::<Bucket>().unwrap().to_string(), name);
    }
    for name in ["CreateTags:unfiltered", "RunInstances", ""] {
        assert_eq!(name.parse::<Bucket>(), Err(UnknownBucket(name.to_owned())));
    }
    assert_eq!(Bucket::unfiltered(Action::CreateTags), Bucket::of(Action::CreateTags));
}

#[test]
fn accounts_and_actions_do_not_share() {
    let mut buckets = Buckets::default();
    let bucket = Bucket::of(Action::CreateTags);
    buckets.empty(Moment::START, "1", bucket);
    assert_eq!(buckets.take(Moment::START, "1", bucket), (false, Some(0.0)));
    assert_eq!(buckets.take(Moment::START, "2", bucket), (true, Some(99.0)));
    let other = Bucket::of(Action::DescribeVpcs);
    assert_eq!(buckets.take(Moment::START, "1", other), (true, Some(99.0)));
}

#[test]
fn limits_can_be_raised_set_and_lifted() {
    let bucket = Bucket::of(Action::AttachNetworkInterface);
    let mut settings = Settings { multiplier: 3.0, ..Settings::default() };
    assert_eq!(settings.size(bucket), Some(Size { capacity: 150.0, refill_per_second: 15.0 }));
    settings.overrides.insert(bucket, Size { capacity: 1.0, refill_per_second: 0.1 });
    let mut buckets = Buckets::new(settings);
    let at = |seconds: u64| Moment::from_micros(seconds * 1_000_000);
    let taken = [0, 1, 9, 10].map(|seconds| buckets.take(at(seconds), "1", bucket).0);
    assert_eq!(taken, [true, false, false, true]);
    buckets.settings = Settings::unlimited();
    assert_eq!(buckets.take(at(10), "1", bucket), (true, None));
}

#[test]
fn a_bucket_that_shrinks_is_cut() {
    let bucket = Bucket::of(Action::CreateTags);
    let mut buckets = Buckets::default();
    buckets.take(Moment::START, "1", bucket);
    buckets.settings.multiplier = 0.1;
    assert_eq!(buckets.peek(Moment::START, "1", bucket), Some(10.0));
}
