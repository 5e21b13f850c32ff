//! Colours. A plot is drawn in the light tones; where the screen is dark, the style sheet exchanges each for its dark one, so no two inks may
//! have the same light tone. The tones of areas and lines can be told apart by people who do not see all colours.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// What something is drawn in, by what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Labels of axes.
    Label,
    /// Axes.
    Axis,
    /// Lines behind the data.
    Grid,
    /// When something of the timeline happened.
    Mark,
    /// Addresses in use, and calls that were answered.
    Used,
    /// Addresses that rest.
    Cooling,
    /// Addresses that were promised away.
    Promised,
    /// Addresses that can be handed out.
    Free,
    /// Pods that run.
    Running,
    /// Pods that wait.
    Waiting,
    /// Calls that were throttled.
    Throttled,
    /// Calls that failed in another way.
    Failed,
    /// What may not be passed for long.
    Limit,
    /// What there could be at most.
    Room,
    /// Interfaces.
    Interfaces,
    /// Prefixes.
    Prefixes,
    /// How many pods waited so long.
    Bar,
    /// A percentile.
    Percentile,
}

type Tone = (u8, u8, u8);

impl Ink {
    /// All of them.
    pub(super) const ALL: [Self; 18] = [
        Self::Label,
        Self::Axis,
        Self::Grid,
        Self::Mark,
        Self::Used,
        Self::Cooling,
        Self::Promised,
        Self::Free,
        Self::Running,
        Self::Waiting,
        Self::Throttled,
        Self::Failed,
        Self::Limit,
        Self::Room,
        Self::Interfaces,
        Self::Prefixes,
        Self::Bar,
        Self::Percentile,
    ];

    /// The tone on a light ground, and on a dark one.
    const fn tones(self) -> (Tone, Tone) {
        match self {
            Self::Label => ((0x3D, 0x44, 0x4D), (0xB8, 0xC0, 0xCA)),
            Self::Axis => ((0x8C, 0x95, 0x9F), (0x6E, 0x77, 0x81)),
            Self::Grid => ((0xE4, 0xE7, 0xEB), (0x2C, 0x32, 0x3A)),
            Self::Mark => ((0x7A, 0x5A, 0x00), (0xE3, 0xB3, 0x41)),
            Self::Used => ((0x1F, 0x6F, 0xB2), (0x4A, 0x9B, 0xE0)),
            Self::Cooling => ((0xE6, 0x9F, 0x00), (0xC9, 0x8B, 0x06)),
            Self::Promised => ((0xB5, 0x7B, 0xC9), (0x9A, 0x5F, 0xB0)),
            Self::Free => ((0xA9, 0xDC, 0xC3), (0x2A, 0x6B, 0x50)),
            Self::Running => ((0x0B, 0x2A, 0x4A), (0xF0, 0xF4, 0xF8)),
            Self::Waiting => ((0xC9, 0x37, 0x20), (0xFF, 0x7B, 0x66)),
            Self::Throttled => ((0xCB, 0x24, 0x31), (0xFF, 0x6A, 0x70)),
            Self::Failed => ((0xD9, 0x8E, 0x04), (0xE0, 0xA0, 0x30)),
            Self::Limit => ((0x6A, 0x1B, 0x9A), (0xCF, 0x9A, 0xFF)),
            Self::Room => ((0xD6, 0xDB, 0xE1), (0x3A, 0x42, 0x4C)),
            Self::Interfaces => ((0x00, 0x72, 0x8F), (0x3F, 0xB6, 0xD3)),
            Self::Prefixes => ((0xB0, 0x5A, 0x1E), (0xF0, 0x9A, 0x5C)),
            Self::Bar => ((0x2A, 0x7D, 0xC0), (0x55, 0xA4, 0xE6)),
            Self::Percentile => ((0xA0, 0x1A, 0x4F), (0xFF, 0x8A, 0xB8)),
        }
    }

    /// What the drawing library is told.
    pub(super) const fn colour(self) -> RGBColor {
        let ((red, green, blue), _) = self.tones();
        RGBColor(red, green, blue)
    }

    /// How the drawing library writes it.
    pub(super) fn name(self) -> String {
        written(self.tones().0)
    }
}

/// What paints plots on dark screens, and the squares of legends on all. Paper is light.
pub(super) fn style_sheet() -> String {
    let mut legend = String::new();
    let mut dark = String::new();
    for ink in Ink::ALL {
        let (name, tone) = (ink.name(), written(ink.tones().1));
        // Writing to a `String` cannot fail.
        let _ = writeln!(legend, "[data-ink=\"{name}\"] {{ --ink: {name}; }}");
        let _ = writeln!(dark, "  svg [fill=\"{name}\"] {{ fill: {tone}; }}");
        let _ = writeln!(dark, "  svg [stroke=\"{name}\"] {{ stroke: {tone}; }}");
        let _ = writeln!(dark, "  [data-ink=\"{name}\"] {{ --ink: {tone}; }}");
    }
    format!("{legend}@media screen and (prefers-color-scheme: dark) {{\n{dark}}}\n")
}

fn written((red, green, blue): Tone) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_inks_have_the_same_light_tone() {
        let names: BTreeSet<String> = Ink::ALL.into_iter().map(Ink::name).collect();
        assert_eq!(names.len(), Ink::ALL.len());
    }
}
