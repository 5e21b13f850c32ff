//! The pieces that screens are made of.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::script::Seen;
use crate::moment::{Calls, Moment};
use crate::view::draw::Window;
use crate::view::history::History;
use crate::view::scrolled;
use crate::view::terminal::{Key, meaning};
use crate::view::words::{clock, fit, one_line, rate, reasons, wait};

#[test]
fn spans_of_time() {
    let text = |seconds| clock(Duration::from_secs(seconds));
    assert_eq!([0, 60, 119, 120, 3_599].map(text), ["0s", "60s", "119s", "2m00s", "59m59s"]);
    assert_eq!([3_600, 90_061].map(text), ["1h00m", "25h01m"]);
    assert_eq!(wait(Duration::from_millis(9_970)), "9.9s");
    assert_eq!(wait(Duration::from_millis(10_970)), "10s");
}

#[test]
fn rates_have_a_tenth_where_there_is_one() {
    assert_eq!([0.0, 0.5, 20.0, 19.96].map(rate), ["0", "0.5", "20", "20"]);
}

#[test]
fn texts_are_cut_where_they_do_not_fit() {
    let check = |text, width, expected: &str| assert_eq!(fit(text, width), expected);
    check("ready", 5, "ready");
    check("ready", 4, "rea…");
    check("ready", 1, "…");
    check("ready", 0, "");
    check("two\nlines\u{1b}[2J", 20, "two lines [2J");
    check("日本語", 6, "日本語");
    check("日本語", 5, "日本…");
    check("日本語", 4, "日…");
    assert_eq!(one_line(" two\n   lines\t"), "two lines");
}

#[test]
fn pods_are_counted_by_why_they_wait() {
    let seen = Seen::read(
        "waiting 3 a - none is free
         waiting 2 b - not placed
         waiting 1 c - none is free",
    );
    let expected = [(2, "none is free".to_owned()), (1, "not placed".to_owned())];
    assert_eq!(reasons(&seen.moment.waiting), expected);
}

#[test]
fn a_window_is_never_emptier_than_it_must_be() {
    let check = |entries, rows, scroll, (above, shown, below)| {
        assert_eq!(Window::new(entries, rows, scroll), Window { above, shown, below });
    };
    check(0, 5, 3, (0, 0, 0));
    check(5, 5, 3, (0, 5, 0));
    check(6, 5, 0, (0, 4, 2));
    check(6, 5, 1, (1, 4, 1));
    check(6, 5, usize::MAX, (2, 4, 0));
    check(6, 0, 9, (6, 0, 0));
}

#[test]
fn keys_scroll_and_end() {
    let key = |code| meaning(KeyEvent::new(code, KeyModifiers::NONE));
    assert_eq!(
        [KeyCode::Char('q'), KeyCode::Esc, KeyCode::Char('c'), KeyCode::Down].map(key),
        [Key::End, Key::End, Key::Other, Key::Down]
    );
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(meaning(interrupt), Key::End);
    let keys = [Key::Up, Key::Down, Key::PageUp, Key::PageDown, Key::First, Key::Last, Key::Other];
    assert_eq!(keys.map(|key| scrolled(10, key, 4)), [9, 11, 6, 14, 0, usize::MAX, 10]);
    assert_eq!(scrolled(0, Key::PageUp, 4), 0);
    assert_eq!(scrolled(usize::MAX, Key::PageDown, 4), usize::MAX);
}

#[test]
fn rates_are_those_of_the_last_ten_seconds() {
    let mut history = History::default();
    assert!(history.rates().is_empty());
    let mut rate_at = |seconds, made| {
        let calls = Calls { made, ..Calls::default() };
        let at = Duration::from_secs(seconds);
        history.note(&Moment { at, calls: [("Assign", calls)].into(), ..Moment::default() });
        rate(history.rates()["Assign"])
    };
    assert_eq!(rate_at(0, 4), "0", "one count is no rate");
    assert_eq!(rate_at(2, 7), "1.5", "as long as it has run");
    assert_eq!(rate_at(2, 99), "1.5", "the same moment");
    assert_eq!(rate_at(10, 24), "2");
    assert_eq!(rate_at(12, 27), "2", "from second 2 on");
    assert_eq!(rate_at(60, 27), "0", "a gap");
    assert_eq!(rate_at(61, 5), "0", "counted anew");
}
