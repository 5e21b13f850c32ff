//! Scenarios: what is to be played, as YAML, checked and made a [`Plan`].
//!
//! Everything has a default: `{}` is the default playground. What is wrong with a scenario is said with file, line, column, field and
//! what was expected there.

mod behaviour;
mod built_in;
mod flags;
mod format;
mod network;
mod nodes;
mod overrides;
#[cfg(test)]
mod tests;
mod timeline;
mod trial;
mod values;

use std::path::Path;
use std::time::Duration;

use ec2_sim::spec::{Problem, Source, SpecError};

use self::format::File;
use crate::plan::{Expected, Plan, Pods};

pub use self::built_in::{BUILT_IN, BuiltIn, DEFAULT, find};
pub use self::flags::{API_SERVER, notices};
pub use self::nodes::replace_subnets;
pub use self::overrides::Overrides;
pub use self::values::{Factor, Lasting, Name, Rate, Time, Unfit, UnknownType, instance_type};

/// The most nodes that a scenario may have, also after all that join.
pub const NODES_MAX: u32 = 2_000;
/// The most pods that may come at once.
const PODS_MAX: u32 = 20_000;
/// How long pods come and go where nothing is said.
const LENGTH: Duration = Duration::from_mins(1);

/// A scenario that has been read.
#[derive(Debug, Clone)]
pub struct Scenario {
    name: String,
    source: Source,
    file: File,
}

/// Why a scenario cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct ScenarioError(#[from] SpecError);

/// What is wrong, and with which part: `nodes[0].count`.
#[derive(Debug)]
struct Wrong {
    part: String,
    problem: Problem,
}

type Checked<T> = Result<T, Wrong>;

/// What is wrong with exactly this part.
fn wrong(part: impl Into<String>, message: impl Into<String>) -> Wrong {
    Wrong { part: part.into(), problem: Problem::of("", message) }
}

impl Scenario {
    /// Reads the text of a scenario; `file` is its name in errors, and without its folder and its ending that of the scenario.
    ///
    /// # Errors
    ///
    /// [`ScenarioError`] for what is no YAML, and for fields and values that no scenario has.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioError> {
        let source = Source::new(file, text);
        let stem = Path::new(file).file_stem();
        let name = stem.map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned());
        Ok(Self { name, file: source.read()?, source })
    }

    /// What is to be played, with what the command line says instead of the file. Where that changes what is played, nothing is expected.
    ///
    /// # Errors
    ///
    /// [`ScenarioError`] for the first part that does not fit the others.
    pub fn plan(&self, overrides: &Overrides) -> Result<Plan, ScenarioError> {
        let plan = self.checked(&overrides.applied(&self.file), overrides);
        plan.map_err(|Wrong { part, problem }| self.source.error(&part, &problem).into())
    }

    /// Whether it says what must have been so at the end.
    #[must_use]
    pub fn expects_something(&self) -> bool {
        self.file.expect != format::Expect::default()
    }

    fn checked(&self, file: &File, overrides: &Overrides) -> Checked<Plan> {
        let length = file.length.map_or(LENGTH, |said| said.0.0);
        let network = network::check(&file.network)?;
        let mut groups = nodes::check(file.nodes.as_deref(), &network, length)?;
        overrides.spread(&mut groups);
        trial::build(&network, &groups)?;
        let expected = behaviour::expected(&file.expect)?;
        Ok(Plan {
            name: self.name.clone(),
            description: file.description.trim().to_owned(),
            length,
            seed: file.seed.unwrap_or(overrides.chance),
            timeline: timeline::check(&file.timeline, &network, &groups, length)?,
            network,
            nodes: groups,
            pods: pods(file)?,
            ec2: behaviour::ec2(&file.ec2, overrides)?,
            operator: flags::of_operator(&file.operator)?,
            agent: flags::of_agent(&file.agent)?,
            expected: if overrides.change_what_is_played() {
                Expected::default()
            } else {
                expected
            },
        })
    }
}

/// `pods`, where nothing is said two a second that live for 20 s.
fn pods(file: &File) -> Checked<Pods> {
    let said = file.pods;
    Ok(Pods {
        per_second: said.per_second.map_or(2.0, |said| said.0.0),
        lifetime: said.lifetime.map_or(Duration::from_secs(20), |said| said.0.0),
        at_start: number("pods.at_start", said.at_start.unwrap_or(0), 0, PODS_MAX)?,
        per_node: number("pods.per_node", said.per_node.unwrap_or(110), 1, 1_000)?,
    })
}

/// A number within its bounds.
fn number(field: &str, number: u32, least: u32, most: u32) -> Checked<u32> {
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(wrong(field, format!("`{number}`: expected a number from {least} to {most}")))
}

/// More names than these are not listed where one of them is likely to be meant.
const LISTED_MAX: usize = 12;

/// What is wrong with the name of something that is not there.
fn unknown<'a>(
    field: String,
    said: &str,
    what: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Wrong {
    let hint = ec2_sim::spec::suggestion(said, known.clone());
    let names: Vec<&str> = known.collect();
    let all = if names.len() > LISTED_MAX && !hint.is_empty() {
        String::new()
    } else {
        format!(", one of {}", names.join(", "))
    };
    wrong(field, format!("`{said}`: expected {what}{all}{hint}"))
}
