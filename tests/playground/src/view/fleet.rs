//! The nodes as a table.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Row, Table, Widget as _};

use super::bar::{KINDS, PROMISED, ROOM, bar};
use super::draw::{Scene, Window, heading};
use super::facts::{FAINT, Ink, STRONG};
use super::words::{cells, fit, one_line};
use crate::moment::{Node, NodeState};

/// A column of the table, in the order from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    /// `!` where somebody may want to look.
    Mark,
    Name,
    InstanceType,
    /// The zone without its region: `1a`.
    ShortZone,
    Zone,
    Bar,
    Used,
    Free,
    Cooling,
    Promised,
    Capacity,
    Enis,
    Prefixes,
    State,
}

/// What a bar has at least and at most.
const BAR: (u16, u16) = (12, 40);

/// What is worth showing of the words of a reason.
const WORDS: usize = 14;

/// What the state has at least: enough for the label of most reasons.
const STATE: u16 = 21;

/// Draws the nodes, and says which of them are seen. Those that somebody may want to look at come first when not all fit.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) -> Window {
    let ink = scene.facts.ink;
    let title = Line::from(vec![
        Span::styled("─ Nodes ", STRONG),
        Span::raw(format!("{} ", scene.moment.nodes.len())),
    ]);
    let rows = heading((title, legend(scene)), area, buffer);
    let room = usize::from(rows.height.saturating_sub(1));
    let mut nodes: Vec<&Node> = scene.moment.nodes.iter().collect();
    let window = Window::new(nodes.len(), room, scene.scroll);
    if window.shown < nodes.len() {
        nodes.sort_by_key(|node| !is_troubled(node));
    }
    let columns = columns(scene, rows.width);
    let seen = nodes.iter().skip(window.above).take(window.shown);
    let body = seen.map(|node| row(node, &columns, ink));
    let widths = columns.iter().map(|(_, width)| Constraint::Length(*width));
    let header = columns.iter().map(|(column, width)| column.aligned(column.header(), *width));
    Table::new(body, widths)
        .header(Row::new(header).style(FAINT))
        .column_spacing(1)
        .render(rows, buffer);
    if nodes.is_empty() && rows.height > 1 {
        let none = Rect { y: rows.y + 1, height: 1, ..rows };
        Line::styled("  none has joined yet", FAINT).render(none, buffer);
    } else if window.shown < nodes.len() {
        let last = Rect { y: rows.bottom().saturating_sub(1), height: 1, ..rows };
        more(window, ink).render(last.intersection(rows), buffer);
    }
    window
}

fn more(window: Window, ink: Ink) -> Line<'static> {
    let text = match (window.above, window.below) {
        (0, below) => format!("  … {below} more ↓"),
        (above, 0) => format!("  … {above} more ↑"),
        (above, below) => format!("  … {above} more ↑, {below} more ↓"),
    };
    Line::styled(text, ink.trouble())
}

/// What the characters of the bars stand for. Few fleets have promised addresses.
fn legend(scene: &Scene<'_>) -> Line<'static> {
    let (ink, has_promised) = (scene.facts.ink, has_promised(scene));
    let mut spans = vec![Span::raw(" ")];
    for kind in KINDS.iter().filter(|kind| kind.symbol != PROMISED || has_promised) {
        spans.push(Span::styled(kind.symbol, (kind.style)(ink)));
        spans.push(Span::raw(format!(" {}  ", kind.name)));
    }
    spans.push(Span::styled(ROOM, FAINT));
    spans.push(Span::raw(" room "));
    Line::from(spans)
}

fn has_promised(scene: &Scene<'_>) -> bool {
    scene.moment.nodes.iter().any(|node| node.promised > 0)
}

fn is_troubled(node: &Node) -> bool {
    node.state == NodeState::Silent || !node.blocked.is_empty()
}

/// The columns that fit, with their widths. What matters most is there first; what is left is shared by the bar and the state.
fn columns(scene: &Scene<'_>, width: u16) -> Vec<(Column, u16)> {
    let nodes = &scene.moment.nodes;
    let longest = |text: fn(&Node) -> &str, least: u16, most: u16| {
        let longest = nodes.iter().map(|node| cells(Span::raw(text(node)).width())).max();
        longest.unwrap_or_default().clamp(least, most)
    };
    let name = longest(|node| &node.name, 4, (width / 5).max(4));
    let instance_type = longest(|node| &node.instance_type, 4, 16);
    let zone = longest(|node| &node.zone, 4, 14);
    let has_prefixes = scene.facts.has_prefixes || nodes.iter().any(|node| node.prefixes > 0);
    let mut columns = vec![
        (Column::Mark, 1),
        (Column::Name, name),
        (Column::Bar, BAR.0),
        (Column::Used, 4),
        (Column::Free, 4),
        (Column::State, STATE),
    ];
    let optional = [
        (Column::Enis, 4, true),
        (Column::InstanceType, instance_type, true),
        (Column::Prefixes, 4, has_prefixes),
        (Column::Cooling, 4, true),
        (Column::ShortZone, 4, true),
        (Column::Promised, 4, has_promised(scene)),
        (Column::Capacity, 4, true),
        (Column::Zone, zone, true),
    ];
    for (column, width_of_it, is_wanted) in optional {
        let taken: u16 = columns.iter().map(|(_, width)| width + 1).sum();
        if is_wanted && taken.saturating_add(width_of_it) <= width {
            columns.push((column, width_of_it));
        }
    }
    if columns.iter().any(|(column, _)| *column == Column::Zone) {
        columns.retain(|(column, _)| *column != Column::ShortZone);
    }
    share_the_rest(&mut columns, width);
    columns.sort_by_key(|(column, _)| *column);
    columns
}

fn share_the_rest(columns: &mut [(Column, u16)], width: u16) {
    let taken: u16 = columns.iter().map(|(_, width)| width + 1).sum();
    let left = (width + 1).saturating_sub(taken);
    let to_bar = (left / 3).min(BAR.1 - BAR.0);
    for (column, width) in columns {
        match column {
            Column::Bar => *width += to_bar,
            Column::State => *width += left - to_bar,
            _ => {}
        }
    }
}

fn row(node: &Node, columns: &[(Column, u16)], ink: Ink) -> Row<'static> {
    let cells = columns.iter().map(|(column, width)| {
        if *column == Column::Bar {
            let is_foreign = node.state == NodeState::Foreign;
            return if is_foreign { Cell::default() } else { bar(node, *width, ink).into() };
        }
        let text = column.text(node, *width);
        Cell::from(column.aligned(&text, *width)).style(column.style(node, ink))
    });
    Row::new(cells.collect::<Vec<_>>())
}

impl Column {
    const fn header(self) -> &'static str {
        match self {
            Self::Mark => "",
            Self::Name => "node",
            Self::InstanceType => "type",
            Self::ShortZone | Self::Zone => "zone",
            Self::Bar => "addresses",
            Self::Used => "used",
            Self::Free => "free",
            Self::Cooling => "cool",
            Self::Promised => "prom",
            Self::Capacity => "max",
            Self::Enis => "ENIs",
            Self::Prefixes => "/28s",
            Self::State => "state, or why blocked",
        }
    }

    fn is_number(self) -> bool {
        self > Self::Bar && self < Self::State
    }

    /// A text that fits, numbers at the right.
    fn aligned(self, text: &str, width: u16) -> Line<'static> {
        let line = Line::from(fit(text, usize::from(width)));
        if self.is_number() { line.right_aligned() } else { line }
    }

    fn text(self, node: &Node, width: u16) -> String {
        let number = |number: u32| if number == 0 { "-".to_owned() } else { number.to_string() };
        match self {
            Self::Mark => if is_troubled(node) { "!" } else { "" }.to_owned(),
            Self::Name => node.name.clone(),
            Self::InstanceType => node.instance_type.clone(),
            Self::ShortZone => node.zone.rsplit('-').next().unwrap_or_default().to_owned(),
            Self::Zone => node.zone.clone(),
            Self::Used => number(node.used),
            Self::Free => number(node.free),
            Self::Cooling => number(node.cooling),
            Self::Promised => number(node.promised),
            Self::Capacity => number(node.capacity),
            Self::Enis => number(node.enis),
            Self::Prefixes => number(node.prefixes),
            Self::State => state(node, usize::from(width)),
            Self::Bar => String::new(),
        }
    }

    fn style(self, node: &Node, ink: Ink) -> Style {
        match (self, node.state) {
            (Self::Mark | Self::State, _) if is_troubled(node) => ink.trouble(),
            (Self::State, NodeState::Ready) => ink.good(),
            (Self::State, NodeState::Foreign) => FAINT,
            _ => Style::new(),
        }
    }
}

/// Where a node is in its life, and why it does not get what it wants: by the operator's words too, where there is room for some of them.
fn state(node: &Node, width: usize) -> String {
    let state = match node.state {
        NodeState::Joining => "joining",
        NodeState::Ready => "ready",
        NodeState::Draining => "draining",
        NodeState::Silent => "silent",
        NodeState::Foreign => "not Berth's",
    };
    let Some((label, words)) = node.blocked.first() else { return state.to_owned() };
    let state = if node.state == NodeState::Ready { String::new() } else { format!("{state}, ") };
    let others = match node.blocked.len() - 1 {
        0 => String::new(),
        others => format!(" (+{others})"),
    };
    let short = format!("{state}{label}{others}");
    let long = format!("{short}: {}", one_line(words));
    let fits = Span::raw(&long).width() <= width || Span::raw(&short).width() + WORDS <= width;
    if fits && !words.is_empty() { long } else { short }
}
