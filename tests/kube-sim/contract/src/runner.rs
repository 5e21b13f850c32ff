//! Runs all cases as tests with names.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::Handle;

use crate::case::{Case, Needs};
use crate::cases;
use crate::scratch::Scratch;
use crate::world::World;

/// Far more than any case takes.
const CASE_TIMEOUT: Duration = Duration::from_secs(90);

/// Runs every case against every world, as the test harness does: with its arguments and its output. `runtime` must
/// be the one that the clients were made in, and must have several threads.
///
/// # Errors
///
/// When a server does not take the custom resources that the cases share.
pub fn run(runtime: &Handle, worlds: Vec<World>) -> Result<ExitCode> {
    let arguments = Arguments::from_args();
    let worlds: Vec<Arc<World>> = worlds.into_iter().map(Arc::new).collect();
    let mut registered = Vec::new();
    if !arguments.list {
        for world in &worlds {
            let prepared = runtime.block_on(world.prepare());
            let prepared = prepared.with_context(|| format!("prepare {}", world.name))?;
            registered.push((Arc::clone(world), prepared));
        }
    }
    let trials = worlds.iter().flat_map(|world| trials(runtime, world)).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    for (world, registered) in registered {
        let cleaned = runtime.block_on(world.clean(&registered));
        cleaned.with_context(|| format!("clean {}", world.name))?;
    }
    Ok(conclusion.exit_code())
}

fn trials(runtime: &Handle, world: &Arc<World>) -> Vec<Trial> {
    let trial = |case: &'static Case| {
        let (runtime, world) = (runtime.clone(), Arc::clone(world));
        let name = format!("{}::{}", world.name, case.name);
        Trial::ignorable_test(name, move || runtime.block_on(run_case(&world, case)))
    };
    cases::all().map(trial).collect()
}

async fn run_case(world: &World, case: &Case) -> Result<Completion, Failed> {
    if case.needs == Needs::Compaction && world.compaction.is_none() {
        let reason = format!("nobody said how {} is made to forget its history", world.name);
        return Ok(Completion::ignored_with(reason));
    }
    let result = if case.needs == Needs::Compaction {
        let _alone = world.history.write().await;
        in_scratch(world, case).await
    } else {
        let _shared = world.history.read().await;
        in_scratch(world, case).await
    };
    result.map(|()| Completion::Completed).map_err(|error| Failed::from(format!("{error:#}")))
}

/// Runs the case in a namespace of its own, which is removed however the case ends.
async fn in_scratch(world: &World, case: &Case) -> Result<()> {
    let scratch = Scratch::new(world).await?;
    let outcome = tokio::time::timeout(CASE_TIMEOUT, (case.run)(&scratch)).await;
    let removed = scratch.remove().await;
    outcome.map_err(|_| anyhow!("no end within {CASE_TIMEOUT:?}"))??;
    removed
}
