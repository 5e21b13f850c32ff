//! Pods that come and go in waves while the truth is compared with what everybody believes.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::audit::Audit;
use crate::bed::{Bed, SOON};
use crate::crowd;
use crate::everyone;

/// Says in seconds how long the waves are to go on.
const SECONDS_VARIABLE: &str = "CLUSTER_WAVES_SECONDS";
const SECONDS: u64 = 45;
/// In the highest wave.
const PODS_MAX: usize = 40;
/// From one change of mind to the next.
const WAVE_MS: std::ops::Range<u64> = 2_000..9_000;

/// Scales up and down at random, and looks once a second: there is nothing to find. It goes on for longer where the machine is so busy that too little was seen.
pub(crate) fn under_audit(bed: &Bed) {
    let mut rng = Rng::new();
    let lasting = Duration::from_secs(seconds());
    bed.say(&format!("waves for {lasting:?}, with the seed {}", rng.get_seed()));
    let (stop, enough) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut audit = Audit::default();
    let deadline = Instant::now() + lasting;
    let is_over = || {
        let is_late = Instant::now() >= deadline;
        stop.load(Ordering::Relaxed)
            || is_late && (enough.load(Ordering::Relaxed) || Instant::now() >= deadline + SOON)
    };
    thread::scope(|scope| {
        // Whoever fails ends the other, too.
        let stopped = StopAtEnd(&stop);
        scope.spawn(|| {
            let _stopped = StopAtEnd(&stop);
            while !stop.load(Ordering::Relaxed) {
                audit.look(bed);
                enough.store(audit.has_seen_enough(), Ordering::Relaxed);
                sleep(Duration::from_secs(1));
            }
        });
        let mut high = true;
        while !is_over() {
            let pods = if high { rng.usize(PODS_MAX / 2..=PODS_MAX) } else { rng.usize(..8) };
            high = !high;
            crowd::scale(bed, pods);
            sleep(Duration::from_millis(rng.u64(WAVE_MS)));
        }
        drop(stopped);
    });
    everyone::goes(bed);
    audit.settles(bed);
    bed.check_drops();
    bed.say(&audit.to_string());
    audit.check();
}

fn seconds() -> u64 {
    let given = env::var(SECONDS_VARIABLE);
    given.map_or(SECONDS, |given| given.parse().expect("CLUSTER_WAVES_SECONDS: a whole number"))
}

/// Tells the others to end when this goes, also in a panic.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
