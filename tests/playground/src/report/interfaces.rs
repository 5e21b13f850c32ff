//! Network interfaces and prefixes: over time, and of each node at the end.

use super::ReportError;
use super::addresses::thinned;
use super::axis::Axis;
use super::course::{self, Mark};
use super::figure::{Entry, Figure, Shown};
use super::ink::Ink;
use super::plot::{self, Frame};
use super::unit::{amount, counted, short};
use crate::moment::Node;
use crate::record::Record;

const OVER_TIME: &str = "Network interfaces and prefixes over time";
const AT_END: &str = "Network interfaces of each node at the end";
const PREFIXES: &str = "Prefixes of each node at the end";

/// How many nodes may be so that their names are readable below their bars.
const NAMED: usize = 8;

/// All interfaces, and all prefixes if there are any.
pub(super) fn over_time(record: &Record, marks: &[Mark]) -> Result<Figure, ReportError> {
    let Some(end) = course::end(&record.moments) else {
        return Ok(Figure::nothing(OVER_TIME, "The run was too short to see anything change."));
    };
    let moments = course::thinned(&record.moments);
    let times = course::times(&moments);
    let lines = [
        (
            Entry::line(Ink::Interfaces, "interfaces"),
            Ink::Interfaces,
            course::sums(&moments, |node| node.enis),
        ),
        (
            Entry::line(Ink::Prefixes, "prefixes"),
            Ink::Prefixes,
            course::sums(&moments, |node| node.prefixes),
        ),
    ];
    let lines: Vec<_> = lines
        .into_iter()
        .filter(|(_, _, heights)| heights.iter().any(|height| *height > 0.0))
        .collect();
    let most = lines.iter().flat_map(|(_, _, heights)| heights).copied().fold(0.0, f64::max);
    if lines.is_empty() {
        return Ok(Figure::nothing(OVER_TIME, "No node had an interface."));
    }
    let frame = Frame {
        size: plot::WIDE,
        x: Axis::of_time(end, 12),
        y: Axis::of_counts(most),
        counts: "interfaces",
    };
    let svg = plot::plot(OVER_TIME, &frame, |canvas| {
        for (_, ink, heights) in &lines {
            canvas.line(*ink, times.iter().copied().zip(heights.iter().copied()))?;
        }
        canvas.marks(marks, end.as_secs_f64())
    })?;
    let legend = lines.iter().map(|(entry, _, _)| *entry).collect();
    let last = record.moments.last();
    let sum = |of: fn(&Node) -> u32| last.map_or(0, |moment| course::total(moment, of));
    let (enis, prefixes) = (sum(|node| node.enis), sum(|node| node.prefixes));
    let (enis, prefixes) = (counted(enis, "interface"), counted(prefixes, "prefix"));
    let caption = format!(
        "All nodes together; at the end {enis} and {prefixes}.{}",
        thinned(&record.moments)
    );
    let title = OVER_TIME.to_owned();
    Ok(Figure { title, shown: Shown::Plot(svg, legend), caption })
}

/// A bar for each node: its interfaces, and its prefixes if any node has one.
pub(super) fn at_end(record: &Record) -> Result<Vec<Figure>, ReportError> {
    let nodes = record.moments.last().map_or(&[][..], |moment| &moment.nodes);
    if nodes.is_empty() {
        return Ok(vec![Figure::nothing(AT_END, "There was no node at the end.")]);
    }
    let mut figures = vec![interfaces(nodes)?];
    if nodes.iter().any(|node| node.prefixes > 0) {
        figures.push(prefixes(nodes)?);
    }
    Ok(figures)
}

fn interfaces(nodes: &[Node]) -> Result<Figure, ReportError> {
    let room = |node: &Node| limits::find(&node.instance_type).map(|limits| limits.enis.into());
    let svg = bars(AT_END, nodes, Ink::Interfaces, |node| node.enis, room)?;
    let mut legend = vec![Entry::area(Ink::Interfaces, "attached")];
    if nodes.iter().any(|node| room(node).is_some_and(|room| room > node.enis)) {
        legend.push(Entry::area(Ink::Room, "what the instance type could have beside them"));
    }
    let shown = Shown::Plot(svg, legend);
    let caption = said(nodes, "interface", |node| node.enis);
    Ok(Figure { title: AT_END.to_owned(), shown, caption })
}

fn prefixes(nodes: &[Node]) -> Result<Figure, ReportError> {
    let svg = bars(PREFIXES, nodes, Ink::Prefixes, |node| node.prefixes, |_| None)?;
    let shown = Shown::Plot(svg, vec![Entry::area(Ink::Prefixes, "prefixes of 16 addresses")]);
    let caption = said(nodes, "prefix", |node| node.prefixes);
    Ok(Figure { title: PREFIXES.to_owned(), shown, caption })
}

fn bars(
    title: &str,
    nodes: &[Node],
    ink: Ink,
    of: fn(&Node) -> u32,
    room: impl Fn(&Node) -> Option<u32>,
) -> Result<super::page::Svg, ReportError> {
    let highest = |node: &Node| of(node).max(room(node).unwrap_or_default());
    let most = nodes.iter().map(highest).max().unwrap_or_default();
    let frame = Frame {
        size: (plot::WIDE.0, 440),
        x: names(nodes),
        y: Axis::of_counts(amount(most)),
        counts: "per node",
    };
    // A few bars are not as wide as their places.
    let half = (amount(nodes.len()) / 30.0).min(0.38);
    plot::plot(title, &frame, |canvas| {
        for (index, node) in nodes.iter().enumerate() {
            let middle = amount(index) + 0.5;
            let width = middle - half..middle + half;
            let height = amount(of(node));
            if highest(node) > of(node) {
                canvas.bar(Ink::Room, width.clone(), height..amount(highest(node)))?;
            }
            if height > 0.0 {
                canvas.bar(ink, width, 0.0..height)?;
            }
        }
        Ok(())
    })
}

/// An axis with a place for each node: with its name where there are few, else with its number in the table of nodes.
fn names(nodes: &[Node]) -> Axis {
    let label = |index: usize, node: &Node| {
        let name = if nodes.len() <= NAMED {
            short(&node.name, 100 / nodes.len())
        } else {
            (index + 1).to_string()
        };
        (amount(index) + 0.5, name)
    };
    let step = nodes.len().div_ceil(25).next_power_of_two().max(1);
    let step = if step > 2 { step.next_multiple_of(5) } else { step };
    let is_labelled = |index: usize| nodes.len() <= NAMED || (index + 1).is_multiple_of(step);
    let labels = nodes.iter().enumerate().filter(|(index, _)| is_labelled(*index));
    Axis {
        end: amount(nodes.len()),
        labels: labels.map(|(index, node)| label(index, node)).collect(),
    }
}

fn said(nodes: &[Node], thing: &str, of: fn(&Node) -> u32) -> String {
    let counts = || nodes.iter().map(of);
    let (least, most) = (counts().min().unwrap_or_default(), counts().max().unwrap_or_default());
    let all = counted(nodes.len(), "node");
    let things = counted(most, thing);
    let range = if least == most {
        format!("each with {things}")
    } else {
        format!("with {least} to {things}")
    };
    let numbered =
        if nodes.len() > NAMED { " The numbers are those of the table of nodes." } else { "" };
    format!("{all}, {range}.{numbered}")
}
