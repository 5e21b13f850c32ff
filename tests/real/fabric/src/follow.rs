//! Makes what EC2 says true, for as long as it runs.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use http::Uri;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::ec2::{Ec2, NoAnswer, NotWanted, Seen};
use crate::kernel::{Kernel, KernelError};
use crate::plan::plan;
use crate::vpc::Step;

/// How often EC2 is asked: an address that it takes away is delivered for so long, and as long as a program takes.
pub const EVERY: Duration = Duration::from_millis(50);
/// How often the kernel is looked at though nothing has happened: somebody else may have changed something.
pub const VERIFIED_EVERY: Duration = Duration::from_secs(2);
/// How long nothing is tried after a failure.
const AFTER_FAILURE: Duration = Duration::from_millis(200);
/// How many rounds a change takes at most: one to change, one to see that it is true, and one more for what the first has made possible.
const ROUNDS: usize = 3;

/// Why a round did not make everything true.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// EC2 does not say.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// What it says cannot be.
    #[error(transparent)]
    NotWanted(#[from] NotWanted),
    /// The kernel says no.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The kernel says yes, and it is not so.
    #[error("after {ROUNDS} rounds there was still something to do: {0:?}")]
    Unsettled(Vec<Step>),
}

/// What somebody may want to know.
#[derive(Debug)]
pub enum News {
    /// Everything is as EC2 says, for the first time.
    Ready,
    /// Something failed, and not for the same reason as before. It is tried again.
    Failed(String),
}

/// Follows EC2 at `ec2` until it is no longer awaited. Nothing that fails ends it.
pub async fn follow(ec2: Uri, namespaces: PathBuf, mut tell: impl FnMut(News)) {
    let mut follower = Follower {
        ec2: Ec2::new(ec2),
        kernel: Kernel::new(namespaces.clone()),
        namespaces,
        made_true: None,
    };
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut ready, mut failure) = (false, String::new());
    loop {
        ticks.tick().await;
        match follower.round().await {
            Ok(()) => {
                failure.clear();
                if !std::mem::replace(&mut ready, true) {
                    tell(News::Ready);
                }
            }
            Err(error) => {
                follower.made_true = None;
                let text = chain(&error);
                if text != failure {
                    failure.clone_from(&text);
                    tell(News::Failed(text));
                }
                sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// An error with all its causes, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

struct Follower {
    ec2: Ec2,
    kernel: Kernel,
    namespaces: PathBuf,
    /// What has been made true last, and when that was seen in the kernel.
    made_true: Option<(Seen, Instant)>,
}

impl Follower {
    /// Asks EC2, and makes true what it says if that is new or has not been looked after for a while.
    async fn round(&mut self) -> Result<(), FollowError> {
        let seen = self.ec2.look(&self.namespaces).await?;
        let is_true = self
            .made_true
            .as_ref()
            .is_some_and(|(made_true, at)| *made_true == seen && at.elapsed() < VERIFIED_EVERY);
        if is_true {
            return Ok(());
        }
        if self.made_true.as_ref().is_none_or(|(made_true, _)| *made_true == seen) {
            Kernel::prepare().await?;
        }
        self.make_true(&seen).await?;
        self.made_true = Some((seen, Instant::now()));
        Ok(())
    }

    /// Returns when the kernel shows what was `seen`.
    async fn make_true(&self, seen: &Seen) -> Result<(), FollowError> {
        let wanted = seen.wanted()?;
        let mut steps = Vec::new();
        for _ in 0..ROUNDS {
            let present = self.kernel.observe(&wanted.instances()).await?;
            steps = plan(&wanted, &present);
            if steps.is_empty() {
                return Ok(());
            }
            self.kernel.carry_out(&steps).await?;
        }
        Err(FollowError::Unsettled(steps))
    }
}
