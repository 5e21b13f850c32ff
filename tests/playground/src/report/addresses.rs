//! Addresses and pods over time.

use super::ReportError;
use super::axis::Axis;
use super::course::{self, Mark};
use super::figure::{Entry, Figure, Shown};
use super::ink::Ink;
use super::plot::{self, Frame};
use super::unit::{amount, counted};
use crate::moment::{Moment, Node};
use crate::record::Record;
use crate::summary::span;

const ADDRESSES: &str = "Addresses and pods over time";
const WAITING: &str = "Pods that wait for an address";
const TOO_SHORT: &str = "The run was too short to see anything change.";

/// One state of addresses.
struct Layer {
    ink: Ink,
    words: &'static str,
    of: fn(&Node) -> u32,
}

const LAYERS: [Layer; 4] = [
    Layer { ink: Ink::Used, words: "used by pods", of: |node| node.used },
    Layer { ink: Ink::Cooling, words: "cooling after use", of: |node| node.cooling },
    Layer { ink: Ink::Promised, words: "promised to the operator", of: |node| node.promised },
    Layer { ink: Ink::Free, words: "free", of: |node| node.free },
];

/// The addresses that nodes have, by their state, and the pods.
pub(super) fn over_time(record: &Record, marks: &[Mark]) -> Result<Figure, ReportError> {
    let Some(end) = course::end(&record.moments) else {
        return Ok(Figure::nothing(ADDRESSES, TOO_SHORT));
    };
    let moments = course::thinned(&record.moments);
    let times = course::times(&moments);
    let running: Vec<f64> = moments.iter().map(|moment| amount(moment.pods.running)).collect();
    let waiting: Vec<f64> = moments.iter().map(|moment| amount(moment.pods.waiting)).collect();
    let mut below = vec![0.0; times.len()];
    let mut stack = Vec::new();
    let mut legend = Vec::new();
    for layer in &LAYERS {
        let heights = course::sums(&moments, layer.of);
        if heights.iter().all(|height| *height == 0.0) {
            continue;
        }
        let above: Vec<f64> = below.iter().zip(heights).map(|(low, high)| low + high).collect();
        legend.push(Entry::area(layer.ink, layer.words));
        stack.push((layer.ink, below, above.clone()));
        below = above;
    }
    legend.push(Entry::line(Ink::Running, "pods that run"));
    legend.push(Entry::line(Ink::Waiting, "pods that wait"));
    let most = [&below, &running, &waiting].into_iter().flatten().copied().fold(0.0, f64::max);
    let frame = Frame {
        size: plot::WIDE,
        x: Axis::of_time(end, 12),
        y: Axis::of_counts(most),
        counts: "addresses, pods",
    };
    let svg = plot::plot(ADDRESSES, &frame, |canvas| {
        for (ink, low, high) in &stack {
            canvas.area(*ink, &times, low, high)?;
        }
        canvas.line(Ink::Waiting, times.iter().copied().zip(waiting))?;
        canvas.line(Ink::Running, times.iter().copied().zip(running))?;
        canvas.marks(marks, end.as_secs_f64())
    })?;
    let title = ADDRESSES.to_owned();
    Ok(Figure { title, shown: Shown::Plot(svg, legend), caption: said(&record.moments) })
}

fn said(moments: &[Moment]) -> String {
    let used = |moment: &Moment| course::total(moment, |node| node.used);
    // The first of those with as many.
    let peak = moments.iter().rev().max_by_key(|moment| used(moment)).map(|peak| {
        format!("The most addresses in use at once: {}, after {}. ", used(peak), span(peak.at))
    });
    let end = moments.last().map(|last| {
        let [used, cooling, promised, free] = LAYERS.map(|layer| course::total(last, layer.of));
        let all = used + cooling + promised + free;
        let nodes = counted(last.nodes.len(), "node");
        format!(
            "Addresses of {nodes} at the end: {all}, of which {used} used, {cooling} cooling, {promised} promised, {free} free."
        )
    });
    [peak, end, Some(thinned(moments))].into_iter().flatten().collect()
}

/// Says which moments a plot shows, where it does not show all.
pub(super) fn thinned(moments: &[Moment]) -> String {
    let each = course::thinned_to(moments);
    each.map_or_else(String::new, |each| {
        format!(" Of the moments that were kept, one in {each} is shown.")
    })
}

/// The pods without an address.
pub(super) fn waiting(record: &Record, marks: &[Mark]) -> Result<Figure, ReportError> {
    let moments = &record.moments;
    let Some(end) = course::end(moments) else {
        return Ok(Figure::nothing(WAITING, TOO_SHORT));
    };
    let count = |moment: &Moment| moment.pods.waiting;
    let peak = moments.iter().rev().max_by_key(|moment| count(moment));
    let Some(peak) = peak.filter(|peak| count(peak) > 0) else {
        return Ok(Figure::nothing(WAITING, "Whenever it was looked, no pod waited."));
    };
    let (times, heights) = peaks(moments);
    let frame = Frame {
        size: plot::WIDE,
        x: Axis::of_time(end, 12),
        y: Axis::of_counts(amount(count(peak))),
        counts: "pods",
    };
    let svg = plot::plot(WAITING, &frame, |canvas| {
        canvas.area(Ink::Waiting, &times, &vec![0.0; times.len()], &heights)?;
        canvas.marks(marks, end.as_secs_f64())
    })?;
    let legend = vec![Entry::area(Ink::Waiting, "pods that wait")];
    let still = moments.last().map_or(0, count);
    let (most, at) = (counted(count(peak), "pod"), span(peak.at));
    let caption = format!("At most {most} waited at once, after {at}; at the end {still}.");
    Ok(Figure { title: WAITING.to_owned(), shown: Shown::Plot(svg, legend), caption })
}

/// The most pods that waited, in stretches of the run: a short crowd must not fall between two points.
fn peaks(moments: &[Moment]) -> (Vec<f64>, Vec<f64>) {
    let most = |stretch: &[Moment]| {
        let peak = stretch.iter().max_by_key(|moment| moment.pods.waiting)?;
        Some((peak.at.as_secs_f64(), amount(peak.pods.waiting)))
    };
    course::stretches(moments, course::POINTS).filter_map(most).unzip()
}
