//! Reads that lag behind writes.

use std::time::Duration;

use ec2_sim::{Settings, staleness};

use crate::bed::{Bed, Face, run};
use crate::world;

fn lagging(mode: staleness::Mode) -> Settings {
    Settings { staleness: mode, ..world::settings() }
}

/// Creates an interface and reads it twenty times in a second and a half: `v` seen, `-` not found.
async fn sightings(bed: &mut Bed) -> String {
    bed.run("a = CreateNetworkInterface SubnetId=pods-a").await;
    let mut seen = String::new();
    for _ in 0..30 {
        let answer = bed.run("DescribeNetworkInterfaces NetworkInterfaceIds=a").await;
        seen.push(if answer.starts_with("InvalidNetworkInterfaceID.NotFound") { '-' } else { 'v' });
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    seen
}

fn all_sightings(mode: staleness::Mode) -> Vec<String> {
    (0..12)
        .map(|seed| {
            let mut seen = String::new();
            let settings = Settings { seed, ..lagging(mode) };
            run(Face::InProcess, settings, async |mut bed: Bed| seen = sightings(&mut bed).await);
            seen
        })
        .collect()
}

#[test]
fn strong_reads_see_every_write() {
    let all = all_sightings(staleness::Mode::Strong);
    assert!(all.iter().all(|seen| !seen.contains('-')), "{all:?}");
}

#[test]
fn typical_reads_see_a_write_late_and_then_for_good() {
    let all = all_sightings(staleness::Mode::Typical);
    assert!(all.iter().all(|seen| !seen.contains("v-")), "{all:?}");
    assert!(all.iter().all(|seen| seen.ends_with('v')), "{all:?}");
    assert!(all.iter().any(|seen| seen.starts_with('-')), "{all:?}");
}

#[test]
fn adversarial_reads_go_back() {
    let all = all_sightings(staleness::Mode::Adversarial);
    assert!(all.iter().any(|seen| seen.contains("v-")), "{all:?}");
    assert!(all.iter().all(|seen| seen.ends_with('v')), "{all:?}");
}

/// What is decided is decided on the truth: two interfaces never get one address, whatever readers see.
#[test]
fn addresses_stay_unique() {
    run(Face::InProcess, lagging(staleness::Mode::Adversarial), async |mut bed: Bed| {
        bed.check(
            "CreateNetworkInterface SubnetId=pods-a PrivateIpAddress=10.0.2.9",
            "10.0.2.9 nothing",
        )
        .await;
        bed.check(
            "CreateNetworkInterface SubnetId=pods-a PrivateIpAddress=10.0.2.9",
            "InvalidIPAddress.InUse: …",
        )
        .await;
    });
}
