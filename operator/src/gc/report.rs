//! What was found and done, for people and for programs.

use std::fmt;
use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use ipam_core::action::ADDRESSES_PER_PREFIX;
use ipam_core::clean_up::{self, Judgement};
use ipam_core::ids::{EniId, InstanceId, SubnetId, VpcId};
use ipam_core::view::EniView;
use jiff::SignedDuration;
use serde::{Serialize, Serializer};

/// What became of one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was done.
    Judged(Judgement),
    /// It is deleted.
    Deleted,
    /// Somebody else deleted it.
    Gone,
    /// It is not deleted, or nobody knows: why.
    Failed(String),
}

impl Verdict {
    const fn label(&self) -> &'static str {
        match self {
            Self::Judged(judgement) => judgement.label(),
            Self::Deleted => "Deleted",
            Self::Gone => "Gone",
            Self::Failed(_) => "Failed",
        }
    }
}

/// A few words for people.
impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Judged(judgement) => judgement.fmt(out),
            Self::Deleted => out.write_str("deleted"),
            Self::Gone => out.write_str("gone already"),
            Self::Failed(why) => write!(out, "not deleted: {why}"),
        }
    }
}

/// One interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Which one.
    #[serde(serialize_with = "text")]
    pub interface: EniId,
    /// Its VPC.
    #[serde(serialize_with = "text")]
    pub vpc: VpcId,
    /// Its subnet.
    #[serde(serialize_with = "text")]
    pub subnet: SubnetId,
    /// The instance that it was made for, if its description names one.
    #[serde(serialize_with = "text_or_null")]
    pub made_for: Option<InstanceId>,
    /// How long ago it was made; `None` without a tag that can be read.
    #[serde(rename = "age_seconds", serialize_with = "seconds")]
    pub age: Option<Duration>,
    /// IPv4 addresses that it takes from its subnet, 16 for each prefix.
    pub addresses: u32,
    /// What became of it.
    #[serde(serialize_with = "label")]
    pub verdict: Verdict,
}

/// How many of which.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Left behind, and still there for a look that confirms it.
    pub left_behind: usize,
    /// Deleted, or gone when that was asked for.
    pub deleted: usize,
    /// To be deleted, and not.
    pub failed: usize,
    /// Listed, and not to be deleted.
    pub stay: usize,
}

/// What was found and done, oldest interface first. As JSON: `{"dry_run": false, "interfaces": [{"interface": "eni-…", "vpc": "vpc-…",
/// "subnet": "subnet-…", "made_for": "i-…", "age_seconds": 4000, "addresses": 9, "verdict": "Deleted"}], "counts": {"left_behind": 0,
/// "deleted": 1, "failed": 0, "stay": 0}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing was to be deleted.
    pub dry_run: bool,
    /// One per interface that is attached to nothing and carries the tags of the cluster.
    pub interfaces: Vec<Row>,
    /// How many of which.
    pub counts: Counts,
}

impl Report {
    pub(super) fn new(dry_run: bool, verdicts: &[clean_up::Verdict<'_>]) -> Self {
        let interfaces = verdicts.iter().map(row).collect();
        let mut report = Self { dry_run, interfaces, counts: Counts::default() };
        report.count();
        report
    }

    /// Counts anew.
    pub(super) fn count(&mut self) {
        self.counts = Counts::default();
        for Row { verdict, .. } in &self.interfaces {
            let counts = &mut self.counts;
            *match verdict {
                Verdict::Deleted | Verdict::Gone => &mut counts.deleted,
                Verdict::Failed(_) => &mut counts.failed,
                Verdict::Judged(judgement) if judgement.may_go() => &mut counts.left_behind,
                Verdict::Judged(_) => &mut counts.stay,
            } += 1;
        }
    }

    /// Whether nothing failed.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.counts.failed == 0
    }

    /// A table for people, with the figures on its last line.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = Table::new();
        let header = ["INTERFACE", "VPC", "SUBNET", "MADE FOR", "AGE", "ADDRESSES", "VERDICT"];
        table.load_style(NOTHING).set_header(header);
        for row in &self.interfaces {
            let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "?".to_owned());
            table.add_row([
                row.interface.to_string(),
                row.vpc.to_string(),
                row.subnet.to_string(),
                or_unknown(row.made_for.as_ref().map(ToString::to_string)),
                or_unknown(row.age.map(age)),
                row.addresses.to_string(),
                row.verdict.to_string(),
            ]);
        }
        let Counts { left_behind, deleted, failed, stay } = self.counts;
        let figures = if self.dry_run {
            format!("{left_behind} left behind, {stay} stay")
        } else {
            format!("{deleted} deleted, {failed} failed, {left_behind} left for later, {stay} stay")
        };
        let rows = table.lines().map(|line| line.trim().to_owned());
        rows.chain([figures]).map(|line| line + "\n").collect()
    }
}

fn row(verdict: &clean_up::Verdict<'_>) -> Row {
    let eni = &verdict.listed.eni;
    Row {
        interface: eni.id.clone(),
        vpc: eni.vpc.clone(),
        subnet: eni.subnet.clone(),
        made_for: verdict.instance.clone(),
        age: verdict.age,
        addresses: addresses(eni),
        verdict: Verdict::Judged(verdict.judgement),
    }
}

fn addresses(eni: &EniView) -> u32 {
    let count = |items: usize| u32::try_from(items).unwrap_or(u32::MAX);
    let prefixes = count(eni.ipv4.prefixes.len()).saturating_mul(ADDRESSES_PER_PREFIX);
    count(eni.ipv4.addresses.len()).saturating_add(prefixes).saturating_add(1)
}

/// In whole seconds: `16m 40s`.
fn age(age: Duration) -> String {
    let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    format!("{:#}", SignedDuration::from_secs(seconds))
}

fn text<S: Serializer>(id: &impl fmt::Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}

#[expect(clippy::ref_option, reason = "serde hands over a reference to the member")]
fn text_or_null<S: Serializer>(id: &Option<impl fmt::Display>, to: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => to.collect_str(id),
        None => to.serialize_none(),
    }
}

#[expect(clippy::ref_option, reason = "serde hands over a reference to the member")]
fn seconds<S: Serializer>(age: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    age.map(|age| age.as_secs()).serialize(to)
}

fn label<S: Serializer>(verdict: &Verdict, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(verdict.label())
}
