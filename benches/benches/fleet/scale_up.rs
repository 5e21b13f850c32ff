//! Fresh nodes, all at once, in prefix mode.

use std::collections::BTreeSet;
use std::time::Duration;

use benches::goals::Goal;
use tokio::time::{Instant, sleep};

use crate::world::{World, in_simulated_time};

/// `AssignPrivateIpAddresses` of a fresh account: so many calls at once, and so many more a second (EC2 API reference,
/// request throttling).
const BURST: f64 = 100.0;
const REFILL: f64 = 5.0;
/// How long the operator may take, as a multiple of what the bucket alone takes.
const RATIO: f64 = 1.15;

/// Lets all nodes appear at once and waits until each has its addresses in its object.
pub(crate) fn measure(nodes: usize) -> Vec<Goal> {
    in_simulated_time(async {
        let world = World::new(nodes, 0);
        let operator = world.start_operator();
        // It leads and idles.
        sleep(Duration::from_mins(1)).await;
        let began = Instant::now();
        world.create_nodes().await;
        let mut waiting: BTreeSet<usize> = (0..nodes).collect();
        while !waiting.is_empty() {
            assert!(began.elapsed() < Duration::from_hours(1), "{} nodes wait", waiting.len());
            sleep(Duration::from_millis(500)).await;
            waiting = world.short(waiting);
        }
        let took = began.elapsed().as_secs_f64();
        operator.abort();
        figures(&world, nodes, took)
    })
}

fn figures(world: &World, nodes: usize, took: f64) -> Vec<Goal> {
    let count = f64::from(u32::try_from(nodes).expect("a small number"));
    let bound = (count - BURST).max(0.0) / REFILL;
    let mut goals = vec![Goal::at_most(
        format!("{nodes} fresh nodes, seconds (bucket bound {bound:.0})"),
        took,
        bound * RATIO + if bound == 0.0 { 60.0 } else { 0.0 },
    )];
    for (action, calls) in world.calls() {
        let calls = f64::from(u32::try_from(calls).expect("a small number"));
        goals.push(match action.as_str() {
            "AssignPrivateIpAddresses" => Goal::at_most(format!("  {action} calls"), calls, count),
            // Those at the start, and what new instances have, 200 an answer: none after a change.
            "DescribeNetworkInterfaces" => {
                Goal::at_most(format!("  {action} calls"), calls, (count / 200.0).ceil() + 5.0)
            }
            _ => Goal::figure(format!("  {action} calls"), calls),
        });
    }
    let throttled = f64::from(u32::try_from(world.throttled()).expect("a small number"));
    goals.push(Goal::at_most("  throttled calls", throttled, 0.0));
    let writes = world.kube.counters().writes("ciliumnodes");
    let writes = f64::from(u32::try_from(writes).expect("a small number")) - count;
    goals.push(Goal::at_most("  writes of CiliumNodes by the operator", writes, 2.0 * count));
    goals
}
