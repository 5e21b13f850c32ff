//! A node's addresses as a bar.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::facts::{FAINT, Ink};
use crate::moment::Node;

/// A kind of address in a bar: what it is called, its character, its style, how many a node has.
pub(super) struct Kind {
    /// For the legend.
    pub(super) name: &'static str,
    /// What it is drawn with, told apart without colours.
    pub(super) symbol: &'static str,
    /// What it is drawn in.
    pub(super) style: fn(Ink) -> Style,
    /// How many of a node's addresses are of it.
    pub(super) count: fn(&Node) -> u32,
}

/// The kinds in the order of the bar. What is left of it is room: addresses that the node could have and has not.
pub(super) const KINDS: [Kind; 4] = [
    Kind { name: "used", symbol: "█", style: Ink::good, count: |node| node.used },
    Kind { name: "free", symbol: "▒", style: Ink::free, count: |node| node.free },
    Kind { name: "cooling", symbol: "~", style: Ink::resting, count: |node| node.cooling },
    Kind { name: "promised", symbol: PROMISED, style: Ink::promised, count: |node| node.promised },
];

/// What promised addresses are drawn with.
pub(super) const PROMISED: &str = ">";

/// What room is drawn with.
pub(super) const ROOM: &str = "·";

/// The bar of a node, `width` columns wide: all of it is the node's capacity, or what it has if that is more.
pub(super) fn bar(node: &Node, width: u16, ink: Ink) -> Line<'static> {
    let counts = KINDS.map(|kind| (kind.count)(node));
    let held = counts.iter().fold(0, |sum: u32, count| sum.saturating_add(*count));
    let room = node.capacity.saturating_sub(held);
    let [used, free, cooling, promised] = counts;
    let widths = shares([used, free, cooling, promised, room], width);
    let mut spans = Vec::with_capacity(widths.len());
    for (kind, cells) in KINDS.iter().zip(widths) {
        spans.push(Span::styled(kind.symbol.repeat(usize::from(cells)), (kind.style)(ink)));
    }
    let left = usize::from(width) - spans.iter().map(Span::width).sum::<usize>();
    spans.push(Span::styled(ROOM.repeat(left), FAINT));
    Line::from(spans)
}

/// Divides `cells` among parts by their sizes. The shares add up to `cells`, unless all parts are zero. What is not zero gets a cell at
/// least, as far as there are so many: the larger first. A larger part never gets less than a smaller one.
pub(super) fn shares<const N: usize>(parts: [u32; N], cells: u16) -> [u16; N] {
    let whole: i64 = parts.iter().copied().map(i64::from).sum();
    let mut shares = [0_u16; N];
    if whole == 0 {
        return shares;
    }
    let exact = |part: usize| i64::from(parts[part]) * i64::from(cells);
    for (part, share) in shares.iter_mut().enumerate() {
        let floor = u16::try_from(exact(part) / whole).unwrap_or(cells);
        *share = if parts[part] > 0 { floor.max(1) } else { 0 };
    }
    // How much more a part has than it should, in parts of a cell.
    let excess = |shares: &[u16; N], part: usize| i64::from(shares[part]) * whole - exact(part);
    let mut given: usize = shares.iter().copied().map(usize::from).sum();
    while given < usize::from(cells) {
        let Some(poorest) = (0..N).min_by_key(|part| excess(&shares, *part)) else { break };
        shares[poorest] += 1;
        given += 1;
    }
    while given > usize::from(cells) {
        let richest = (0..N).filter(|part| shares[*part] > 0).max_by_key(|part| {
            (shares[*part] > 1, excess(&shares, *part), std::cmp::Reverse(parts[*part]))
        });
        let Some(richest) = richest else { break };
        shares[richest] -= 1;
        given -= 1;
    }
    shares
}
