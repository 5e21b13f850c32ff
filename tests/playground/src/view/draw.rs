//! Where the parts of the live view stand.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget as _, Wrap};

use super::facts::{FAINT, Facts};
use super::history::Rates;
use super::words::{cells, clock};
use super::{fleet, frame, panels};
use crate::moment::Moment;
use crate::news;

/// Below this many columns there is only a sentence.
pub(super) const WIDTH_MIN: u16 = 60;

/// Below this many rows there is only a sentence.
pub(super) const HEIGHT_MIN: u16 = 15;

/// From this many rows on, there is room to say what the scenario shows.
const HEIGHT_DESCRIBED: u16 = 30;

/// Everything that the live view shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    /// What does not change.
    pub(super) facts: &'a Facts,
    /// What is seen now.
    pub(super) moment: &'a Moment,
    /// Calls per second of late.
    pub(super) rates: &'a Rates,
    /// What happened, the newest last.
    pub(super) news: &'a [news::Line],
    /// Nodes that are scrolled away above.
    pub(super) scroll: usize,
}

/// What part of a list is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Entries above it.
    pub(super) above: usize,
    /// Entries in it.
    pub(super) shown: usize,
    /// Entries below it.
    pub(super) below: usize,
}

impl Window {
    /// What is seen of `entries` in so many rows after `scroll` of them: never less than fits. One row is taken by the remark that there
    /// is more.
    pub(super) fn new(entries: usize, rows: usize, scroll: usize) -> Self {
        let shown = if entries <= rows { entries } else { rows.saturating_sub(1) };
        let above = scroll.min(entries - shown);
        Self { above, shown, below: entries - shown - above }
    }
}

/// Draws the live view, and says which nodes are seen; none where it is too small for any.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) -> Option<Window> {
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        too_small(scene, area, buffer);
        return None;
    }
    let is_described = area.height >= HEIGHT_DESCRIBED && !scene.facts.description.is_empty();
    let findings = frame::findings_rows(scene.moment, area.height);
    let fixed = [2 + u16::from(is_described), findings, 1];
    let heights = Heights::new(scene, area.height - fixed.iter().sum::<u16>());
    let rows = [fixed[0], heights.nodes, heights.pods, heights.calls, heights.events, findings, 1];
    let [header, nodes, pods, calls, events, findings, footer] =
        Layout::vertical(rows.map(Constraint::Length)).areas(area);
    frame::header(scene, header, buffer);
    let window = fleet::draw(scene, nodes, buffer);
    panels::pods(scene, pods, buffer);
    panels::calls(scene, calls, buffer);
    panels::events(scene, events, buffer);
    frame::findings(scene, findings, buffer);
    frame::footer(scene, footer, buffer);
    Some(window)
}

/// How many rows each part has, its heading included.
#[derive(Debug, Clone, Copy)]
struct Heights {
    nodes: u16,
    pods: u16,
    calls: u16,
    events: u16,
}

impl Heights {
    /// Divides `rows`, which are eleven at least. How many pods wait does not count: what comes and goes within a second must not move
    /// the rest.
    fn new(scene: &Scene<'_>, rows: u16) -> Self {
        let nodes = cells(scene.moment.nodes.len().max(1)).saturating_add(2);
        let calls = cells(scene.moment.calls.len()).saturating_add(2).clamp(3, 14);
        let mut parts = [3, 2, 3, 2];
        let mut left = rows.saturating_sub(parts.iter().sum());
        let [of_nodes, of_pods, of_calls, of_events] = [0, 1, 2, 3];
        let wanted = [
            (of_nodes, nodes.min(7)),
            (of_pods, 4),
            (of_calls, calls.min(5)),
            (of_events, 4),
            (of_nodes, nodes.min(rows / 2)),
            (of_calls, calls.min(rows / 3)),
            (of_events, 7),
            (of_nodes, nodes),
            (of_calls, calls),
            (of_pods, 7),
            (of_events, u16::MAX),
        ];
        for (part, wanted) in wanted {
            let more = wanted.saturating_sub(parts[part]).min(left);
            parts[part] += more;
            left -= more;
        }
        let [nodes, pods, calls, events] = parts;
        Self { nodes, pods, calls, events }
    }
}

fn too_small(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let (at, pods) = (clock(scene.moment.at), scene.moment.pods);
    let text = format!(
        "Too small to show more: {} by {}, and {WIDTH_MIN} by {HEIGHT_MIN} are needed. {at}: {} pods running, {} waiting, {} findings. q ends.",
        area.width,
        area.height,
        pods.running,
        pods.waiting,
        scene.moment.findings.len(),
    );
    Paragraph::new(text).wrap(Wrap { trim: true }).render(area, buffer);
}

/// A line across with a heading at its left, and further words at its right if they fit; what is left for the part's rows.
pub(super) fn heading(
    (mut line, right): (Line<'static>, Line<'static>),
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let left = usize::from(area.width).saturating_sub(line.width());
    let right = if right.width() <= left { right } else { Line::default() };
    line.push_span(Span::styled("─".repeat(left - right.width()), FAINT));
    line.spans.extend(right.spans);
    let height = area.height.min(1);
    line.render(Rect { height, ..area }, buffer);
    Rect { y: area.y + height, height: area.height - height, ..area }
}
