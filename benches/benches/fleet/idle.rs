//! Nodes that want nothing, for an hour.

use std::time::Duration;

use benches::goals::Goal;
use tokio::time::sleep;

use crate::world::{World, in_simulated_time};

/// EC2 calls that an idle hour may cost.
const CALLS: f64 = 100.0;

/// Lets the operator adopt nodes that have what they want, and counts what an hour of that costs.
pub(crate) fn measure(nodes: usize) -> Vec<Goal> {
    in_simulated_time(async {
        let world = World::new(nodes, 1);
        world.create_nodes().await;
        let operator = world.start_operator();
        sleep(Duration::from_mins(20)).await;
        let total = |world: &World| world.ec2.with(|ec2, _| ec2.counters().total().calls);
        let writes = |world: &World| world.kube.counters().writes("ciliumnodes");
        let (calls_before, writes_before) = (total(&world), writes(&world));
        sleep(Duration::from_hours(1)).await;
        let calls = u32::try_from(total(&world) - calls_before).expect("a small number");
        let writes = u32::try_from(writes(&world) - writes_before).expect("a small number");
        operator.abort();
        vec![
            Goal::at_most(format!("{nodes} idle nodes, EC2 calls an hour"), calls.into(), CALLS),
            Goal::at_most("  writes of CiliumNodes an hour", writes.into(), 0.0),
        ]
    })
}
