//! Rules about Berth's code, as tests.
//!
//! A rule is a pure function over a [`Tree`] of texts that answers with [`Finding`]s, each naming a file, a line and what to
//! do about it. The table tests beside each rule show bad texts being caught; `tests/tree.rs` applies every rule to the
//! repository. What a rule allows by way of exception stands in a table in the rule's own file, with the reason.
//!
//! | module | what holds |
//! |---|---|
//! | [`arrows`] | crates of the workspace depend on one another only where a table allows it |
//! | [`dependencies`] | the core's crates depend on a short list of others, without features |
//! | [`workspace`] | every crate is a member and inherits versions, lints and licence; the folders of the design exist |
//! | [`no_std`] | the core's crates are without the standard library outside tests |
//! | [`length`] | functions and files stay short |
//! | [`leftovers`] | no marks of unfinished work, no code in comments |
//! | [`sdk`] | the AWS SDK is named in few places |
//! | [`skipped`] | no test is ignored |
//! | [`links`] | relative links in documents lead somewhere |
//! | [`alone`] | no file names a path or a host of somebody's machine |
//! | [`planted`] | planted bugs are built for the simulation alone, and by nothing that does not ask for them |
//! | [`promises`] | every promise of the README has its function in the audit, which calls it |
//! | [`generated`] | every generated file has a test that keeps it fresh |
//! | [`commands`] | the commands that documents show exist, aliases pass arguments on, and the README has its test command |
//! | [`shown`] | every command that a document shows is run by the gate or by a suite, and the gate has its commands from the documents |
//! | [`once`] | the toolchain's version and the licence are named once |

pub mod alone;
pub mod arrows;
pub mod commands;
pub mod dependencies;
pub mod generated;
pub mod leftovers;
pub mod length;
pub mod links;
pub mod no_std;
pub mod once;
pub mod planted;
pub mod promises;
pub mod sdk;
pub mod shown;
pub mod skipped;
pub mod workspace;

mod finding;
mod manifest;
mod markdown;
mod tokens;
mod tree;

#[cfg(test)]
mod testing;

pub use finding::Finding;
pub use tree::Tree;
