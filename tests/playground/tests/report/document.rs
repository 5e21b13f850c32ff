//! A report as a document.

use std::fs;

use playground::plan::Plan;
use playground::record::Record;
use playground::report;
use playground::summary::Summary;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::made_up::{self, Shape};

pub(crate) type Run = (Plan, Record, Summary);

/// The report of a run, which is the only file that is left where it was written.
pub(crate) fn written((plan, record, summary): &Run) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    report::write(&path, plan, record, summary).unwrap();
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "beside the report: {left:?}");
    fs::read_to_string(path).unwrap()
}

/// A figure: its name, and how often each ink of its legend is drawn.
#[derive(Debug, Default)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) inks: Vec<(String, usize)>,
    /// Points of lines and areas.
    pub(crate) points: usize,
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).unwrap()?;
    Some(attribute.value.into_owned())
}

/// The figures of a document, which must be well-formed XML.
pub(crate) fn figures(text: &str) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return figures,
            Event::Start(element) | Event::Empty(element) => see(&element, &mut figures),
            _ => {}
        }
    }
}

fn see(element: &BytesStart<'_>, figures: &mut Vec<Figure>) {
    if element.name().as_ref() == "figure" {
        figures.push(Figure::default());
    }
    let Some(figure) = figures.last_mut() else { return };
    if let Some(ink) = attribute(element, "data-ink") {
        figure.inks.push((ink, 0));
    }
    if attribute(element, "role").as_deref() == Some("img") {
        figure.name = attribute(element, "aria-label").unwrap();
    }
    if element.name().as_ref() == "text" {
        return;
    }
    let drawn = ["fill", "stroke"].map(|name| attribute(element, name));
    for (ink, count) in &mut figure.inks {
        *count += usize::from(drawn.iter().flatten().any(|drawn| drawn == ink));
    }
    let points = attribute(element, "points").unwrap_or_default();
    figure.points += points.split_whitespace().count();
}

/// The figures of a run, all of whose inks are drawn in.
#[track_caller]
pub(crate) fn check(shape: Shape, figures_expected: usize) -> String {
    let text = written(&made_up::run(shape));
    let figures = figures(&text);
    for figure in &figures {
        assert!(!figure.name.is_empty(), "{figure:?}");
        assert!(!figure.inks.is_empty(), "{figure:?}");
        assert!(figure.inks.iter().all(|(_, drawn)| *drawn > 0), "{figure:?}");
    }
    let names: Vec<&str> = figures.iter().map(|figure| &*figure.name).collect();
    assert_eq!(names.len(), figures_expected, "{names:?}");
    text
}
