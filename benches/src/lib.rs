//! Speed and memory of Berth's parts, measured. The benches are in `benches/`, one folder each; their figures are in `README.md`.

pub mod goals;
pub mod table;

use std::path::Path;
use std::time::Duration;

use criterion::Criterion;

/// What runs the benches as the command line says, and leaves its estimates under `output`.
#[must_use]
pub fn criterion(output: &Path) -> Criterion {
    Criterion::default()
        .output_directory(output)
        .without_plots()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args()
}
