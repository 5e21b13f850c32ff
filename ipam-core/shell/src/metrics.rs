//! Metrics, made and registered in one step.

use prometheus::core::Collector;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts,
    Registry,
};

/// Makes metrics in one registry, which can be taken out again. Their names and labels are a program's constants: one that is
/// not well formed or is used twice is an error in the program, and any test that makes them finds it.
#[derive(Debug, Default)]
pub struct Maker {
    /// What was made.
    pub registry: Registry,
}

impl Maker {
    /// A counter.
    #[must_use]
    pub fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.made(IntCounter::new(name, help))
    }

    /// A counter for each combination of labels.
    #[must_use]
    pub fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.made(IntCounterVec::new(Opts::new(name, help), labels))
    }

    /// A gauge.
    #[must_use]
    pub fn gauge(&self, name: &str, help: &str) -> Gauge {
        self.made(Gauge::new(name, help))
    }

    /// A gauge for each combination of labels.
    #[must_use]
    pub fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.made(GaugeVec::new(Opts::new(name, help), labels))
    }

    /// A histogram.
    #[must_use]
    pub fn histogram(&self, name: &str, help: &str, buckets: Vec<f64>) -> Histogram {
        self.made(Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets)))
    }

    /// A histogram for each combination of labels.
    #[must_use]
    pub fn histograms(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: Vec<f64>,
    ) -> HistogramVec {
        self.made(HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets), labels))
    }

    #[expect(
        clippy::expect_used,
        reason = "every name is a constant, used once, and a test of each program makes all of them"
    )]
    fn made<T: Collector + Clone + 'static>(&self, metric: prometheus::Result<T>) -> T {
        let metric = metric.expect("the name and the labels of a metric are well formed");
        self.registry
            .register(Box::new(metric.clone()))
            .expect("the name of a metric is used once");
        metric
    }
}
