//! What is a snapshot, and what is said of other texts.

use super::{chain, nitro};
use limits_generate::snapshot::{SOURCE_MAX, Snapshot};

/// Reads a snapshot with these types: `accepted`, or why not. What is accepted must be written as it
/// was read.
fn check(types: &[&str], expected: &str) {
    check_text(&text("2026-11-21", "a test", types), expected);
}

fn text(date: &str, source: &str, types: &[&str]) -> String {
    let types = types.join(",\n");
    format!("{{\n\"date\": \"{date}\",\n\"source\": \"{source}\",\n\"types\": [\n{types}\n]\n}}\n")
}

fn check_text(text: &str, expected: &str) {
    let shown = match Snapshot::parse(text) {
        Ok(snapshot) => {
            assert_eq!(snapshot.to_text().unwrap_or_default(), text);
            "accepted".to_owned()
        }
        Err(error) => chain(error),
    };
    assert_eq!(shown, expected);
}

#[test]
fn types_come_in_ascending_order_each_once() {
    let (large, metal) = (nitro("m5.large", "[[0,3]]"), nitro("m5.metal", "[[0,5]]"));
    check(&[&large, &metal], "accepted");
    check(
        &[&metal, &large],
        "m5.large comes after m5.metal, expected each type once, in ascending order",
    );
    check(
        &[&large, &large],
        "m5.large comes after m5.large, expected each type once, in ascending order",
    );
}

#[test]
fn a_snapshot_without_types_is_none() {
    check(&[], "no instance types");
}

#[test]
fn a_bad_type_is_named_with_its_member() {
    check(
        &[&nitro("m5.large", "[[0,3]]"), &nitro("m5.metal", "[[1,3]]")],
        "m5.metal: NetworkCards is [[1,3]], expected a list of [index, maximum] in whole numbers, each \
         index once, card 0 among them with 1 or more",
    );
    let repeated = nitro("m5.metal", "[[0,3]]").replace("\"BareMetal\"", "\"Hypervisor\"");
    check(
        &[&nitro("m5.large", "[[0,3]]"), &repeated],
        "not a snapshot, at `{\"InstanceType\":\"m5.metal\",\"Hypervisor\":\"nitro\",\"Hypervisor\"…`: \
         duplicate field `Hypervisor` at line 6 column 60",
    );
}

#[test]
fn the_date_and_the_source_are_checked() {
    let large = nitro("m5.large", "[[0,3]]");
    for date in [
        "",
        "2026-11-2",
        "2026/11/21",
        "21-11-2026",
        "2026-11-21T08",
        "2026-13-01",
        "2026-00-01",
        "2026-11-31",
        "2026-02-29",
        "1900-02-29",
        "2026-11-00",
    ] {
        check_text(
            &text(date, "a test", &[&large]),
            &format!("date is {date:?}, expected a day as YYYY-MM-DD"),
        );
    }
    for date in ["2024-02-29", "2000-02-29", "2026-12-31"] {
        check_text(&text(date, "a test", &[&large]), "accepted");
    }
    let longest = "x".repeat(SOURCE_MAX);
    check_text(&text("2026-11-21", &longest, &[&large]), "accepted");
    let too_long = "x".repeat(SOURCE_MAX + 1);
    for source in ["", "two\\nlines", "a `test`", &too_long] {
        check_text(
            &text("2026-11-21", source, &[&large]),
            &format!(
                "source is \"{source}\", expected 1 to {SOURCE_MAX} characters on one line, no backticks"
            ),
        );
    }
}

#[test]
fn other_texts_are_refused() {
    check_text("", "not a snapshot, at `…`: EOF while parsing a value at line 1 column 0");
    check_text(
        "{\"date\": \"2026-11-21\", \"day\": 1}",
        "not a snapshot, at `{\"date\": \"2026-11-21\", \"day\": 1}…`: unknown field `day`, expected one of \
         `date`, `source`, `types` at line 1 column 28",
    );
    check_text(
        "{\n\"date\": \"2026-11-21\",\n\"source\": \"a test\"}",
        "not a snapshot, at `\"source\": \"a test\"}…`: missing field `types` at line 3 column 19",
    );
}
