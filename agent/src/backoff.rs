//! How long to wait after a failure.

use std::time::Duration;

/// Pauses that double with each failure in a row up to a limit. A part of each is left to chance, so that the nodes of a
/// cluster do not ask in step.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    least: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    /// Pauses between half of `least` and `most`.
    pub(crate) const fn new(least: Duration, most: Duration) -> Self {
        Self { least, most, failures: 0 }
    }

    /// It works again.
    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait now.
    pub(crate) fn pause(&mut self) -> Duration {
        let whole = self.whole();
        self.failures = self.failures.saturating_add(1);
        whole.mul_f64(fastrand::f64().mul_add(0.5, 0.5))
    }

    fn whole(&self) -> Duration {
        self.least.saturating_mul(1 << self.failures.min(16)).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end() {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(5));
        for whole in [500, 1000, 2000, 4000, 5000, 5000] {
            assert_eq!(backoff.whole().as_millis(), whole);
            let pause = backoff.pause().as_millis();
            assert!((whole / 2..=whole).contains(&pause), "{pause} of {whole}");
        }
        for _ in 0..100 {
            backoff.pause();
        }
        assert_eq!(backoff.whole(), Duration::from_secs(5));
        backoff.reset();
        assert_eq!(backoff.whole().as_millis(), 500);
    }
}
