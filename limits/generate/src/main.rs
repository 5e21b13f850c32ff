//! `limits-generate`: see the library of this crate, or `--help`.

use anyhow::Context as _;
use clap::Parser as _;
use limits_generate::{
    arguments::{Arguments, Command, Fetch, Files},
    files,
    render::{Difference, difference, render},
    snapshot::Snapshot,
};
#[cfg(feature = "fetch")]
use limits_generate::{described::InstanceType, fetch, pages::Pages, regions::Regions};
use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Render(files) => write_table(&files),
        Command::Check(files) => check_table(&files),
        Command::Fetch(fetch) => write_snapshot(&fetch),
    };
    outcome.unwrap_or_else(|error| {
        say(&format!("error: {error:#}"));
        ExitCode::FAILURE
    })
}

/// Nobody is left to tell when standard error is closed.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn write_table(files: &Files) -> anyhow::Result<ExitCode> {
    let snapshot = read_snapshot(&files.snapshot)?;
    write(&files.table, &render(&snapshot), &snapshot)
}

fn check_table(files: &Files) -> anyhow::Result<ExitCode> {
    let source = read_snapshot(&files.snapshot)?;
    let found = difference(&read(&files.table)?, &render(&source));
    let Some(Difference { line, table, snapshot }) = found else {
        let name = files.table.file_name().unwrap_or_default().display();
        let (date, types) = (source.date(), source.types().len());
        say(&format!("{name} is what the snapshot of {date} gives: {types} instance types"));
        return Ok(ExitCode::SUCCESS);
    };
    let shown =
        |text: Option<String>| text.map_or("(end of file)".to_owned(), |text| format!("{text:?}"));
    say(&format!(
        "{}, line {line}: the table is not what the snapshot gives\n  \
         table:    {}\n  snapshot: {}\n\
         run `cargo limits-generate render` and commit the result",
        files.table.display(),
        shown(table),
        shown(snapshot),
    ));
    Ok(ExitCode::FAILURE)
}

fn read_snapshot(path: &Path) -> anyhow::Result<Snapshot> {
    Snapshot::parse(&read(path)?).with_context(|| path.display().to_string())
}

fn write(path: &Path, text: &str, snapshot: &Snapshot) -> anyhow::Result<ExitCode> {
    let written = files::replace(path, text);
    written.with_context(|| format!("cannot write {}", path.display()))?;
    say(&format!("{}: {} instance types", path.display(), snapshot.types().len()));
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(feature = "fetch")]
fn write_snapshot(arguments: &Fetch) -> anyhow::Result<ExitCode> {
    let Fetch { endpoint, regions, output, at_least, source } = arguments;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let types = runtime.block_on(fetch_regions(endpoint.as_deref(), regions, *at_least))?;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let snapshot = Snapshot::new(today.to_string(), source.clone(), types)?;
    write(output, &snapshot.to_text()?, &snapshot)
}

/// Reads one region after the other, or the default one when none is named.
#[cfg(feature = "fetch")]
async fn fetch_regions(
    endpoint: Option<&str>,
    regions: &[String],
    at_least: usize,
) -> anyhow::Result<Vec<InstanceType>> {
    let named: Vec<Option<&str>> = if regions.is_empty() {
        vec![None]
    } else {
        regions.iter().map(|region| Some(region.as_str())).collect()
    };
    let bar = indicatif::ProgressBar::new_spinner();
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    let mut together = Regions::default();
    for region in named {
        let name = region.unwrap_or("the default region");
        bar.set_message(format!("{name}: waiting for page 1"));
        let progress = |pages: &Pages| {
            let (types, pages) = (pages.types(), pages.count());
            bar.set_message(format!("{name}: {types} instance types on {pages} pages"));
        };
        let fetched = fetch::instance_types(endpoint, region, progress).await;
        together.add(name, fetched.with_context(|| name.to_owned())?)?;
    }
    bar.finish_and_clear();
    Ok(together.finish(at_least)?)
}

#[cfg(not(feature = "fetch"))]
#[expect(clippy::unnecessary_wraps, reason = "called like the one that can fail")]
fn write_snapshot(_arguments: &Fetch) -> anyhow::Result<ExitCode> {
    say("this build has no EC2 client; it comes with the cargo feature `fetch`:\n  \
         cargo run -p limits-generate --features fetch -- fetch");
    Ok(ExitCode::from(2))
}
