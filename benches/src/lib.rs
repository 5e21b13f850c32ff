//! Speed and memory of Berth's parts, measured. The benches are in `benches/`, one folder each; their figures are in `README.md`.

pub mod table;
