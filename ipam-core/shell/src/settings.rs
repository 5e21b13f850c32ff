//! The command line and what is like it.
//!
//! Every flag is an environment variable too, `BERTH_` and its name in capitals, and may be a file in `--config-dir`, as a
//! mounted `ConfigMap` has them. The command line wins over the environment, and that over the files.

mod config_dir;
#[cfg(test)]
mod tests;
pub mod values;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, Command};

/// Why a command line cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CommandLineError {
    /// It makes no sense, or asks for help.
    #[error("{0}")]
    Clap(#[from] clap::Error),
    /// A variable that is meant for Berth and means nothing.
    #[error(
        "{name} is no setting of {program}: a variable is BERTH_ and the name of a flag, with _ for -"
    )]
    UnknownVariable {
        /// The variable.
        name: String,
        /// Whose it would be.
        program: String,
    },
    /// The folder of `--config-dir` cannot be read.
    #[error("--config-dir {}: {cause}", path.display())]
    ConfigDir {
        /// The folder, or a file in it.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

/// What the command line of this process says to `command`, with its environment and the folder that they name.
///
/// # Errors
/// What is wrong with them; a request for help is an error too, as in [`clap`].
pub fn read_process(command: Command) -> Result<ArgMatches, CommandLineError> {
    let variables = variables_of(&command);
    let program = command.get_name().to_owned();
    let line = std::env::args_os().collect();
    let line = config_dir::with_files(&command, line, |name| std::env::var_os(name))?;
    let matches = command.try_get_matches_from(line)?;
    let given = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    refuse_unknown(program, &variables, given)?;
    Ok(matches)
}

/// What `line` says to `command`, which begins with the name of the program. The environment is not read.
///
/// # Errors
/// What is wrong with it.
pub fn read_line(command: Command, line: Vec<OsString>) -> Result<ArgMatches, CommandLineError> {
    let deaf = |command: Command| command.mut_args(|argument| argument.env(None));
    let command = command.mut_subcommands(deaf);
    let line = config_dir::with_files(&command, line, |_| None)?;
    Ok(command.try_get_matches_from(line)?)
}

/// What keeps the flags of `run` from being read and understood alike in every program: a variable that is not named like its flag,
/// a missing help text, or a missing heading in `--help`.
#[must_use]
pub fn unruly(command: &Command) -> Vec<String> {
    let Some(run) = command.find_subcommand("run") else {
        return vec!["there is no subcommand `run`".to_owned()];
    };
    let flags = run.get_arguments().filter_map(|argument| Some((argument.get_long()?, argument)));
    let check = |(flag, argument): (&str, &clap::Arg)| {
        let named = argument.get_env().is_some_and(|name| *name == *config_dir::variable_of(flag));
        let headed = flag == "config-dir" || argument.get_help_heading().is_some();
        let lacks =
            |is_absent: bool, what: &str| is_absent.then(|| format!("--{flag} has no {what}"));
        [
            lacks(!named, "variable of its name"),
            lacks(argument.get_help().is_none(), "help text"),
            lacks(!headed, "heading"),
        ]
    };
    flags.filter(|(flag, _)| *flag != "help").flat_map(check).flatten().collect()
}

/// The variables of all subcommands: one environment is often that of several.
fn variables_of(command: &Command) -> BTreeSet<String> {
    let arguments = command.get_subcommands().flat_map(Command::get_arguments);
    let names = arguments.filter_map(clap::Arg::get_env);
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// A misspelt variable would otherwise be a setting that is silently not made.
fn refuse_unknown(
    program: String,
    known: &BTreeSet<String>,
    given: impl IntoIterator<Item = String>,
) -> Result<(), CommandLineError> {
    let is_unknown =
        |name: &String| name.starts_with("BERTH_") && !known.contains(name) && !is_of_service(name);
    match given.into_iter().filter(is_unknown).min() {
        Some(name) => Err(CommandLineError::UnknownVariable { name, program }),
        None => Ok(()),
    }
}

/// Kubernetes tells pods of each Service in variables that begin with its name, such as `BERTH_OPERATOR_SERVICE_HOST`
/// (Kubernetes, discovering Services).
fn is_of_service(name: &str) -> bool {
    name.ends_with("_PORT")
        || ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT_"].iter().any(|part| name.contains(part))
}
