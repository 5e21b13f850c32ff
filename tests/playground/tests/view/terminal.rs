//! What is shown in a terminal.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize};

use super::run::{FIRST, LAST};
use super::{Test, showing};

/// Nothing takes longer than this, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(1);

const ENTERED: &str = "\u{1b}[?1049h";
const LEFT: &str = "\u{1b}[?1049l";
const CURSOR_SHOWN: &str = "\u{1b}[?25h";

pub(crate) const TESTS: &[Test] = &[
    ("q_ends_it", q_ends_it),
    ("ctrl_c_ends_it", ctrl_c_ends_it),
    ("keys_scroll", keys_scroll),
    ("it_follows_the_size", it_follows_the_size),
    ("dropping_gives_the_terminal_back", dropping_gives_the_terminal_back),
    ("a_panic_gives_the_terminal_back", a_panic_gives_the_terminal_back),
    ("after_a_panic_elsewhere_there_are_lines", after_a_panic_elsewhere_there_are_lines),
    ("colours_can_be_switched_off", colours_can_be_switched_off),
    ("lines_where_the_terminal_cannot_show_it", lines_where_the_terminal_cannot_show_it),
    ("lines_where_they_are_asked_for", lines_where_they_are_asked_for),
];

/// A pseudo-terminal with a run in it. The run is stopped when this is dropped.
struct Terminal {
    /// What a person has: keys and the screen.
    person: File,
    /// What the run has.
    line: OwnedFd,
    before: Termios,
    run: Child,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// Starts the run in a terminal of so many columns and rows.
    fn start(mut run: Command, (columns, rows): (u16, u16)) -> Result<Self> {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&person)?;
        unlockpt(&person)?;
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let line = ioctl_tiocgptpeer(&person, flags)?;
        tcsetwinsize(&person, winsize(columns, rows))?;
        let before = tcgetattr(&line)?;
        let [stdin, stdout, stderr] = [line.try_clone()?, line.try_clone()?, line.try_clone()?];
        let run = run.stdin(stdin).stdout(stdout).stderr(stderr).spawn()?;
        let person = File::from(person);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (screen, of_screen) = (person.try_clone()?, Arc::clone(&seen));
        // It ends with the terminal: when nobody has the other side any more, reading fails.
        thread::spawn(move || look_on(screen, &of_screen));
        Ok(Self { person, line, before, run, seen })
    }

    fn seen(&self) -> String {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&seen).into_owned()
    }

    /// The last of it, for who reads why a test failed.
    fn last_seen(&self) -> String {
        let seen = self.seen();
        let last: Vec<char> = seen.chars().rev().take(3_000).collect();
        format!("{:?}", last.into_iter().rev().collect::<String>())
    }

    /// Waits until `wanted` is seen.
    fn wait_for(&self, wanted: &str) -> Result<()> {
        self.wait_for_after("", wanted)
    }

    /// Waits until `wanted` is seen after the first `mark`.
    fn wait_for_after(&self, mark: &str, wanted: &str) -> Result<()> {
        until(|| self.is_seen_after(mark, wanted).then_some(()))
            .with_context(|| format!("{wanted:?} is not seen: {}", self.last_seen()))
    }

    fn is_seen_after(&self, mark: &str, wanted: &str) -> bool {
        let seen = self.seen();
        seen.find(mark).is_some_and(|from| seen[from..].contains(wanted))
    }

    fn press(&mut self, keys: &str) -> Result<()> {
        Ok(self.person.write_all(keys.as_bytes())?)
    }

    /// Waits until the run is over.
    fn wait_for_the_end(&mut self) -> Result<ExitStatus> {
        let run = &mut self.run;
        until(|| run.try_wait().ok().flatten()).context("the run goes on")
    }

    /// Whether keys come one by one and are not shown: not as a shell has it.
    fn is_raw(&self) -> Result<bool> {
        let modes = tcgetattr(&self.line)?.local_modes;
        Ok(!modes.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG))
    }

    /// Holds the terminal to what it was before: its modes, its screen, its cursor. `last` is what was said after that.
    fn check_given_back(&self, last: &str) -> Result<()> {
        self.wait_for_after(LEFT, last)?;
        let (seen, now) = (self.seen(), tcgetattr(&self.line)?);
        ensure!(now.local_modes == self.before.local_modes, "{:?}", now.local_modes);
        ensure!(now.input_modes == self.before.input_modes, "{:?}", now.input_modes);
        ensure!(now.output_modes == self.before.output_modes, "{:?}", now.output_modes);
        let (entered, left) = (seen.matches(ENTERED).count(), seen.matches(LEFT).count());
        ensure!(
            (entered, left) == (1, 1),
            "entered {entered} times, left {left} times: {}",
            self.last_seen()
        );
        let after = &seen[seen.find(LEFT).unwrap_or_default()..];
        ensure!(after.contains(CURSOR_SHOWN), "{after:?}");
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It is over already when all is well.
        let _ = self.run.kill();
        let _ = self.run.wait();
    }
}

fn look_on(mut screen: File, seen: &Mutex<Vec<u8>>) {
    let mut some = [0; 4_096];
    while let Ok(count) = screen.read(&mut some) {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend_from_slice(&some[..count]);
    }
}

fn until<T>(mut found: impl FnMut() -> Option<T>) -> Result<T> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(found) = found() {
            return Ok(found);
        }
        thread::sleep(Duration::from_millis(10));
    }
    bail!("waited for {PATIENCE:?}")
}

fn winsize(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

fn q_ends_it() -> Result<()> {
    check_that_it_ends_by("q")
}

fn ctrl_c_ends_it() -> Result<()> {
    check_that_it_ends_by("\u{3}")
}

fn check_that_it_ends_by(key: &str) -> Result<()> {
    let mut terminal = Terminal::start(showing("steady")?, (80, 24))?;
    terminal.wait_for_after(ENTERED, "playground")?;
    terminal.wait_for_after(ENTERED, FIRST)?;
    ensure!(terminal.is_raw()?, "keys come one by one");
    terminal.press(key)?;
    let status = terminal.wait_for_the_end()?;
    ensure!(status.success(), "{status}");
    terminal.check_given_back("closed")
}

fn keys_scroll() -> Result<()> {
    let mut terminal = Terminal::start(showing("steady")?, (80, 24))?;
    terminal.wait_for(FIRST)?;
    terminal.press("\u{1b}[F")?;
    terminal.wait_for(LAST)?;
    terminal.press("\u{1b}[H")?;
    terminal.wait_for_after(LAST, FIRST)?;
    terminal.press("\u{1b}")?;
    let status = terminal.wait_for_the_end()?;
    ensure!(status.success(), "{status}");
    terminal.check_given_back("closed")
}

fn it_follows_the_size() -> Result<()> {
    let mut terminal = Terminal::start(showing("steady")?, (80, 24))?;
    terminal.wait_for(FIRST)?;
    tcsetwinsize(&terminal.person, winsize(40, 8))?;
    terminal.wait_for("small")?;
    tcsetwinsize(&terminal.person, winsize(120, 60))?;
    terminal.wait_for_after("small", LAST)?;
    // To crossterm 0.29 a key that comes with a change of the size is lost until the next one comes.
    until(|| {
        terminal.press("q").ok()?;
        thread::sleep(Duration::from_millis(50));
        terminal.run.try_wait().ok().flatten()
    })?;
    terminal.check_given_back("closed")
}

fn dropping_gives_the_terminal_back() -> Result<()> {
    let mut terminal = Terminal::start(showing("drop")?, (80, 24))?;
    let status = terminal.wait_for_the_end()?;
    ensure!(status.success(), "{status}");
    terminal.check_given_back("dropped")
}

fn a_panic_gives_the_terminal_back() -> Result<()> {
    let mut terminal = Terminal::start(showing("panic")?, (80, 24))?;
    let status = terminal.wait_for_the_end()?;
    ensure!(!status.success(), "{status}");
    terminal.check_given_back("a made-up panic")
}

fn after_a_panic_elsewhere_there_are_lines() -> Result<()> {
    let mut terminal = Terminal::start(showing("panic elsewhere")?, (80, 24))?;
    let status = terminal.wait_for_the_end()?;
    ensure!(status.success(), "{status}");
    terminal.check_given_back("closed")?;
    terminal.wait_for_after("a made-up panic", "3s  nodes   40/40  pods ")
}

fn colours_can_be_switched_off() -> Result<()> {
    for (value, has_colours) in [("", true), ("1", false)] {
        let mut run = showing("steady")?;
        run.env("NO_COLOR", value);
        let mut terminal = Terminal::start(run, (80, 24))?;
        terminal.wait_for(FIRST)?;
        terminal.press("q")?;
        terminal.wait_for_the_end()?;
        terminal.check_given_back("closed")?;
        ensure!(terminal.seen().contains("[38;5;") == has_colours, "{}", terminal.last_seen());
    }
    Ok(())
}

fn lines_where_the_terminal_cannot_show_it() -> Result<()> {
    check_lines("steady", "dumb", (80, 24))?;
    check_lines("steady", "", (80, 24))?;
    check_lines("steady", "xterm", (59, 24))?;
    check_lines("steady", "xterm", (80, 14))
}

fn lines_where_they_are_asked_for() -> Result<()> {
    check_lines("lines", "xterm", (80, 24))?;
    check_lines("stderr", "xterm", (80, 24))
}

fn check_lines(how: &str, term: &str, size: (u16, u16)) -> Result<()> {
    let mut run = showing(how)?;
    run.env("TERM", term);
    let terminal = Terminal::start(run, size)?;
    terminal.wait_for("2s  nodes   40/40  pods ")?;
    ensure!(!terminal.seen().contains('\u{1b}'), "{}", terminal.last_seen());
    ensure!(!terminal.is_raw()?, "it is left as it was");
    Ok(())
}
