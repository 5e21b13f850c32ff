//! Speed of the core, measured by criterion. The benches are in `benches/core`; their figures are in
//! `README.md`.
