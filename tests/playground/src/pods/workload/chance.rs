//! When pods come and how long they live.

use std::time::Duration;

/// No pod lives longer than so many times the average.
const LONGEST: f64 = 5.0;

/// No pod lives shorter than this part of the average.
const SHORTEST: f64 = 0.05;

/// Chance, from a seed: the same seed and the same questions, the same answers.
#[derive(Debug)]
pub(super) struct Chance(fastrand::Rng);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// The time from one pod to the next, when so many come each second: those of a Poisson process.
    pub(super) fn pause(&mut self, per_second: f64) -> Duration {
        Duration::from_secs_f64(self.exponential() / per_second)
    }

    /// How long a pod lives. Exponential, but for the longest and shortest lives.
    pub(super) fn lifetime(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(self.exponential().clamp(SHORTEST, LONGEST))
    }

    /// Exponentially distributed with mean 1; 37 at most.
    fn exponential(&mut self) -> f64 {
        -(1.0 - self.0.f64()).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_come_as_often_as_they_should() {
        let mut chance = Chance::new(7);
        let total: Duration = (0..10_000).map(|_| chance.pause(20.0)).sum();
        assert!((480.0..520.0).contains(&total.as_secs_f64()), "{total:?}");
    }

    #[test]
    fn lives_are_as_long_as_they_should_be() {
        let mut chance = Chance::new(7);
        let mean = Duration::from_secs(30);
        let lives: Vec<Duration> = (0..10_000).map(|_| chance.lifetime(mean)).collect();
        let average = lives.iter().sum::<Duration>() / 10_000;
        assert!((29.0..31.0).contains(&average.as_secs_f64()), "{average:?}");
        let (shortest, longest) = (lives.iter().min(), lives.iter().max());
        assert_eq!(shortest, Some(&Duration::from_millis(1500)));
        assert_eq!(longest, Some(&Duration::from_secs(150)));
    }

    #[test]
    fn a_seed_is_the_whole_run() {
        let run = |seed| {
            let mut chance = Chance::new(seed);
            (0..100).map(|_| chance.pause(1.0)).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }
}
