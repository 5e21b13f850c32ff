//! Moments as text, and what is seen of them.

mod bars;
mod lines;
mod property;
mod screens;
mod script;
mod small;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

use self::script::Seen;
use super::draw::{Window, draw};

/// Draws what a text describes in a terminal of so many columns and rows, and holds it to the expected screen. Blanks at the ends of
/// lines do not count.
#[track_caller]
fn check(seen: &str, size: (u16, u16), expected: &str) {
    check_seen(&Seen::read(seen), size, expected);
}

#[track_caller]
fn check_seen(seen: &Seen, size: (u16, u16), expected: &str) {
    let drawn = text(&render(seen, size).0);
    let expected: Vec<&str> = expected.trim_matches('\n').lines().map(str::trim_end).collect();
    assert!(drawn.trim_end().lines().eq(expected), "this is seen:\n{drawn}");
}

fn render(seen: &Seen, (width, height): (u16, u16)) -> (Buffer, Option<Window>) {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    let window = draw(&seen.scene(), buffer.area, &mut buffer);
    (buffer, window)
}

/// What a buffer shows, a line per row.
fn text(buffer: &Buffer) -> String {
    let rows = buffer.content().chunks(usize::from(buffer.area.width).max(1));
    let rows = rows.map(|row| row.iter().map(Cell::symbol).collect::<String>());
    rows.map(|row| row.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
