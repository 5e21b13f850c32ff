//! What happens by itself: interfaces that come and go, and instances that end.

use std::time::Duration;

use ec2_sim::Settings;
use ec2_sim::id::InstanceId;
use ec2_sim::latency::{self, Profile};

use crate::bed::{Bed, Face, run, through_both_faces};
use crate::world;

through_both_faces! {
    stopped_instances_keep_their_addresses,
    terminated_instances_leave_interfaces,
}

fn typical() -> Settings {
    Settings { latency: latency::Settings::of(Profile::Typical), ..world::settings() }
}

async fn stopped_instances_keep_their_addresses(mut bed: Bed) {
    bed.build(|mut builder| builder.stop_instance(&InstanceId::from_number(1))).expect("stops");
    bed.until(
        "DescribeInstances InstanceIds=node-1",
        "node-1 m5.large stopped in nodes-a: +node-1-eth0",
    )
    .await;
    bed.check(
        "a = CreateNetworkInterface SubnetId=pods-a
         AttachNetworkInterface NetworkInterfaceId=a InstanceId=node-1 DeviceIndex=1",
        "10.0.2.4 nothing
         card 0",
    )
    .await;
    bed.build(|mut builder| builder.start_instance(&InstanceId::from_number(1))).expect("starts");
    bed.until(
        "DescribeInstances InstanceIds=node-1",
        "node-1 m5.large running in nodes-a: +node-1-eth0 +a",
    )
    .await;
}

async fn terminated_instances_leave_interfaces(mut bed: Bed) {
    bed.check(
        "kept = CreateNetworkInterface SubnetId=pods-a
         lost = CreateNetworkInterface SubnetId=pods-a
         AttachNetworkInterface NetworkInterfaceId=kept InstanceId=node-1 DeviceIndex=1
         at = AttachNetworkInterface NetworkInterfaceId=lost InstanceId=node-1 DeviceIndex=2
         ModifyNetworkInterfaceAttribute NetworkInterfaceId=lost Attachment.AttachmentId=at Attachment.DeleteOnTermination=true",
        "10.0.2.4 nothing
         10.0.2.5 nothing
         card 0
         card 0
         done",
    )
    .await;
    bed.build(|mut builder| builder.terminate_instance(&InstanceId::from_number(1))).expect("ends");
    let kept = "kept available in pods-a behind default: 10.0.2.4 nothing";
    bed.until("DescribeNetworkInterfaces NetworkInterfaceIds=kept", kept).await;
    bed.until(
        "DescribeNetworkInterfaces NetworkInterfaceIds=lost",
        "InvalidNetworkInterfaceID.NotFound: …",
    )
    .await;
    bed.until(
        "DescribeNetworkInterfaces NetworkInterfaceIds=node-1-eth0",
        "InvalidNetworkInterfaceID.NotFound: …",
    )
    .await;
    bed.check(
        "DescribeSubnets SubnetIds=nodes-a
         AttachNetworkInterface NetworkInterfaceId=kept InstanceId=node-1 DeviceIndex=1",
        "nodes-a main eu-west-1a 10.0.0.0/24, 249 free
         IncorrectState: …",
    )
    .await;
}

/// With time paused, the states in between can be seen, and how long they last.
#[test]
fn states_in_between_take_time() {
    run(Face::InProcess, typical(), async |mut bed: Bed| {
        let started = tokio::time::Instant::now();
        bed.run("a = CreateNetworkInterface SubnetId=pods-a").await;
        let describe = "DescribeNetworkInterfaces NetworkInterfaceIds=a";
        bed.until(describe, "a available in …").await;
        bed.check(
            "at = AttachNetworkInterface NetworkInterfaceId=a InstanceId=node-1 DeviceIndex=1",
            "card 0",
        )
        .await;
        assert_eq!(links(&bed), 1, "the device is not there at once");
        bed.until(describe, "a in-use in pods-a behind default: 10.0.2.4 nothing, attached …")
            .await;
        let attached = started.elapsed();
        assert!(
            Duration::from_secs(1) < attached && attached < Duration::from_secs(20),
            "{attached:?}"
        );
        tokio::time::sleep(Duration::from_secs(150)).await;
        assert_eq!(links(&bed), 2, "the device is there in the end");
        bed.check("DetachNetworkInterface AttachmentId=at", "done").await;
        bed.check(describe, "a detaching in …").await;
        let detaching = tokio::time::Instant::now();
        bed.check("DeleteNetworkInterface NetworkInterfaceId=a", "InvalidParameterValue: …").await;
        bed.until(describe, "a available in …").await;
        assert!(detaching.elapsed() > Duration::from_millis(500), "{:?}", detaching.elapsed());
        bed.check("DeleteNetworkInterface NetworkInterfaceId=a", "done").await;
    });
}

/// How many devices the kernel of node-1 shows.
fn links(bed: &Bed) -> usize {
    bed.with(|ec2| ec2.links(ec2.now(), &InstanceId::from_number(1)).len())
}
