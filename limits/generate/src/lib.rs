//! Writes the table of instance limits that the `limits` crate embeds.
//!
//! There are two steps, so that a change of the figures can be read before it is compiled:
//!
//! 1. `limits-generate fetch` reads EC2's `DescribeInstanceTypes`, page by page, and writes the
//!    [`snapshot`], `limits/generate/instance-types.json`: the raw figures, one line per type, and the
//!    day and source. A region describes only the types it offers, so it can put several together. It is
//!    built with the cargo feature `fetch` alone, because the EC2 client takes minutes to build.
//! 2. `limits-generate render` writes `limits/src/table.rs` from the snapshot, and `limits-generate
//!    check` says whether it is what the snapshot gives. Neither needs a network.
//!
//! Both files are committed, and a test fails when they differ. The table keeps what pods can use of a
//! type: the maximum of network card 0, not the total of all cards.
//!
//! `against-moto`, beside this crate's manifest, runs step 1 against the server of moto 5.2.5, whose instance types
//! are recorded from EC2, and fails when the answer is not the committed snapshot.
//!
//! This crate does not depend on `limits`: a broken table must not stop the tool that repairs it.

pub mod arguments;
pub mod described;
pub mod endpoint;
#[cfg(feature = "fetch")]
pub mod fetch;
pub mod files;
pub mod pages;
pub mod regions;
pub mod render;
pub mod snapshot;
