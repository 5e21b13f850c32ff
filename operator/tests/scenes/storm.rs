//! Fifty agents write their whole objects all the time while the operator publishes.

use std::time::Duration;

use serde_json::json;

use crate::rig::Rig;
use crate::rig::agent::Generation;

const NODES: usize = 50;
/// How often each agent writes, a tenth of a second apart.
const BEATS: u64 = 40;

#[tokio::test(start_paused = true)]
async fn a_storm_of_conflicts_loses_nothing() {
    let mut rig = Rig::new();
    rig.add_subnet("a", "a", "10.0.0.0/20", ec2_sim::model::Tags::new());
    let names: Vec<String> = (1..=NODES).map(|number| format!("node-{number}")).collect();
    for (name, number) in names.iter().zip(0..) {
        let generation = if number % 2 == 0 { Generation::PerIp } else { Generation::Cidr };
        rig.add_node(name, "m5.large", "a", generation, &json!({}));
    }
    rig.start_operator("x");
    for beat in 1..=BEATS {
        for name in &names {
            rig.agent(name).beat();
            if beat == BEATS / 2 {
                rig.agent(name).use_addresses(7);
            }
        }
        rig.wait(Duration::from_millis(100)).await;
    }
    rig.until(Duration::from_mins(2), |rig| {
        names.iter().find_map(|name| {
            let (enis, held) = (rig.enis(name), rig.held(name));
            ((enis, held) != (2, 15))
                .then(|| format!("{name}: {enis} interfaces, {held} addresses"))
        })
    })
    .await;
    for name in &names {
        let object = rig.object(name);
        let last = format!("beat-{}", rig.agent(name).beats());
        assert_eq!(object["spec"]["bootid"], json!(last), "{name}: what the agent wrote last");
        assert_eq!(rig.agent(name).used().len(), 7, "{name}");
        if rig.agent(name).generation() == Generation::PerIp {
            let used = object["status"]["ipam"]["used"].as_object().unwrap();
            assert_eq!((used.len(), rig.pool(name)), (7, 15), "{name}");
        }
    }
    // Status and spec for the first addresses, and for those that came in two steps after.
    let most = NODES as u64 * 8;
    assert!(rig.writes() <= most, "{} writes of 50 nodes", rig.writes());
    assert_eq!(rig.conflicts(), 0, "patches of own members conflict with nobody");
    rig.finish().await;
}
