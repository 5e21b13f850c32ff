//! The program itself: what it writes, what it says and how it exits.

use limits_generate::files;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const COMMITTED: &str = include_str!("../../../src/table.rs");

/// A fresh directory for one test.
fn directory(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// Runs the program and compares its exit status and what it writes to standard error, with the
/// directory's own name left out.
fn check(directory: &Path, arguments: &str, status: i32, expected: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_limits-generate"))
        .current_dir(directory)
        .args(arguments.split(' '))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, expected);
    assert_eq!((output.status.code(), output.stdout), (Some(status), vec![]));
}

#[test]
fn the_committed_table_is_fresh() {
    check(
        &directory("fresh"),
        "check",
        0,
        "table.rs is what the snapshot of 2026-11-21 gives: 1395 instance types\n",
    );
}

#[test]
fn check_says_where_a_table_differs_and_what_to_do() {
    let directory = directory("stale");
    let stale = COMMITTED.replacen("(4, 15, 15, Nitro)", "(4, 15, 16, Nitro)", 1);
    fs::write(directory.join("table.rs"), stale).unwrap();
    check(
        &directory,
        "check --table table.rs",
        1,
        "table.rs, line 11: the table is not what the snapshot gives\n  \
         table:    \"    (\\\"a1.2xlarge\\\", limits(4, 15, 16, Nitro)),\\n\"\n  \
         snapshot: \"    (\\\"a1.2xlarge\\\", limits(4, 15, 15, Nitro)),\\n\"\n\
         run `cargo limits-generate render` and commit the result\n",
    );
}

#[test]
fn render_replaces_a_stale_table() {
    let directory = directory("render");
    let table = directory.join("table.rs");
    fs::write(&table, "stale").unwrap();
    check(&directory, "render --table table.rs", 0, "table.rs: 1395 instance types\n");
    assert_eq!(fs::read_to_string(&table).unwrap(), COMMITTED);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[test]
fn a_missing_or_broken_snapshot_is_named() {
    let directory = directory("broken");
    check(
        &directory,
        "render --table table.rs --snapshot none.json",
        1,
        "error: cannot read none.json: No such file or directory (os error 2)\n",
    );
    fs::write(directory.join("empty.json"), "{}").unwrap();
    check(
        &directory,
        "render --table table.rs --snapshot empty.json",
        1,
        "error: empty.json: not a snapshot, at `{}…`: missing field `date` at line 1 column 2\n",
    );
    assert!(!directory.join("table.rs").exists());
}

#[cfg(not(feature = "fetch"))]
#[test]
fn fetch_says_how_to_build_it() {
    check(
        &directory("unbuilt"),
        "fetch --output snapshot.json",
        2,
        "this build has no EC2 client; it comes with the cargo feature `fetch`:\n  \
         cargo run -p limits-generate --features fetch -- fetch\n",
    );
}

#[test]
fn a_file_that_cannot_be_replaced_stays_and_nothing_is_left_beside_it() {
    let directory = directory("replace");
    let target = directory.join("target");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("inside"), "kept").unwrap();
    assert!(files::replace(&target, "text").is_err());
    assert_eq!(fs::read_to_string(target.join("inside")).unwrap(), "kept");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    files::replace(&target.join("inside"), "new").unwrap();
    assert_eq!(fs::read_to_string(target.join("inside")).unwrap(), "new");
}
