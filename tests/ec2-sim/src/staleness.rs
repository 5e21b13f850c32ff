//! Who sees a change when: EC2's reads lag behind its writes, and two reads may be served by different replicas.
//!
//! A [`Versioned`] object changes at once for those who decide (uniqueness is never violated); an audience sees the change when the
//! write's [`Visibility`] says so. Older versions are kept as long as some audience may still see them, and no longer.

use std::sync::Arc;
use std::time::Duration;

use crate::latency::log_normal;
use crate::time::Moment;

#[cfg(test)]
mod tests;

/// How many replicas serve reads.
pub const REPLICAS: usize = 3;

/// How far reads lag behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Every change is seen by all at once.
    #[default]
    Strong,
    /// Half of the changes are seen at once, a tenth after 300 ms, one in a hundred after 2 s, none after more than 10 s; one delay for
    /// all replicas.
    Typical,
    /// Each replica has a delay of its own of up to 10 s, so that of two successive reads the later may show the older state.
    Adversarial,
}

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A caller of the API, served by the replica of that number, modulo [`REPLICAS`].
    Replica(usize),
    /// The metadata services of instances.
    Metadata,
}

/// When each audience sees a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visibility {
    written_at: Moment,
    replicas: [Moment; REPLICAS],
    metadata: Moment,
    kept_until: Moment,
}

impl Visibility {
    /// A change at `now` that all see at once.
    #[must_use]
    pub const fn at_once(now: Moment) -> Self {
        let replicas = [now; REPLICAS];
        Self { written_at: now, replicas, metadata: now, kept_until: now }
    }

    /// A change at `now` that is seen as `mode` has it.
    #[must_use]
    pub fn draw(mode: Mode, now: Moment, rng: &mut fastrand::Rng) -> Self {
        let mut drawn = Self::at_once(now);
        match mode {
            Mode::Strong => return drawn,
            Mode::Typical => drawn.replicas = [now + typical_lag(rng); REPLICAS],
            Mode::Adversarial => {
                drawn.replicas = std::array::from_fn(|_| now + adversarial_lag(rng));
            }
        }
        drawn.metadata = now + metadata_lag(rng);
        drawn
    }

    /// The same change, and what was before it is kept that long, so that a reader can be shown an earlier moment.
    #[must_use]
    pub fn kept_for(self, duration: Duration) -> Self {
        Self { kept_until: self.written_at + duration, ..self }
    }

    /// When an audience sees it.
    #[must_use]
    pub const fn seen_at(&self, audience: Audience) -> Moment {
        match audience {
            Audience::Replica(number) => self.replicas[number % REPLICAS],
            Audience::Metadata => self.metadata,
        }
    }

    /// From when on nobody sees what was before it.
    #[must_use]
    pub fn settled_at(&self) -> Moment {
        let seen = self.replicas.iter().copied().fold(self.metadata, Moment::max);
        seen.max(self.kept_until)
    }
}

/// p50 0, p90 300 ms, p99 2 s, at most 10 s: straight lines between these.
fn typical_lag(rng: &mut fastrand::Rng) -> Duration {
    let between =
        |from: f64, to: f64, part: f64| Duration::from_secs_f64(from + (to - from) * part);
    match rng.f64() {
        low if low < 0.5 => Duration::ZERO,
        middle if middle < 0.9 => between(0.0, 0.3, (middle - 0.5) / 0.4),
        high if high < 0.99 => between(0.3, 2.0, (high - 0.9) / 0.09),
        tail => between(2.0, 10.0, (tail - 0.99) / 0.01),
    }
}

fn adversarial_lag(rng: &mut fastrand::Rng) -> Duration {
    Duration::from_secs_f64(10.0 * rng.f64())
}

/// p50 1 s, tail to 60 s.
fn metadata_lag(rng: &mut fastrand::Rng) -> Duration {
    let second = Duration::from_secs(1);
    log_normal(rng, second, Duration::from_secs(20)).min(Duration::from_mins(1))
}

/// An object, and what those see who lag behind. In mode strong it costs one `Arc` and two words.
#[derive(Debug)]
pub struct Versioned<T> {
    current: Option<Arc<T>>,
    lagging: Option<Box<Lagging<T>>>,
}

/// What is not yet seen by all.
#[derive(Debug)]
struct Lagging<T> {
    /// Of the current version.
    visibility: Visibility,
    /// Oldest first; the first is what an audience sees that sees no later one.
    older: Vec<(Option<Arc<T>>, Visibility)>,
}

impl<T> Default for Versioned<T> {
    fn default() -> Self {
        Self { current: None, lagging: None }
    }
}

impl<T> Versioned<T> {
    /// An object that all see.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self { current: Some(Arc::new(value)), lagging: None }
    }

    /// The truth: the object as it is; none when it was deleted.
    #[must_use]
    pub const fn current(&self) -> Option<&Arc<T>> {
        self.current.as_ref()
    }

    /// Changes the object, or deletes it. Returns when [`Versioned::settle`] has something to do, if it will.
    pub fn write(&mut self, value: Option<T>, visibility: &Visibility) -> Option<Moment> {
        self.settle(visibility.written_at);
        let replaced = std::mem::replace(&mut self.current, value.map(Arc::new));
        if visibility.settled_at() <= visibility.written_at {
            self.lagging = None;
            return None;
        }
        let lagging = self.lagging.get_or_insert_with(|| {
            let visibility = Visibility::at_once(Moment::START);
            Box::new(Lagging { visibility, older: Vec::with_capacity(1) })
        });
        lagging.older.push((replaced, lagging.visibility));
        lagging.visibility = *visibility;
        Some(visibility.settled_at())
    }

    /// The latest version that the audience sees at `now`.
    #[must_use]
    pub fn seen(&self, now: Moment, audience: Audience) -> Option<&Arc<T>> {
        let Some(lagging) = &self.lagging else {
            return self.current.as_ref();
        };
        if lagging.visibility.seen_at(audience) <= now {
            return self.current.as_ref();
        }
        let mut newest_first = lagging.older.iter().rev();
        let seen = newest_first.find(|(_, visibility)| visibility.seen_at(audience) <= now);
        seen.or(lagging.older.first())?.0.as_ref()
    }

    /// Forgets the versions that nobody sees any more. Returns whether an object that was deleted is now deleted for all.
    pub fn settle(&mut self, now: Moment) -> bool {
        if let Some(lagging) = &mut self.lagging {
            if lagging.visibility.settled_at() <= now {
                self.lagging = None;
            } else {
                let settled = |(_, visibility): &(_, Visibility)| visibility.settled_at() <= now;
                let first = lagging.older.iter().rposition(settled).unwrap_or(0);
                lagging.older.drain(..first);
            }
        }
        self.current.is_none() && self.lagging.is_none()
    }

    /// Whether all see the same: then nothing but the object itself is kept.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.lagging.is_none()
    }

    /// Whether nobody sees it and nobody will.
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        self.current.is_none() && self.lagging.is_none()
    }
}
