//! The SDK's paginators and waiters.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ec2::client::Waiters;
use ec2_sim::build::NewInterface;
use ec2_sim::id::SubnetId;

use crate::bed::{Bed, through_both_faces};

through_both_faces! {
    pages_hold_everything_once,
    types_come_in_pages,
    tokens_belong_to_their_query,
    waiters_end,
    waiters_fail,
}

async fn pages_hold_everything_once(bed: Bed) {
    bed.build(|mut builder| {
        for _ in 0..200 {
            builder.interface(NewInterface::new(SubnetId::from_number(3))).expect("an interface");
        }
    });
    for size in [5, 50, 1_000] {
        let call = bed.client.describe_network_interfaces().max_results(size);
        let mut pages = call.into_paginator().send();
        let (mut count, mut ids) = (0, Vec::new());
        while let Some(page) = pages.next().await {
            let page = page.expect("a page");
            count += 1;
            assert!(page.network_interfaces().len() <= usize::try_from(size).expect("a size"));
            ids.extend(
                page.network_interfaces()
                    .iter()
                    .filter_map(|one| one.network_interface_id().map(str::to_owned)),
            );
        }
        assert_eq!(ids.len(), 206, "pages of {size}");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 206, "pages of {size}");
        assert_eq!(count, (206 + size - 1) / size, "pages of {size}");
    }
}

async fn types_come_in_pages(bed: Bed) {
    let call = bed.client.describe_instance_types().max_results(100).into_paginator().items();
    let names: Result<Vec<_>, _> = call
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .map(|types| types.into_iter().filter_map(|one| one.instance_type).collect());
    let names = names.expect("all types");
    assert_eq!(names.len(), ec2_sim::instance_types::all().len());
}

async fn tokens_belong_to_their_query(mut bed: Bed) {
    bed.check(
        "more = DescribeTags MaxResults=5
         DescribeTags MaxResults=5 NextToken=more Filter=key=Name
         DescribeSubnets MaxResults=5 NextToken=more",
        "node-1 instance Name node-1
         node-2 instance Name node-2
         big instance Name big
         old instance Name old
         nodes-a subnet Name nodes-a
         and more
         InvalidNextToken: …
         InvalidNextToken: …",
    )
    .await;
}

async fn waiters_end(mut bed: Bed) {
    bed.run(
        "a = CreateNetworkInterface SubnetId=pods-a
         at = AttachNetworkInterface NetworkInterfaceId=a InstanceId=node-1 DeviceIndex=1
         DetachNetworkInterface AttachmentId=at",
    )
    .await;
    let waiter = bed.client.wait_until_network_interface_available();
    let available =
        waiter.network_interface_ids(bed.names.id("a")).wait(Duration::from_mins(1)).await;
    assert!(available.is_ok(), "{available:?}");
    let waiter = bed.client.wait_until_instance_running().instance_ids(bed.names.id("node-1"));
    let running = waiter.wait(Duration::from_mins(1)).await;
    assert!(running.is_ok(), "{running:?}");
}

async fn waiters_fail(bed: Bed) {
    let waiter = bed.client.wait_until_network_interface_available();
    let gone = waiter.network_interface_ids("eni-0000000a").wait(Duration::from_mins(1)).await;
    let text = format!("{:?}", gone.expect_err("nobody can wait for that"));
    assert!(text.contains("InvalidNetworkInterfaceID.NotFound"), "{text}");
}
