//! The store, by scripts: one call a line, and what each of them answered.

mod collect;
mod history;
mod objects;
mod script;
mod watches;

/// Runs a script against an empty cluster that serves `things.example.io` (namespaced, with a status) and
/// `parts.example.io` (cluster-scoped, without). Every line is a call of [`script`], and `expected` has one line for
/// each that answers something.
#[track_caller]
fn check(script: &str, expected: &str) {
    let answered = script::run(script);
    let lines = |text: &str| {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(&answered).join("\n"), lines(expected).join("\n"), "of the script\n{script}");
}
