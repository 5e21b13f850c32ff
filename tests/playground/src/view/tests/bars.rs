//! Bars.

use super::script::Seen;
use crate::view::bar::{bar, shares};
use crate::view::facts::Ink;

/// Holds the bar of a node, `width` columns wide, to what is expected. It is the same without colours.
#[track_caller]
fn check(node: &str, width: u16, expected: &str) {
    let seen = Seen::read(&format!("node a m5.large eu-west-1a ready {node}"));
    for has_colours in [true, false] {
        let line = bar(&seen.moment.nodes[0], width, Ink { has_colours });
        let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
        assert_eq!(text, expected);
    }
}

#[test]
fn bars_show_shares_of_the_capacity() {
    check("max 10", 10, "··········");
    check("used 10 max 10", 10, "██████████");
    check("used 4 free 3 cooling 2 promised 1 max 10", 10, "████▒▒▒~~>");
    check("used 2 free 1 max 10", 20, "████▒▒··············");
}

#[test]
fn what_is_there_is_seen() {
    check("used 1 free 700 cooling 1 promised 1 max 735", 10, "█▒▒▒▒▒▒~>·");
    check("used 734 max 735", 10, "█████████·");
    check("used 1 free 9 cooling 2 max 12", 2, "▒~");
    check("used 1 max 735", 1, "·");
    check("used 1 max 735", 0, "");
}

#[test]
fn more_than_the_capacity_fills_the_bar() {
    check("used 30 free 10 max 20", 8, "██████▒▒");
    check("used 5", 4, "████");
    check("max 0", 4, "····");
}

#[test]
fn shares_add_up_and_keep_the_order() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..20_000 {
        let most = [1, 10, 800, u32::MAX][random.usize(..4)];
        let parts: [u32; 5] =
            std::array::from_fn(|_| if random.bool() { random.u32(..=most) } else { 0 });
        let cells = random.u16(..=200);
        let shares = shares(parts, cells);
        let there = parts.iter().filter(|part| **part > 0).count();
        let sum: u16 = shares.iter().sum();
        let told = format!("{parts:?} in {cells}: {shares:?}");
        assert_eq!(sum, if there > 0 { cells } else { 0 }, "{told}");
        for (part, share) in parts.iter().zip(shares) {
            assert!(*part > 0 || share == 0, "{told}");
            assert!(*part == 0 || share > 0 || usize::from(cells) < there, "{told}");
            let larger = parts.iter().zip(shares).filter(|(other, _)| *other > part);
            assert!(larger.clone().all(|(_, of_larger)| of_larger >= share), "{told}");
        }
    }
}
