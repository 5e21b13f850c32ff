//! The playground as a process: its command line, its folder, its logs and its signals.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::Context;
use berth_shell::logs::filter;
use berth_shell::signals::Stop;
use playground::hangup;
use playground::play::play;
use playground::settings::{Settings, SettingsError};
use tokio::runtime::Runtime;
use tracing_subscriber::util::SubscriberInitExt;

/// Why there is no run.
const NO_FOLDER: &str = "no folder can be made for the report and the logs: set TMPDIR to a folder that can be written to";

/// Exit status for a command line or a scenario that makes no sense; 1 is for a run in which something was not as it has to be.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let settings = match Settings::from_process() {
        Ok(settings) => settings,
        Err(error) => return say_usage(&error),
    };
    match carry_out(&settings) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("error: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Help is an answer; everything else is a complaint.
fn say_usage(error: &SettingsError) -> ExitCode {
    if error.is_answer() {
        let _ = io::stdout().write_all(error.to_string().as_bytes());
        return ExitCode::SUCCESS;
    }
    if let SettingsError::CommandLine(error) = error {
        let _ = error.print();
    } else {
        complain(&format!("error: {error}\n\nFor more information, try 'playground --help'.\n"));
    }
    ExitCode::from(USAGE)
}

fn complain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

fn carry_out(settings: &Settings) -> anyhow::Result<bool> {
    let folder = folder_of_run(settings)?;
    start_logs(settings, &folder)?;
    let runtime = Runtime::new()?;
    let ended = runtime.block_on(async {
        let stop = Stop::on_signals()?;
        hangup::asks(&stop)?;
        anyhow::Ok(play(settings, &folder, &stop).await?)
    });
    runtime.shutdown_background();
    if ended.is_err() {
        // Only a folder that says nothing is removed.
        let _ = remove_if_empty(settings, &folder);
    }
    ended
}

/// Where the report and the logs are put, which outlive the run, unless the command line says another place for both.
fn folder_of_run(settings: &Settings) -> anyhow::Result<PathBuf> {
    if settings.report.is_some() && settings.log_file.is_some() {
        return Ok(PathBuf::new());
    }
    let made = tempfile::Builder::new().prefix("berth-playground-").disable_cleanup(true).tempdir();
    let made = made.context(NO_FOLDER)?;
    Ok(made.path().to_owned())
}

/// Removes the folder of a run that came to nothing, with logs in which there is nothing.
fn remove_if_empty(settings: &Settings, folder: &Path) -> io::Result<()> {
    let log = folder.join("log");
    if settings.log_file.is_none() && fs::metadata(&log)?.len() == 0 {
        fs::remove_file(&log)?;
    }
    fs::remove_dir(folder)
}

/// What operator and agents log goes to a file: the screen is for the playground.
fn start_logs(settings: &Settings, folder: &Path) -> anyhow::Result<()> {
    let path = settings.log_file.clone().unwrap_or_else(|| folder.join("log"));
    let file = File::create(&path).with_context(|| format!("--log-file {}", path.display()))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter(settings.log_level, &["berth_agent", "berth_operator"]))
        .with_writer(Mutex::new(file))
        .with_ansi(false);
    Ok(lines.finish().try_init()?)
}
