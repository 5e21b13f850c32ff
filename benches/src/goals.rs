//! Figures that are counted once, not timed again and again, beside their goals.

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;

/// A figure and what it should be at most.
#[derive(Debug, Clone)]
pub struct Goal {
    /// What was measured, with its unit.
    pub what: String,
    /// The figure.
    pub measured: f64,
    /// At most this; `None`: a figure without a goal.
    pub most: Option<f64>,
}

impl Goal {
    /// A figure that should be at most `most`.
    #[must_use]
    pub fn at_most(what: impl Into<String>, measured: f64, most: f64) -> Self {
        Self { what: what.into(), measured, most: Some(most) }
    }

    /// A figure without a goal.
    #[must_use]
    pub fn figure(what: impl Into<String>, measured: f64) -> Self {
        Self { what: what.into(), measured, most: None }
    }
}

/// Prints them as a Markdown table.
#[expect(clippy::print_stdout, reason = "the table is what the benches are run for")]
pub fn print(goals: &[Goal]) {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(["figure", "measured", "goal", "met"]);
    for Goal { what, measured, most } in goals {
        let met = most.map_or("", |most| if *measured <= most { "yes" } else { "NO" });
        let most = most.map_or_else(String::new, number);
        table.add_row([what.clone(), number(*measured), most, met.to_owned()]);
    }
    println!("{table}");
}

/// Whole numbers without a fraction, others with two digits of it.
fn number(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
