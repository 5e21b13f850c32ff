//! What flags name: scenarios, buckets and faults, by name or in files.

use std::fmt::Write;
use std::path::Path;

use ec2_sim::fault::Rule;
use ec2_sim::spec::{Buckets, Source, suggestion};
use ec2_sim::throttle;

use super::SettingsError;
use crate::scenario::{self, BUILT_IN, Scenario, ScenarioError};

/// Errors, slow answers and lost ones, now and then.
const FLAKY: &str = "
- {probability: 0.02, effect: {error: {code: InternalError}}}
- {probability: 0.02, effect: {delay: 2000}}
- {probability: 0.01, effect: {commit-then-drop: cut}}
";

/// The scenarios that come along, a line or two each.
pub(super) fn listing() -> Result<String, ScenarioError> {
    let mut text = "Scenarios for --scenario NAME:\n".to_owned();
    for known in BUILT_IN {
        let plan =
            Scenario::parse(&known.file(), known.text)?.plan(&scenario::Overrides::default())?;
        // A String takes everything.
        let _ = writeln!(text, "  {:18} {}", known.name, plan.description);
    }
    Ok(text)
}

/// The scenario of that name, or in that file.
pub(super) fn scenario(said: &str) -> Result<Scenario, SettingsError> {
    if let Some(known) = scenario::find(said) {
        return Ok(Scenario::parse(&known.file(), known.text)?);
    }
    let path = Path::new(said);
    let is_meant_as_file = path.exists() || path.extension().is_some() || said.contains('/');
    if !is_meant_as_file {
        let known: Vec<&'static str> = BUILT_IN.iter().map(|known| known.name).collect();
        let hint = suggestion(said, known.iter().copied());
        return Err(SettingsError::NoScenario { name: said.to_owned(), known, hint });
    }
    Ok(Scenario::parse(said, &text("--scenario", said)?)?)
}

/// The buckets that AWS publishes, none, or those of a file.
pub(super) fn buckets(said: &str) -> Result<throttle::Settings, SettingsError> {
    let mut settings = throttle::Settings::default();
    match said {
        "aws" => {}
        "unlimited" => settings.unlimited = true,
        file => {
            let source = Source::new(file, &text("--buckets", file)?);
            let read: Buckets = source.read().map_err(ScenarioError::from)?;
            let applied = read.apply(&mut settings);
            applied.map_err(|problem| ScenarioError::from(source.error("", &problem)))?;
        }
    }
    Ok(settings)
}

/// The fault rules of that name, or in that file.
pub(super) fn faults(said: &str) -> Result<Vec<Rule>, SettingsError> {
    let source = match said {
        "none" => return Ok(Vec::new()),
        "flaky" => Source::new(said, FLAKY),
        file => Source::new(file, &text("--faults", file)?),
    };
    Ok(source.read().map_err(ScenarioError::from)?)
}

fn text(flag: &'static str, file: &str) -> Result<String, SettingsError> {
    let unreadable = |cause| SettingsError::Unreadable { flag, path: file.into(), cause };
    std::fs::read_to_string(file).map_err(unreadable)
}
