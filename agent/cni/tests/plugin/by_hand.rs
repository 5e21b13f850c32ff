//! The program run by a person.

use std::process::Command;

use crate::program::{Ran, finish};

fn run(arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_berth-cni"));
    command.env_clear().args(arguments);
    finish(command, b"")
}

#[test]
fn it_says_what_it_is() {
    for asked in ["--help", "--version"] {
        let ran = run(&[asked]);
        assert!(ran.is_success);
        assert!(ran.stdout.starts_with("berth-cni 0."), "{ran:?}");
        assert!(ran.stdout.contains("\"ipam\": { \"type\": \"berth-cni\" }"), "{ran:?}");
    }
    let unknown = run(&["--colour"]);
    assert_eq!((unknown.is_success, unknown.stdout.as_str()), (false, ""));
    assert!(unknown.stderr.starts_with("berth-cni 0."), "{unknown:?}");
}

#[test]
fn a_runtime_that_forgets_the_verb_is_told_so() {
    assert_eq!(run(&[]).code(), 4);
}
