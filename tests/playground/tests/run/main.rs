//! The program, as it is run: every scenario that comes along, its exit status, what it prints, and what it leaves.

#[cfg(test)]
mod program;

use std::fs;
use std::net::TcpListener;
use std::thread;

use playground::scenario::BUILT_IN;
use program::{Running, kubeconfig_of, left_in, played, playground, text};
use rustix::process::Signal;

/// Scenarios that are played at once: they wait more than they work.
const AT_ONCE: usize = 5;

#[test]
fn every_scenario_keeps_the_promises_and_what_it_expects() {
    let names: Vec<&str> = BUILT_IN.iter().map(|scenario| scenario.name).collect();
    assert!(names.len() >= 13, "{names:?}");
    let mut wrong = Vec::new();
    for some in names.chunks(AT_ONCE) {
        thread::scope(|scope| {
            let running: Vec<_> = some.iter().map(|name| scope.spawn(|| played(name))).collect();
            wrong.extend(running.into_iter().filter_map(|one| one.join().unwrap().err()));
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Pods through the real plugin's program, and what people are told.
#[test]
fn a_run_for_people_says_what_came_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = playground(folder.path());
    let ran = command.args(["--for", "8s", "--nodes", "2", "--seed", "7"]).output().unwrap();
    let (said, complained) = (text(&ran.stdout), text(&ran.stderr));
    assert_eq!(ran.status.code(), Some(0), "{said}\n{complained}");
    for words in ["pods", "wait", "EC2", "findings", "report.html"] {
        assert!(said.contains(words), "{words:?} is not in\n{said}");
    }
}

#[test]
fn what_makes_no_sense_ends_with_2_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.yaml");
    fs::write(&file, "nodes:\n  - name: a\n    instance_types: [m5.lrage]\n").unwrap();
    let checks = [
        (vec!["--no-such-flag"], "--no-such-flag"),
        (vec!["--scenario", "brust"], "burst"),
        (vec!["--scenario", file.to_str().unwrap()], "wrong.yaml:3:"),
        (vec!["--report", "/missing/report.html"], "/missing/report.html"),
        (vec!["--report", "/"], "directory"),
        (vec!["--kubeconfig", "/missing"], "--kubeconfig /missing"),
        (vec!["--cni-plugin", file.to_str().unwrap()], "may not be executed"),
        (vec!["--log-file", "/missing/log"], "--log-file /missing/log"),
    ];
    for (arguments, expected) in checks {
        let ran = playground(folder.path()).args(&arguments).output().unwrap();
        let complained = text(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{arguments:?}: {complained}");
        assert!(complained.contains(expected), "{complained}");
        assert_eq!(left_in(folder.path()), ["wrong.yaml"], "{arguments:?}");
    }
}

/// The report and the logs are left, and nothing else.
#[test]
fn nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = playground(folder.path());
    let ran = command.args(["--for", "2s", "--nodes", "1", "--in-process"]).output().unwrap();
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let left = left_in(folder.path());
    let [run] = left.as_slice() else { panic!("{left:?}") };
    let mut files = left_in(&folder.path().join(run));
    files.sort();
    assert_eq!(files, ["log", "report.html"]);
}

/// A folder that goes away meanwhile: what was seen is told all the same.
#[test]
fn a_report_that_cannot_be_written_takes_nothing_else_away() {
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().join("reports");
    fs::create_dir(&reports).unwrap();
    let mut command = playground(folder.path());
    command.args(["--for", "2s", "--nodes", "1", "--in-process", "--report"]);
    let mut running = Running::start(command.arg(reports.join("report.html")));
    running.line();
    fs::remove_dir(&reports).unwrap();
    let (status, said, complained) = running.end();
    assert_eq!(status.code(), Some(1), "{complained}");
    assert!(said.contains("every promise was kept"), "{said}");
    assert!(complained.contains("the report cannot be written"), "{complained}");
}

/// A terminal that is closed. It ends by itself too, for whoever has the signal ignored, as `nohup` does.
#[test]
fn a_hangup_ends_it_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = playground(folder.path());
    let mut running =
        Running::start(command.args(["--for", "30s", "--nodes", "1", "--in-process"]));
    running.line();
    running.signal(Signal::HUP);
    let (status, said, complained) = running.end();
    assert_eq!(status.code(), Some(0), "{complained}");
    assert!(said.contains("every promise was kept"), "{said}");
    let left = left_in(folder.path());
    assert_eq!(left.len(), 1, "{left:?}");
}

/// An API server that takes connections and never answers.
#[test]
fn it_can_be_stopped_before_it_has_begun() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    fs::write(&kubeconfig, kubeconfig_of(silent.local_addr().unwrap())).unwrap();
    let mut command = playground(folder.path());
    let running = Running::start(command.args(["--in-process", "--kubeconfig"]).arg(&kubeconfig));
    let _asked = silent.accept().unwrap();
    running.signal(Signal::TERM);
    let (status, _, complained) = running.end();
    assert_eq!(status.code(), Some(1), "{complained}");
    assert!(complained.contains("stopped before"), "{complained}");
    let left = left_in(folder.path());
    assert_eq!(left.len(), 2, "the kubeconfig and the logs: {left:?}");
}
