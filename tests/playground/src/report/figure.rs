//! A figure: a plot with its title, its legend and a caption that says what is seen; or why there is no plot.

use super::ink::Ink;
use super::page::{Page, Svg};

/// A figure.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    pub(super) title: String,
    pub(super) shown: Shown,
    /// What is seen, in a sentence or two.
    pub(super) caption: String,
}

/// What a figure shows.
#[derive(Debug, Clone)]
pub(super) enum Shown {
    /// A plot, and what its inks mean.
    Plot(Svg, Vec<Entry>),
    /// Nothing: the caption says why.
    Nothing,
}

/// An entry of a legend.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    ink: Ink,
    words: &'static str,
    class: &'static str,
}

impl Entry {
    /// An area or bars.
    pub(super) const fn area(ink: Ink, words: &'static str) -> Self {
        Self { ink, words, class: "area" }
    }

    /// A line.
    pub(super) const fn line(ink: Ink, words: &'static str) -> Self {
        Self { ink, words, class: "line" }
    }
}

impl Figure {
    /// A figure that has nothing to show.
    pub(super) fn nothing(title: &str, why: &str) -> Self {
        Self { title: title.to_owned(), shown: Shown::Nothing, caption: why.to_owned() }
    }

    pub(super) fn put(&self, page: &mut Page) {
        let Shown::Plot(svg, legend) = &self.shown else {
            page.tag("h3", &self.title);
            page.classed("p", "nothing", &self.caption);
            return;
        };
        page.open("figure", &[]);
        page.tag("h3", &self.title);
        page.open("ul", &[("class", "legend")]);
        for entry in legend {
            page.open("li", &[("class", entry.class), ("data-ink", &entry.ink.name())]);
            page.text(entry.words);
            page.close("li");
        }
        page.close("ul");
        page.open("div", &[("class", "plot"), ("role", "img"), ("aria-label", &self.title)]);
        page.svg(svg);
        page.close("div");
        page.tag("figcaption", &self.caption);
        page.close("figure");
    }
}
