//! The command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// The committed snapshot.
const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instance-types.json");

/// The committed table.
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/table.rs");

/// Writes the table of instance limits that the `limits` crate embeds.
///
/// `fetch` reads what EC2 says of every instance type into a snapshot; `render` writes the table from
/// the snapshot; `check` says whether the two agree. Both files are committed.
#[derive(Debug, Parser)]
#[command(
    name = "limits-generate",
    after_help = "\
Examples:
  Take new instance types in (builds the EC2 client first, which takes minutes):
    cargo run -p limits-generate --features fetch -- fetch \\
        --region us-east-1 --region eu-north-1 --region ap-south-2 --region eu-central-1
    cargo limits-generate render

  The same from moto's server instead of AWS, which needs no account:
    moto_server -H 127.0.0.1 -p 5000
    cargo run -p limits-generate --features fetch -- fetch \\
        --endpoint http://127.0.0.1:5000 --source 'DescribeInstanceTypes of moto 5.2.5'

  Before a commit:
    cargo limits-generate check

Exit status: 0 when done or in agreement, 1 when not, 2 when the command line is at fault or the
command is not part of this build."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write the table from the snapshot
    Render(Files),
    /// Exit with status 1 when the table is not what the snapshot gives
    Check(Files),
    /// Write the snapshot from EC2's `DescribeInstanceTypes`
    ///
    /// Reads every page, and writes nothing unless all of them came and every type is described
    /// completely. A region describes only the types it offers and none offers all, so the snapshot
    /// takes several; where two describe a type differently, nothing is written either.
    ///
    /// Credentials come from the environment, the keys of a profile, a web identity token or the
    /// instance's role, in this order; `ec2:DescribeInstanceTypes` is all they must allow. An endpoint on
    /// this machine is called with placeholders instead.
    Fetch(Fetch),
}

/// The two committed files.
#[derive(Debug, Args)]
pub struct Files {
    /// The snapshot [default: limits/generate/instance-types.json]
    #[arg(long, value_name = "FILE", default_value = SNAPSHOT, hide_default_value = true)]
    pub snapshot: PathBuf,
    /// The table [default: limits/src/table.rs]
    #[arg(long, value_name = "FILE", default_value = TABLE, hide_default_value = true)]
    pub table: PathBuf,
}

/// Where to fetch from, and what to believe.
#[derive(Debug, Args)]
pub struct Fetch {
    /// Call this instead of AWS, such as `http://127.0.0.1:5000`
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// An AWS region; several when given several times [default: that of the environment or the
    /// profile; us-east-1 for an endpoint on this machine]
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,
    /// Where to write the snapshot [default: limits/generate/instance-types.json]
    #[arg(long, value_name = "FILE", default_value = SNAPSHOT, hide_default_value = true)]
    pub output: PathBuf,
    /// Write nothing when there are fewer types in all
    #[arg(long, value_name = "COUNT", default_value_t = 1390)]
    pub at_least: usize,
    /// What answered, in a few words for whoever reads the snapshot
    #[arg(long, value_name = "TEXT", default_value = "EC2's DescribeInstanceTypes")]
    pub source: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }
}
