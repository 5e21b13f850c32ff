//! `timeline`: what happens once, in the order of its time.

use std::time::Duration;

use super::format::{Away, Happening as Said};
use super::network::left;
use super::{Checked, PODS_MAX, number, unknown, wrong};
use crate::plan::{Happening, Network, NodeGroup, What};

/// The members of which a happening has one.
const KINDS: &str =
    "burst, drain, ec2_outage, api_outage, operator_away, agents_away, subnet_taken, buckets";
/// Between one node of a drain and the next where nothing is said.
const PAUSE: Duration = Duration::from_secs(2);

/// The happenings, those of the same time in the order in which they are written.
pub(super) fn check(
    said: &[Said],
    network: &Network,
    groups: &[NodeGroup],
    length: Duration,
) -> Checked<Vec<Happening>> {
    let one = |(position, said): (usize, &Said)| {
        let field = Field(format!("timeline[{position}]"));
        let at = before_end(&field.of("at"), said.at.0.0, length)?;
        Ok(Happening { at, what: field.what(said, network, groups)? })
    };
    let mut happenings = said.iter().enumerate().map(one).collect::<Checked<Vec<_>>>()?;
    happenings.sort_by_key(|happening| happening.at);
    Ok(happenings)
}

/// A time at which the run is not over.
pub(super) fn before_end(field: &str, at: Duration, length: Duration) -> Checked<Duration> {
    if at < length {
        return Ok(at);
    }
    let message =
        format!("`{at:?}`: expected a time before the end of the run, which is at {length:?}");
    Err(wrong(field, message))
}

/// The field of a happening, such as `timeline[1]`.
struct Field(String);

impl Field {
    fn of(&self, member: &str) -> String {
        format!("{}.{member}", self.0)
    }

    fn what(&self, said: &Said, network: &Network, groups: &[NodeGroup]) -> Checked<What> {
        let outage = |what: fn(Duration) -> What| move |it: Away| what(it.length.0.0);
        let found = [
            said.burst.map(|it| {
                let pods = number(&self.of("burst.pods"), it.pods, 1, PODS_MAX)?;
                Ok(What::Burst { pods, over: it.over.map_or(Duration::ZERO, |said| said.0.0) })
            }),
            said.drain.as_ref().map(|it| {
                let group = self.group("drain.group", it.group.as_deref(), groups)?;
                Ok(What::Drain { group, pause: it.pause.map_or(PAUSE, |said| said.0.0) })
            }),
            said.ec2_outage.map(outage(|length| What::Ec2Outage { length })).map(Ok),
            said.api_outage.map(outage(|length| What::ApiOutage { length })).map(Ok),
            said.operator_away.map(outage(|length| What::OperatorAway { length })).map(Ok),
            said.agents_away.as_ref().map(|it| {
                let group = self.group("agents_away.group", it.group.as_deref(), groups)?;
                Ok(What::AgentsAway { length: it.length.0.0, group })
            }),
            said.subnet_taken.as_ref().map(|it| {
                let subnet = network.check_subnet(&self.of("subnet_taken.subnet"), &it.subnet)?;
                Ok(What::SubnetTaken { subnet, left: left(it.left) })
            }),
            said.buckets.map(|it| Ok(What::Buckets { multiplier: it.multiplier.0.0 })),
        ];
        let mut found = found.into_iter().flatten();
        match (found.next(), found.next()) {
            (Some(what), None) => what,
            (None, _) => Err(wrong(&self.0, format!("expected one of {KINDS} beside `at`"))),
            (Some(_), Some(_)) => {
                Err(wrong(&self.0, format!("expected only one of {KINDS}: give each its own `at`")))
            }
        }
    }

    fn group(
        &self,
        member: &str,
        said: Option<&str>,
        groups: &[NodeGroup],
    ) -> Checked<Option<String>> {
        let Some(said) = said else { return Ok(None) };
        let known = groups.iter().map(|group| group.name.as_str());
        if known.clone().any(|name| name == said) {
            return Ok(Some(said.to_owned()));
        }
        Err(unknown(self.of(member), said, "the name of a group of nodes", known))
    }
}
