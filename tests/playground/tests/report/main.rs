//! The report as a document: well-formed, escaped, small, with something in every plot. How it looks in a browser is the test `report` of `tests/real`.

#[cfg(test)]
mod document;
#[cfg(test)]
#[path = "../../examples/report/made_up.rs"]
mod made_up;

use std::fs;
use std::time::Duration;

use document::{check, figures, written};
use made_up::Shape;
use playground::news;
use playground::report;

fn shape(moments: u32, nodes: u32, waits: u32) -> Shape {
    Shape { moments, nodes, waits, is_broken: false }
}

#[test]
fn every_plot_shows_something() {
    let text = check(shape(60, 5, 300), 11);
    assert!(text.contains("At most 9 pods waited at once"), "{text}");
}

#[test]
fn a_run_of_any_size_has_a_report() {
    let text = check(shape(0, 0, 0), 0);
    for said in ["No pod got an address.", "There was no node at the end.", "Nothing was told."] {
        assert!(text.contains(said), "{said}");
    }
    check(shape(1, 3, 1), 2);
    check(shape(2, 1, 0), 10);
    check(shape(60, 500, 10), 11);
    check(shape(60, 0, 0), 7);
}

#[test]
fn long_runs_are_thinned() {
    let text = written(&made_up::run(shape(10_000, 5, 10)));
    assert!(text.contains("Of the moments that were kept, one in 25 is shown."));
    for figure in figures(&text) {
        // Four areas, each with an upper and a lower side, two lines, and the marks on the axes.
        assert!(figure.points < 10 * 401 + 100, "{figure:?}");
    }
}

#[test]
fn an_hour_of_fifty_nodes_is_less_than_half_a_megabyte() {
    let text = written(&made_up::run(shape(3_600, 50, 72_000)));
    assert!(text.len() < 500_000, "{}", text.len());
}

#[test]
fn waits_of_nothing_are_shown() {
    let (plan, mut record, summary) = made_up::run(shape(60, 5, 0));
    record.waits = vec![Duration::ZERO; 3];
    let figures = figures(&written(&(plan, record, summary)));
    assert!(figures.iter().any(|figure| figure.name.starts_with("How long")), "{figures:?}");
}

#[test]
fn names_of_others_are_text() {
    const PLANTED: &str = "</style><script>alert('&\"')</script>\u{1}";
    const ESCAPED: &str =
        "&lt;/style&gt;&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;\u{FFFD}";
    let (mut plan, mut record, mut summary) = made_up::run(shape(60, 5, 300));
    for text in [&mut plan.name, &mut plan.description, &mut plan.nodes[0].name] {
        PLANTED.clone_into(text);
    }
    plan.network.subnets[0].zone = PLANTED.to_owned();
    plan.operator = vec![PLANTED.to_owned()];
    for node in &mut record.moments[59].nodes {
        for text in [&mut node.name, &mut node.instance_type, &mut node.zone] {
            PLANTED.clone_into(text);
        }
    }
    record.reasons[0].why = PLANTED.to_owned();
    let (at, text) = (Duration::ZERO, PLANTED.to_owned());
    record.news.push(news::Line { at, text, is_trouble: true });
    summary.findings = vec![(at, PLANTED.to_owned())];
    summary.unmet = vec![PLANTED.to_owned()];
    let text = written(&(plan, record, summary));
    figures(&text);
    assert!(!text.contains("<script"), "{text}");
    // Title, heading, description, group, zone, flags, three of each of five nodes, reason, news, finding and what is unmet.
    assert_eq!(text.matches(ESCAPED).count(), 6 + 3 * 5 + 4, "{text}");
}

#[test]
fn findings_stand_out() {
    let none = "<td>Broken promises</td>\n<td class=\"good\">none</td>";
    assert!(written(&made_up::run(shape(60, 5, 300))).contains(none));
    let broken = Shape { is_broken: true, ..shape(60, 5, 300) };
    let text = written(&made_up::run(broken));
    let found = "<td class=\"trouble\">after 12.3 s: 10.0.1.17 is held by two pods";
    assert!(text.contains(found) && !text.contains(none), "{text}");
}

#[test]
fn only_the_last_news_are_told() {
    let (plan, mut record, summary) = made_up::run(shape(60, 5, 300));
    let line = |number: u64| news::Line {
        at: Duration::from_secs(number),
        text: format!("line {number} of 300"),
        is_trouble: false,
    };
    record.news = (0..300).map(line).collect();
    let text = written(&(plan, record, summary));
    assert!(text.contains("100 lines before these are left out."), "{text}");
    assert!(!text.contains("line 99 of 300") && text.contains("line 100 of 300"), "{text}");
}

#[test]
fn a_report_replaces_the_one_before_or_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    fs::write(&path, "before").unwrap();
    let (plan, record, summary) = made_up::run(shape(0, 0, 0));
    report::write(&path, &plan, &record, &summary).unwrap();
    assert!(fs::read_to_string(&path).unwrap().starts_with("<!DOCTYPE html>"));
    let nowhere = folder.path().join("missing/report.html");
    let error = report::write(&nowhere, &plan, &record, &summary).unwrap_err().to_string();
    let begin = format!("the report cannot be written to {}: ", nowhere.display());
    assert!(error.starts_with(&begin), "{error}");
    assert!(
        error.ends_with("expected a file name in a folder that is there and can be written to")
    );
}
