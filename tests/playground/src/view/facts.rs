//! What does not change while the playground runs, and is shown.

use std::env;
use std::time::Duration;

use ratatui::style::{Color, Modifier, Style};

use crate::plan::{Plan, Served};

/// What of a plan is shown, and how.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// The name of the scenario.
    pub(super) scenario: String,
    /// What it shows.
    pub(super) description: String,
    /// How long it runs, from the start to its end.
    pub(super) length: Duration,
    /// What chance comes from.
    pub(super) seed: u64,
    /// Whether some node takes prefixes, so that they are worth a column.
    pub(super) has_prefixes: bool,
    /// How things are told apart.
    pub(super) ink: Ink,
}

impl Facts {
    pub(super) fn new(plan: &Plan, has_colours: bool) -> Self {
        let has_prefixes = plan
            .nodes
            .iter()
            .any(|group| matches!(group.served, Served::Berth { prefixes: true, .. }));
        Self {
            scenario: plan.name.clone(),
            description: plan.description.clone(),
            length: plan.length,
            seed: plan.seed,
            has_prefixes,
            ink: Ink { has_colours },
        }
    }
}

/// Whether colours are wanted: `NO_COLOR` is unset or empty (<https://no-color.org>).
pub(super) fn wants_colours() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Headings.
pub(super) const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);

/// What is there for reference.
pub(super) const FAINT: Style = Style::new().add_modifier(Modifier::DIM);

/// How things are told apart. Colours only add to what characters and words say already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink {
    /// Whether there are colours.
    pub(super) has_colours: bool,
}

impl Ink {
    fn colour(self, colour: Color) -> Style {
        if self.has_colours { Style::new().fg(colour) } else { Style::new() }
    }

    /// Addresses in use, and what is as it should be.
    pub(super) fn good(self) -> Style {
        self.colour(Color::Green)
    }

    /// Free addresses.
    pub(super) fn free(self) -> Style {
        self.colour(Color::Cyan)
    }

    /// Addresses that rest.
    pub(super) fn resting(self) -> Style {
        self.colour(Color::LightBlue)
    }

    /// Addresses that were promised away.
    pub(super) fn promised(self) -> Style {
        self.colour(Color::Magenta)
    }

    /// What somebody may want to look at.
    pub(super) fn trouble(self) -> Style {
        self.colour(Color::Yellow)
    }

    /// What must not be.
    pub(super) fn alarm(self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }
}
