//! What reaches a command from the line, a folder and the environment.

use std::ffi::OsString;

use clap::{Arg, Command};

use super::{CommandLineError, config_dir, read_line, refuse_unknown, variables_of};

fn command() -> Command {
    let flag = |name: &'static str, variable: &'static str| Arg::new(name).long(name).env(variable);
    let run = Command::new("run").args([
        flag("config-dir", "BERTH_CONFIG_DIR"),
        flag("color", "BERTH_COLOR"),
        flag("shape", "BERTH_SHAPE"),
    ]);
    let check = Command::new("check").arg(flag("output", "BERTH_OUTPUT"));
    Command::new("berth-test").subcommands([run, check])
}

fn line(text: &str) -> Vec<OsString> {
    text.split_whitespace().map(OsString::from).collect()
}

/// The line, with what the files of a folder add where the variables in `variables` are set.
fn with_files(text: &str, variables: &[(&str, &str)]) -> Result<String, CommandLineError> {
    let variable = |name: &str| {
        let given = variables.iter().find(|(given, _)| *given == name);
        given.map(|(_, value)| OsString::from(value))
    };
    let words = config_dir::with_files(&command(), line(text), variable)?;
    Ok(words.join(" ".as_ref()).into_string().unwrap())
}

#[test]
fn files_say_what_nothing_else_says() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("color", "blue\n");
    write("shape", "");
    write("output", "json");
    write("no-flag", "x");
    let path = folder.path().to_str().unwrap();
    let given = format!("berth-test run --config-dir={path}");
    let check = |text: &str, variables: &[(&str, &str)], expected: &str| {
        assert_eq!(with_files(text, variables).unwrap(), expected, "{text} {variables:?}");
    };
    check(&given, &[], &format!("{given} --color=blue"));
    check(&given, &[("BERTH_COLOR", "red")], &given);
    let both = format!("{given} --color green");
    check(&both, &[], &both);
    check("berth-test run", &[("BERTH_CONFIG_DIR", path)], "berth-test run --color=blue");
    check("berth-test check", &[("BERTH_CONFIG_DIR", path)], "berth-test check");
    let error = with_files("berth-test run --config-dir /no/such", &[]).unwrap_err().to_string();
    assert!(error.starts_with("--config-dir /no/such"), "{error}");
}

#[test]
fn a_line_is_read_without_the_environment() {
    let command = command().mut_subcommand("run", |run| {
        // A variable that every process has.
        run.arg(Arg::new("path").long("path").env("PATH"))
    });
    let matches = read_line(command, line("berth-test run --color=blue")).unwrap();
    let (_, run) = matches.subcommand().unwrap();
    assert_eq!(run.get_one::<String>("color").map(String::as_str), Some("blue"));
    assert_eq!(run.get_one::<String>("path"), None);
}

#[test]
fn variables_that_mean_nothing_are_errors() {
    let known = variables_of(&command());
    let refuse = |names: &[&str]| {
        let given = names.iter().map(|name| (*name).to_owned());
        refuse_unknown("berth-test".into(), &known, given).map_err(|error| error.to_string())
    };
    assert_eq!(refuse(&["PATH", "BERTH_COLOR", "BERTH_OUTPUT", "BERTH_CONFIG_DIR"]), Ok(()));
    let of_service = ["BERTH_OPERATOR_SERVICE_HOST", "BERTH_OPERATOR_SERVICE_PORT_HTTP"];
    assert_eq!(refuse(&of_service), Ok(()));
    assert_eq!(refuse(&["BERTH_OPERATOR_PORT", "BERTH_OPERATOR_PORT_9973_TCP_ADDR"]), Ok(()));
    let error = refuse(&["BERTH_COLOR", "BERTH_COLOUR"]).unwrap_err();
    assert!(error.starts_with("BERTH_COLOUR is no setting of berth-test"), "{error}");
}
