//! What a ledger on disk says, and what is wrong with it.

use ipam_core::agent::{Record, Replay, ReplayError, State};
use ipam_core::pool::LedgerSettings;
use serde::{Deserialize, Serialize};

use super::frame::{self, Batch, LineProblem};
use super::wire;

/// What was found in a ledger.
#[derive(Debug)]
pub struct Recovered {
    /// What it says, as far as it can be read. None: nothing.
    pub state: Option<State>,
    /// Whether nothing that was ever answered can be missing from it.
    pub trusted: bool,
    /// What is wrong with it.
    pub damage: Option<Damage>,
}

/// What is wrong with a ledger.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// The disk does not give it.
    #[error("the ledger cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// It is none.
    #[error("the ledger has no header")]
    Header,
    /// It is of a later version of this program: what it means is not known, and it must not be touched.
    #[error("the ledger is of format {version}: this program knows {VERSION}")]
    Newer {
        /// Its version.
        version: u64,
    },
    /// What was written last was not written whole. That was never answered: nothing is lost.
    #[error("the last write ends in line {line} of the ledger: nothing of it was answered yet")]
    Torn {
        /// The first that is not whole, counted from 1, the header included.
        line: usize,
    },
    /// A line is damaged. What is behind it is lost.
    #[error("line {line} of the ledger is damaged: {problem}")]
    Line {
        /// Counted from 1, the header included.
        line: usize,
        /// How.
        problem: LineProblem,
    },
}

impl Damage {
    /// Whether something that was answered may be lost.
    #[must_use]
    pub const fn loses(&self) -> bool {
        !matches!(self, Self::Torn { .. })
    }
}

/// The name that a ledger starts with.
const FORMAT: &str = "berth-ledger";
/// Bytes that a disk writes at once or not at all, at least.
const SECTOR: usize = 512;
/// The version of the format.
const VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u64,
}

/// Writes the line that a ledger starts with.
pub(super) fn write_header(out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let header = Header { format: FORMAT.to_owned(), version: VERSION };
    frame::put(out, Batch::Ends, |out| serde_json::to_writer(out, &header))
}

/// Reads a ledger: up to its first damage. A function of the bytes and of the times that the ledger goes on with; whatever the bytes are, it answers.
#[must_use]
pub fn decode(bytes: &[u8], settings: LedgerSettings) -> Recovered {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = &bytes[..end];
    let mut reading = Reading { settings, replay: None, trusted: true };
    let (mut start, mut damage) = (0, None);
    for (line, number) in text.split_inclusive(|byte| *byte == b'\n').zip(1..) {
        damage = match number {
            1 => header_problem(line),
            _ => reading.damage_of(line, number),
        };
        if damage.is_some() {
            if number > 1 && is_torn_batch(text, start) {
                damage = Some(Damage::Torn { line: number });
            }
            break;
        }
        start += line.len();
    }
    let damage = damage.or_else(|| reading.replay.is_none().then_some(Damage::Header));
    let state = reading.replay.map(Replay::finish);
    let loses = state.is_none() || damage.as_ref().is_some_and(Damage::loses);
    Recovered { state, trusted: reading.trusted && !loses, damage }
}

/// Whether the line at `start` is damaged since not all sectors of the last batch were written: in their place are the zeros that made room
/// for them. They begin with the batch or with a sector, they end with a sector, and behind them no other batch begins.
fn is_torn_batch(text: &[u8], start: usize) -> bool {
    let rest = &text[start..];
    if frame::end_of_batch(rest).is_some_and(|end| end < rest.len()) {
        return false;
    }
    let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
    let Some(hole) = rest[..length].iter().position(|byte| *byte == 0) else { return false };
    let zeros = rest[hole..].iter().take_while(|byte| **byte == 0).count();
    let begins = hole == 0 || (start + hole).is_multiple_of(SECTOR);
    let ends = (start + hole + zeros).is_multiple_of(SECTOR);
    let mut behind = rest[length..].split_inclusive(|byte| *byte == b'\n');
    // The batch ends with the last one, whole or not.
    let _last = behind.next_back();
    begins && ends && behind.all(|line| line.contains(&0) || frame::has_next(line))
}

fn header_problem(line: &[u8]) -> Option<Damage> {
    let json = line.strip_suffix(b"\n").and_then(|line| frame::json_of(line).ok());
    match json.and_then(|json| serde_json::from_slice::<Header>(json).ok()) {
        Some(Header { format, version }) if format == FORMAT => match version {
            VERSION => None,
            0 => Some(Damage::Header),
            _ => Some(Damage::Newer { version }),
        },
        _ => Some(Damage::Header),
    }
}

struct Reading {
    settings: LedgerSettings,
    replay: Option<Replay>,
    trusted: bool,
}

impl Reading {
    /// Takes a line in, or says why not. One that lacks nothing but its line break counts.
    fn damage_of(&mut self, line: &[u8], number: usize) -> Option<Damage> {
        let whole = line.strip_suffix(b"\n");
        let json = match frame::json_of(whole.unwrap_or(line)) {
            Ok(json) => json,
            Err(_) if whole.is_none() && frame::may_begin(line) => {
                return Some(Damage::Torn { line: number });
            }
            Err(problem) => return Some(Damage::Line { line: number, problem }),
        };
        let problem = self.apply(json).err()?;
        Some(Damage::Line { line: number, problem })
    }

    fn apply(&mut self, json: &[u8]) -> Result<(), LineProblem> {
        match (wire::read(json)?, &mut self.replay) {
            ((Record::Whole(state), trusted), _) => {
                let replay = Replay::new(state, self.settings);
                self.replay = Some(replay.map_err(ReplayError::State)?);
                self.trusted = trusted;
                Ok(())
            }
            (_, None) => Err(LineProblem::NotWhole),
            ((record, _), Some(replay)) => Ok(replay.apply(&record)?),
        }
    }
}
