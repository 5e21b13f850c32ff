//! What forms are read as, and what answers are written as.

mod decode;
mod encode;
mod properties;
mod refuse;
