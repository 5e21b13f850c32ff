//! What Berth may do at EC2: every action tried without an effect, and what each one that is missing costs.
//!
//! Most actions take `DryRun`: EC2 then says what it would say to the real request, and does nothing (EC2 API reference, common query
//! parameters). The assignments of addresses do not take it. They are tried on an interface that does not exist, for which
//! EC2 looks only when the caller may ask at all.

mod action;
#[cfg(test)]
mod tests;

use std::future::Future;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use ipam_core::failure::{Failure, Refusal};
use serde::Serialize;

pub use self::action::{Needed, Probe};

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict", content = "why")]
pub enum Verdict {
    /// It may be used.
    Allowed,
    /// It may not: what EC2 said.
    Denied(String),
    /// It could not be told: what was seen instead.
    Unclear(String),
}

/// One action, and whether it may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Permission {
    /// The action.
    pub action: Probe,
    /// Whether Berth works without it.
    pub needed: Needed,
    /// What came of the try.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What its absence costs, in one line.
    pub without: &'static str,
}

/// All actions, and whether they may be used. As JSON: `{"permissions": [{"action": "DescribeSubnets", "needed": "required",
/// "verdict": "allowed", "without": "…"}]}`, with a `why` where it is denied or unclear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// One per action.
    pub permissions: Vec<Permission>,
}

/// Objects that requests are tried on. Where the account has none, ids that are well-formed and nobody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examples {
    /// A VPC.
    pub vpc: String,
    /// A subnet.
    pub subnet: String,
    /// An interface.
    pub eni: String,
    /// An instance.
    pub instance: String,
    /// The attachment of the interface to the instance.
    pub attachment: String,
}

/// An interface that does not exist.
pub const NO_ENI: &str = "eni-00000000000000000";
/// An attachment that does not exist.
pub const NO_ATTACHMENT: &str = "eni-attach-00000000000000000";

impl Default for Examples {
    fn default() -> Self {
        Self {
            vpc: "vpc-00000000000000000".to_owned(),
            subnet: "subnet-00000000000000000".to_owned(),
            eni: NO_ENI.to_owned(),
            instance: "i-00000000000000000".to_owned(),
            attachment: NO_ATTACHMENT.to_owned(),
        }
    }
}

/// Who can try actions. `Aws` does (feature `aws`).
pub trait Probes {
    /// Finds objects to try them on: a policy may allow an action on some and not on others.
    fn examples(&self) -> impl Future<Output = Examples> + Send;

    /// Tries one, without any effect: with `DryRun`, or on [`NO_ENI`] where there is no such thing. EC2's answer to a dry run is a
    /// refusal in any case. What would take something away is tried on [`NO_ENI`] and [`NO_ATTACHMENT`] alone.
    fn probe(
        &self,
        probe: Probe,
        examples: &Examples,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Tries all actions, one after the other.
pub async fn check(ec2: &impl Probes) -> Checked {
    let examples = ec2.examples().await;
    let mut permissions: Vec<Permission> = Vec::new();
    for &action in Probe::ALL {
        let tried = ec2.probe(action, &examples).await;
        let verdict = on_creation(action, &permissions).unwrap_or_else(|| verdict(action, tried));
        let (needed, without) = (action.needed(), action.without());
        permissions.push(Permission { action, needed, verdict, without });
    }
    Checked { permissions }
}

/// Tags are given with the creation, and a policy may allow them there alone. So they are tried by a creation that has some, which says
/// nothing of them when creation itself is refused.
fn on_creation(action: Probe, before: &[Permission]) -> Option<Verdict> {
    let creation = before.iter().find(|one| one.action == Probe::CreateNetworkInterface)?;
    let told = action != Probe::CreateTags || creation.verdict == Verdict::Allowed;
    (!told).then(|| Verdict::Unclear("cannot be tried without CreateNetworkInterface".to_owned()))
}

fn verdict(action: Probe, tried: Result<(), Failure>) -> Verdict {
    match tried {
        Ok(()) => Verdict::Allowed,
        Err(Failure::Refused { refusal, code, message }) => {
            let looked_for = !action.takes_dry_run() && refusal == Refusal::EniNotFound;
            if code == "DryRunOperation" || looked_for {
                Verdict::Allowed
            } else if is_denial(&code) {
                Verdict::Denied(format!("{code}: {message}"))
            } else {
                Verdict::Unclear(format!("{code}: {message}"))
            }
        }
        Err(failure) => Verdict::Unclear(failure.to_string()),
    }
}

/// What EC2 says when a policy does not allow an action. Other codes say that the caller is unknown.
fn is_denial(code: &str) -> bool {
    ["UnauthorizedOperation", "AccessDenied", "AccessDeniedException"].contains(&code)
}

impl Verdict {
    /// One word for a table.
    const fn word(&self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied(_) => "denied",
            Self::Unclear(_) => "unclear",
        }
    }
}

impl Checked {
    /// Whether everything that Berth cannot do without is allowed.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        let required = self.permissions.iter().filter(|one| one.needed == Needed::Required);
        required.map(|one| &one.verdict).all(|verdict| *verdict == Verdict::Allowed)
    }

    /// A table for people. Below it, what EC2 said where something is not allowed.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(NOTHING).set_header(["ACTION", "NEEDED", "VERDICT", "WITHOUT IT"]);
        for Permission { action, needed, verdict, without } in &self.permissions {
            let without = if *verdict == Verdict::Allowed { "" } else { without };
            table.add_row([action.name(), needed.word(), verdict.word(), without]);
        }
        let said = self.said();
        let said = said.iter().map(|(actions, why)| format!("{}: {why}", actions.join(", ")));
        let rows = table.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
        rows.into_iter().chain(said).map(|line| line + "\n").collect()
    }

    /// What was said of actions that are not allowed, each once: without credentials it is the same for all.
    fn said(&self) -> Vec<(Vec<&'static str>, &str)> {
        let mut said: Vec<(Vec<&'static str>, &str)> = Vec::new();
        for Permission { action, verdict, .. } in &self.permissions {
            let (Verdict::Denied(why) | Verdict::Unclear(why)) = verdict else { continue };
            match said.iter_mut().find(|(_, known)| known == why) {
                Some((actions, _)) => actions.push(action.name()),
                None => said.push((vec![action.name()], why)),
            }
        }
        said
    }
}
