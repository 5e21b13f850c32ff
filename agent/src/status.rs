//! How an agent stands: what its socket answers in JSON, and what `berth-agent status` makes of it.

mod client;
mod render;
mod report;
#[cfg(test)]
mod tests;

use ipam_core::pool::{Family, Tally};

pub use client::{AskError, fetch};
pub use render::render;
pub use report::{
    AddressReport, CidrReport, CountsReport, EniReport, FamilyReport, OperatorReport, Report,
    SandboxReport,
};

use crate::settings::{Output, StatusSettings};

/// Exit status: the agent serves pods.
pub const READY: u8 = 0;
/// Exit status: the agent cannot be reached.
pub const AWAY: u8 = 1;
/// Exit status: the agent answers, and cannot serve pods yet. 2 is for a command line that makes no sense.
pub const NOT_READY: u8 = 3;

/// What `berth-agent status` ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// For standard output.
    pub text: String,
    /// For standard error.
    pub complaint: Option<String>,
    /// [`READY`], [`AWAY`] or [`NOT_READY`].
    pub exit_status: u8,
}

/// Asks the agent of this node, and says what it answers.
pub async fn ask(settings: &StatusSettings) -> Outcome {
    let StatusSettings { socket_path, output, all } = settings;
    let report = match fetch(socket_path).await {
        Ok(report) => report,
        Err(error) => {
            let complaint = Some(berth_shell::problem::chain(&error));
            return Outcome { text: String::new(), complaint, exit_status: AWAY };
        }
    };
    let text = match output {
        Output::Table => render(&report, *all),
        // All of its members can be written.
        Output::Json => serde_json::to_string_pretty(&report).unwrap_or_default() + "\n",
    };
    let exit_status = if report.ready { READY } else { NOT_READY };
    Outcome { text, complaint: None, exit_status }
}

/// `IPv4 10/15 allocated`: the addresses in use of those that are there, for each family.
#[must_use]
pub fn allocated(families: &[(Family, Tally)]) -> String {
    let used = families.iter().map(|(family, tally)| line(family, tally.used, tally.attached));
    used.collect::<Vec<_>>().join(", ")
}

fn line(family: impl std::fmt::Display, used: u32, attached: u32) -> String {
    format!("{family} {used}/{attached} allocated")
}
