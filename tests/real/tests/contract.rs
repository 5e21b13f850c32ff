//! The contract of the Kubernetes API, against a real API server.

use std::process::ExitCode;

use anyhow::Result;
use kube_sim_contract::World;
use real::{Kubernetes, Options};

fn main() -> Result<ExitCode> {
    let kubernetes = Kubernetes::start(Options { controllers: true, scheduler: false })?;
    let runtime = tokio::runtime::Runtime::new()?;
    let client = runtime.block_on(kubernetes.client())?;
    let mut world = World::new("kubernetes", client);
    if let Some(compaction) = kubernetes.compaction() {
        world = world.with_compaction(Box::new(move || {
            let compacted = compaction.run().map_err(anyhow::Error::from);
            Box::pin(std::future::ready(compacted))
        }));
    }
    kube_sim_contract::run(runtime.handle(), vec![world])
}
