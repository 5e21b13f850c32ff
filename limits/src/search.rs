//! Finds a name in the table.

use crate::{Limits, table::TABLE};

/// Looks an instance type up in the embedded table; `None` when the table does not have it.
///
/// Names are compared as they are: EC2 writes them in lower case. Takes eleven steps over integers and
/// a few comparisons of names, and allocates nothing.
#[must_use]
pub fn find(instance_type: &str) -> Option<Limits> {
    let start = start_of(instance_type);
    let first = STARTS.partition_point(|earlier| *earlier < start);
    let rows = TABLE.get(first..)?.iter().zip(STARTS.get(first..)?);
    let mut alike = rows.take_while(|(_, row_start)| **row_start == start);
    let found = alike.find(|((name, _), _)| *name == instance_type);
    found.map(|((_, limits), _)| *limits)
}

/// The start of every name in the table, in the table's order.
///
/// Searching these instead of the names makes a lookup four times as fast: they lie side by side, and
/// comparing two takes one instruction. Few names share one, at most the seven of c7i-flex and its like.
static STARTS: [u64; TABLE.len()] = starts();

const fn starts() -> [u64; TABLE.len()] {
    let mut starts = [0; TABLE.len()];
    let mut row = 0;
    while row < starts.len() {
        starts[row] = start_of(TABLE[row].0);
        row += 1;
    }
    starts
}

/// The first eight bytes of a name as a number. Numbers are in the order of the names, and a name that is
/// shorter comes before those it begins: no name has a zero byte.
const fn start_of(name: &str) -> u64 {
    let bytes = name.as_bytes();
    if let Some(start) = bytes.first_chunk() {
        return u64::from_be_bytes(*start);
    }
    let mut start = [0; 8];
    let mut at = 0;
    while at < bytes.len() {
        start[at] = bytes[at];
        at += 1;
    }
    u64::from_be_bytes(start)
}
