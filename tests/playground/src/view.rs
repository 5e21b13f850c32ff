//! What a person sees while the playground runs: a live view in a terminal, and a line a second without one.
//!
//! What is seen is a pure function of what does not change (`facts`), a [`Moment`], the news and how far the nodes are scrolled. Only
//! `terminal` and this file touch the process's own terminal.
//!
//! | module | what it knows |
//! |---|---|
//! | `facts` | what of the plan is shown, and whether in colours |
//! | `history` | how often each EC2 action was called of late |
//! | `draw` | where the parts of the live view stand |
//! | `frame`, `fleet`, `bar`, `panels` | the parts: header and footer, the nodes, their bars, pods and calls and events |
//! | `lines` | a line a second |
//! | `words` | texts that fit |
//! | `terminal` | a terminal that is taken and given back, and its keys |

mod bar;
mod draw;
mod facts;
mod fleet;
mod frame;
mod history;
mod lines;
mod panels;
mod terminal;
#[cfg(test)]
mod tests;
mod words;

use std::io::{self, Stderr, Stdout};
use std::time::Duration;

use self::draw::{Scene, draw};
use self::facts::Facts;
use self::history::History;
use self::lines::Lines;
use self::terminal::{Key, Taken};
use crate::moment::Moment;
use crate::news;
use crate::plan::Plan;

/// What is shown of a run. Dropping it gives the terminal back, and so does a panic of any thread.
#[derive(Debug)]
pub struct Screen {
    facts: Facts,
    face: Face,
    is_over: bool,
}

/// What is wanted to be shown, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// The live view where standard output is a terminal that can show it, lines on standard output otherwise.
    Live,
    /// Lines on standard output.
    Lines,
    /// Lines on standard error: standard output is for something else.
    LinesToStderr,
}

#[derive(Debug)]
enum Face {
    Live(Box<Live>),
    Lines(Lines<Stdout>),
    LinesToStderr(Lines<Stderr>),
}

/// The live view.
#[derive(Debug)]
struct Live {
    terminal: Taken,
    history: History,
    /// Nodes that are scrolled away above.
    scroll: usize,
    /// Nodes that fit.
    page: usize,
}

impl Screen {
    /// Begins to show a run.
    ///
    /// A terminal can show the live view if it has at least 60 columns and 15 rows, and `TERM` is neither unset nor `dumb`. One that cannot be put
    /// into raw mode gets lines. Colours are left out where `NO_COLOR` is set and not empty.
    ///
    /// # Errors
    ///
    /// Those of writing to the terminal.
    pub fn open(plan: &Plan, show: Show) -> io::Result<Self> {
        let taken = if show == Show::Live { Taken::take()? } else { None };
        let face = match (show, taken) {
            (_, Some(terminal)) => Face::Live(Box::new(Live::new(terminal))),
            (Show::LinesToStderr, None) => Face::LinesToStderr(Lines::new(io::stderr())),
            (Show::Live | Show::Lines, None) => Face::Lines(Lines::new(io::stdout())),
        };
        Ok(Self { facts: Facts::new(plan, facts::wants_colours()), face, is_over: false })
    }

    /// The length of the run counts from `at`, and not from the start: so much later it ends.
    pub const fn begin(&mut self, at: Duration) {
        self.facts.length = self.facts.length.saturating_add(at);
    }

    /// Shows a moment, with the last things that happened, the newest last. The live view is drawn anew each time. Lines are written when
    /// another second has begun, and troubles and findings at once.
    ///
    /// After a panic of another thread it goes on in lines, so that what the panic said stays to be read.
    ///
    /// # Errors
    ///
    /// Those of writing. That nobody reads it any more is none: [`Self::wants_to_end`] says so.
    pub fn show(&mut self, moment: &Moment, news: &[news::Line]) -> io::Result<()> {
        if matches!(self.face, Face::Live(_)) && terminal::is_given_back() {
            self.face = Face::Lines(Lines::new(io::stdout()));
        }
        let shown = match &mut self.face {
            Face::Live(live) => live.show(&self.facts, moment, news),
            Face::Lines(lines) => lines.show(moment, news),
            Face::LinesToStderr(lines) => lines.show(moment, news),
        };
        match shown {
            Err(error) if is_of_nobody(&error) => {
                self.is_over = true;
                Ok(())
            }
            shown => shown,
        }
    }

    /// Reads the keys that are pending, and says whether the run is to end: after `q`, Esc or ctrl-c in the live view, or once nobody reads
    /// the lines any more. It does not wait.
    pub fn wants_to_end(&mut self) -> bool {
        if let Face::Live(live) = &mut self.face
            && !terminal::is_given_back()
        {
            self.is_over |= live.read_keys();
        }
        self.is_over
    }

    /// Gives the terminal back as it was.
    ///
    /// # Errors
    ///
    /// Those of writing to the terminal.
    pub fn close(self) -> io::Result<()> {
        match self.face {
            Face::Live(_) => terminal::give_back(),
            Face::Lines(_) | Face::LinesToStderr(_) => Ok(()),
        }
    }
}

/// Whether nobody reads any more: the other end of a pipe is closed, or a terminal is gone.
fn is_of_nobody(error: &io::Error) -> bool {
    let gone = rustix::io::Errno::IO.raw_os_error();
    error.kind() == io::ErrorKind::BrokenPipe || error.raw_os_error() == Some(gone)
}

impl Live {
    fn new(terminal: Taken) -> Self {
        Self { terminal, history: History::default(), scroll: 0, page: 1 }
    }

    fn show(&mut self, facts: &Facts, moment: &Moment, news: &[news::Line]) -> io::Result<()> {
        self.history.note(moment);
        let rates = self.history.rates();
        let scene = Scene { facts, moment, rates: &rates, news, scroll: self.scroll };
        let mut window = None;
        self.terminal.draw(|area, buffer| window = draw(&scene, area, buffer))?;
        if let Some(window) = window {
            self.scroll = window.above;
            self.page = window.shown.max(1);
        }
        Ok(())
    }

    /// Does what the pending keys say; whether one of them ends the run. A terminal that cannot be read is gone, and so is who watched.
    fn read_keys(&mut self) -> bool {
        loop {
            match terminal::pending_key() {
                Ok(None) => return false,
                Ok(Some(Key::End)) | Err(_) => return true,
                Ok(Some(key)) => self.scroll = scrolled(self.scroll, key, self.page),
            }
        }
    }
}

/// How far the nodes are scrolled after a key. The end is not known here: drawing says how far it went.
fn scrolled(scroll: usize, key: Key, page: usize) -> usize {
    match key {
        Key::Up => scroll.saturating_sub(1),
        Key::Down => scroll.saturating_add(1),
        Key::PageUp => scroll.saturating_sub(page),
        Key::PageDown => scroll.saturating_add(page),
        Key::First => 0,
        Key::Last => usize::MAX,
        Key::End | Key::Other => scroll,
    }
}
