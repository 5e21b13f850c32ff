//! The playground's report in a real browser: every figure shows something, on light and dark screens, on paper and in a narrow window; nothing
//! goes wrong in the page, and it asks for no other file.

#[cfg(test)]
mod look;

use std::process::Command;

use look::{GOOD, check, check_made_up, look, run};

/// The figures of every run in which something happened; one for each action that was called comes behind them.
const FIGURES: [&str; 4] = [
    "Addresses and pods over time",
    "How long pods waited for their address",
    "Network interfaces and prefixes over time",
    "Network interfaces of each node at the end",
];

#[test]
fn a_run_of_the_playground_has_a_report_that_a_browser_shows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let program = real::program("playground").unwrap();
    // Many times what it takes on a busy machine.
    let mut playground = Command::new("timeout");
    playground.args(["--kill-after=10", "3m"]).arg(program);
    // Long enough for a node to join and a pod to be served on a machine that does much else.
    run(playground.args(["--for", "30s", "--nodes", "1", "--report"]).arg(&file));
    let seen = look(&file);
    assert_eq!(seen.findings, [""; 0]);
    for figure in FIGURES.into_iter().chain(["DescribeNetworkInterfaces"]) {
        assert!(seen.figures.iter().any(|title| title == figure), "{figure}: {:?}", seen.figures);
    }
}

#[test]
fn reports_of_runs_of_every_size_are_shown() {
    check_made_up("minute", 11);
    check_made_up("broken", 11);
    check_made_up("crowd", 11);
    check_made_up("moment", 2);
    check_made_up("nothing", 0);
}

#[test]
fn a_page_without_a_fault_has_no_finding() {
    check("</body>", "</body>", &[]);
}

#[test]
fn a_plot_that_shows_nothing_is_found() {
    let rect = r##"<rect x="10" y="10" width="80" height="80" fill="#1F6FB2"/>"##;
    let unpainted = "light, dark, paper: Plot: 0 pixels of its data are painted";
    let undrawn = "light, dark, paper, narrow: Plot: nothing is drawn in #1F6FB2";
    check(rect, "", &[undrawn, unpainted]);
    check(r#"width="80" height="80""#, r#"width="80" height="0""#, &[unpainted]);
    check(r#"width="80" height="80""#, r#"width="80" height="80" opacity="0.01""#, &[unpainted]);
    // What nobody sees on a dark screen.
    let dark = "<style>@media screen and (prefers-color-scheme: dark) { body { background: #1F6FB2; } * { color: white; } text { fill: white; } }</style></head>";
    check("</head>", dark, &["dark: Plot: 0 pixels of its data are painted"]);
    let svg_hidden = r#"<svg style="display: none" width="300""#;
    let small = "light, dark, paper, narrow: Plot: the plot has 0 x 0 pixels";
    let texts = ["one", "other"]
        .map(|text| format!("light, dark, paper, narrow: Plot: the text `{text}` has no width"));
    check(r#"<svg width="300""#, svg_hidden, &[small, &texts[0], &texts[1]]);
    check(
        &GOOD[GOOD.find("<figure>").unwrap()..],
        "</body></html>",
        &["light, dark, paper, narrow: no figure"],
    );
}

#[test]
fn texts_that_cannot_be_read_are_found() {
    let outside = "light, dark, paper, narrow: Plot: <text> lies outside of the plot: one";
    check(r#"x="100" y="40""#, r#"x="290" y="40""#, &[outside]);
    let overlap = "light, dark, paper, narrow: Plot: the texts `one` and `other` lie on each other";
    check(r#"x="100" y="40""#, r#"x="105" y="78""#, &[overlap]);
    let faint = "light, dark, paper, narrow: the text `one` does not stand out: contrast 1.6";
    check(r##"fill="#333333">one"##, r##"fill="#cccccc">one"##, &[faint]);
    let wide = "light, dark, paper: the page is 3008 pixels wide, and the window 1100";
    let narrow = "narrow: the page is 3008 pixels wide, and the window 400";
    check("</body>", "<p style='width: 3000px'>.</p></body>", &[wide, narrow]);
}

#[test]
fn figures_that_say_nothing_to_who_cannot_see_are_found() {
    let unnamed =
        "light, dark, paper, narrow: Plot: no element with role=\"img\" and an aria-label";
    check(r#" aria-label="Plot""#, "", &[unnamed]);
    check("What is seen.", "", &["light, dark, paper, narrow: Plot: no caption"]);
}

#[test]
fn what_goes_wrong_in_a_page_is_found() {
    let script = |text: &str| format!("<script>{text}</script></body>");
    check("</body>", &script("console.error('planted', 1)"), &["page: console.error: planted 1"]);
    check("</body>", &script("alert('planted')"), &["page: dialog: planted"]);
    let thrown = "page: exception: Error: planted at planted.html:7:15";
    check("</body>", &script("throw new Error('planted')"), &[thrown]);
    let missing = [
        "page: request: missing.png",
        "page: log, error: Failed to load resource: net::ERR_FILE_NOT_FOUND",
    ];
    check("</body>", "<img src='missing.png' alt=''></body>", &missing);
}
