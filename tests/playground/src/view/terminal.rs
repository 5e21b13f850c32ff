//! A terminal that is taken and given back, and its keys.

use std::env;
use std::io::{self, IsTerminal, Stdout, Write as _};
use std::panic;
use std::sync::Once;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
    is_raw_mode_enabled, size,
};
use ratatui::layout::Rect;

use super::draw::{HEIGHT_MIN, WIDTH_MIN};

/// The terminal of standard output, in raw mode and on its alternate screen until this is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Taken {
    /// Takes the terminal, if there is one that can show the live view.
    pub(super) fn take() -> io::Result<Option<Self>> {
        if !can_show() || enable_raw_mode().is_err() {
            return Ok(None);
        }
        give_back_on_panic();
        match enter() {
            Ok(terminal) => Ok(Some(Self { terminal })),
            Err(error) => give_back().and(Err(error)),
        }
    }

    /// Draws all of it anew, in the size that it has now.
    pub(super) fn draw(&mut self, draw: impl FnOnce(Rect, &mut Buffer)) -> io::Result<()> {
        self.terminal.draw(|frame| draw(frame.area(), frame.buffer_mut()))?;
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // Nobody is left to hear of an error.
        let _ = give_back();
    }
}

/// Whether the terminal was given back already, as a panic does.
pub(super) fn is_given_back() -> bool {
    !is_raw_mode_enabled().unwrap_or(false)
}

fn can_show() -> bool {
    let term = env::var("TERM").unwrap_or_default();
    let is_able = io::stdout().is_terminal() && !["", "dumb"].contains(&term.as_str());
    is_able && size().is_ok_and(|(width, height)| width >= WIDTH_MIN && height >= HEIGHT_MIN)
}

fn enter() -> io::Result<Terminal<CrosstermBackend<Stdout>>> {
    execute!(io::stdout(), EnterAlternateScreen)?;
    Terminal::new(CrosstermBackend::new(io::stdout()))
}

/// Gives the terminal back, if it is taken. A second time would move the cursor over what was printed since.
pub(super) fn give_back() -> io::Result<()> {
    if !is_given_back() {
        disable_raw_mode()?;
        execute!(io::stdout(), LeaveAlternateScreen, Show)?;
        io::stdout().flush()?;
    }
    Ok(())
}

/// What a panic says has to be seen, and the shell has to be usable afterwards, also where a panic ends the process at once.
fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // There is a greater trouble to tell of.
            let _ = give_back();
            before(panic);
        }));
    });
}

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// The run is to end.
    End,
    /// One node up.
    Up,
    /// One node down.
    Down,
    /// As many nodes up as fit.
    PageUp,
    /// As many nodes down as fit.
    PageDown,
    /// To the first node.
    First,
    /// To the last node.
    Last,
    /// Nothing.
    Other,
}

/// The next key that was pressed already. A change of the size counts as one that asks for nothing: it is seen when it is drawn.
pub(super) fn pending_key() -> io::Result<Option<Key>> {
    if !event::poll(Duration::ZERO)? {
        return Ok(None);
    }
    let key = match event::read()? {
        Event::Key(key) if key.kind != KeyEventKind::Release => meaning(key),
        _ => Key::Other,
    };
    Ok(Some(key))
}

pub(super) fn meaning(key: KeyEvent) -> Key {
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Key::End,
        KeyCode::Char('q') | KeyCode::Esc => Key::End,
        KeyCode::Up | KeyCode::Char('k') => Key::Up,
        KeyCode::Down | KeyCode::Char('j') => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown | KeyCode::Char(' ') => Key::PageDown,
        KeyCode::Home => Key::First,
        KeyCode::End => Key::Last,
        _ => Key::Other,
    }
}
