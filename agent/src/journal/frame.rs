//! A line of the ledger: `CRC32 LENGTH JSON`. The checksum, in eight hexadecimal digits, and the length in bytes are of the JSON, which has no line
//! break in it. `CRC32+LENGTH JSON` is a line that was written together with the next one.

use ipam_core::agent::ReplayError;

use super::wire::WireError;

/// Digits of the checksum.
const CHECKSUM: usize = 8;
/// Digits of the length, in front of which zeros stand.
const LENGTH: usize = 8;
/// What stands in front of the JSON, with the spaces.
const HEAD: usize = CHECKSUM + 1 + LENGTH + 1;

/// Why a line is not a record.
#[derive(Debug, thiserror::Error)]
pub enum LineProblem {
    /// It does not start with a checksum and a length.
    #[error("no checksum and length")]
    Head,
    /// It is shorter or longer than it says.
    #[error("{found} bytes where {declared} were announced")]
    Length {
        /// What it says.
        declared: usize,
        /// What there is.
        found: usize,
    },
    /// The checksum is another one.
    #[error("the checksum is wrong")]
    Checksum,
    /// It says nothing that is understood.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// It cannot have happened after what is in front of it.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The first record has to be the whole state.
    #[error("a change of nothing")]
    NotWhole,
}

/// What a line is written together with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Batch {
    /// The next one too.
    GoesOn,
    /// With none behind it.
    Ends,
}

impl Batch {
    const fn mark(self) -> u8 {
        match self {
            Self::GoesOn => b'+',
            Self::Ends => b' ',
        }
    }
}

/// Puts a line behind what is in `out`; `json` writes the JSON. If that fails, `out` is as before.
pub(super) fn put<E>(
    out: &mut Vec<u8>,
    batch: Batch,
    json: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let start = out.len();
    out.extend_from_slice(&[b' '; HEAD]);
    if let Err(error) = json(out) {
        out.truncate(start);
        return Err(error);
    }
    let body = &out[start + HEAD..];
    let (checksum, length) = (crc32fast::hash(body), body.len());
    let head = &mut out[start..start + HEAD];
    put_digits::<16>(checksum as usize, &mut head[..CHECKSUM]);
    // It fits: no record comes near to a hundred million bytes.
    put_digits::<10>(length, &mut head[CHECKSUM + 1..HEAD - 1]);
    out[start + CHECKSUM] = batch.mark();
    out.push(b'\n');
    Ok(())
}

/// Fills `room` with the last digits of a number.
fn put_digits<const BASE: usize>(mut number: usize, room: &mut [u8]) {
    for digit in room.iter_mut().rev() {
        *digit = b"0123456789abcdef"[number % BASE];
        number /= BASE;
    }
}

/// The JSON of a line without its line break.
pub(super) fn json_of(line: &[u8]) -> Result<&[u8], LineProblem> {
    let (checksum, declared) = head_of(line).ok_or(LineProblem::Head)?;
    let body = &line[HEAD..];
    if body.len() != declared {
        return Err(LineProblem::Length { declared, found: body.len() });
    }
    if crc32fast::hash(body) != checksum {
        return Err(LineProblem::Checksum);
    }
    Ok(body)
}

/// Whether a line, with its line break, is whole and was written together with the next one.
pub(super) fn has_next(line: &[u8]) -> bool {
    let whole = line.strip_suffix(b"\n").filter(|line| json_of(line).is_ok());
    whole.is_some_and(|line| line[CHECKSUM] == Batch::GoesOn.mark())
}

/// Where the line that `text` begins with ends, if it says so and that nothing was written together with it.
pub(super) fn end_of_batch(text: &[u8]) -> Option<usize> {
    let (_, declared) = head_of(text)?;
    (text[CHECKSUM] == Batch::Ends.mark()).then_some(HEAD + declared + 1)
}

/// Whether a line that is not whole can be the beginning of one.
pub(super) fn may_begin(line: &[u8]) -> bool {
    match head_of(line) {
        Some((_, declared)) => line.len() - HEAD < declared,
        None => line.len() < HEAD && line.iter().zip(0..).all(|(byte, at)| fits_head(*byte, at)),
    }
}

fn head_of(line: &[u8]) -> Option<(u32, usize)> {
    let head = line.get(..HEAD)?;
    if !head.iter().zip(0..).all(|(byte, at)| fits_head(*byte, at)) {
        return None;
    }
    let checksum = std::str::from_utf8(&head[..CHECKSUM]).ok()?;
    let length = std::str::from_utf8(&head[CHECKSUM + 1..HEAD - 1]).ok()?;
    Some((u32::from_str_radix(checksum, 16).ok()?, length.parse().ok()?))
}

/// Whether `byte` can stand at this place of the head. One way to write it only, so that no damage reads like something else.
const fn fits_head(byte: u8, at: usize) -> bool {
    match at {
        ..CHECKSUM => byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
        CHECKSUM => byte == Batch::Ends.mark() || byte == Batch::GoesOn.mark(),
        _ if at == HEAD - 1 => byte == b' ',
        _ => byte.is_ascii_digit(),
    }
}
