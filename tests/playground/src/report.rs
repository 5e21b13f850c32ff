//! The HTML report: one file with everything in it, that needs no script and no network, for light and dark screens and for paper.
//!
//! | module | what it makes |
//! |---|---|
//! | `page` | markup, in which every text that comes from outside is escaped |
//! | `ink` | the colours: each has a light and a dark tone, and a plot keeps apart what the style sheet then paints |
//! | `plot`, `axis`, `unit` | plots by `plotters` as SVG, their axes, and how amounts are written |
//! | `course` | a record as courses over time, thinned to what a plot can show |
//! | `addresses`, `waits`, `calls`, `interfaces` | the figures |
//! | `tables`, `played` | the tables, and what was played in words |

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use plotters::drawing::DrawingAreaErrorKind;

use crate::plan::Plan;
use crate::record::Record;
use crate::summary::Summary;

mod addresses;
mod axis;
mod calls;
mod course;
mod figure;
mod file;
mod ink;
mod interfaces;
mod page;
mod played;
mod plot;
mod tables;
mod unit;
mod waits;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A plot could not be drawn.
    #[error("the plot `{plot}` cannot be drawn: {error}")]
    Draw {
        /// Its title.
        plot: String,
        /// What the library said.
        error: DrawingAreaErrorKind<io::Error>,
    },
    /// The file could not be written.
    #[error("the report cannot be written to {path}: {error}; expected a file name in a folder that is there and can be written to", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Whether a report can be written there, as far as can be known before a run.
///
/// # Errors
///
/// [`ReportError::Write`]: the folder is not there or cannot be written to, or something that is no file is in the way.
pub fn try_place(path: &Path) -> Result<(), ReportError> {
    file::try_place(path).map_err(|error| ReportError::Write { path: path.to_owned(), error })
}

/// Writes the report of a run. The file is whole or not there: it is written under another name beside it, and renamed. A device is
/// written to.
///
/// # Errors
///
/// When the folder is not there or cannot be written to.
pub fn write(
    path: &Path,
    plan: &Plan,
    record: &Record,
    summary: &Summary,
) -> Result<(), ReportError> {
    let text = document(Timestamp::now(), plan, record, summary)?;
    file::replace(path, &text).map_err(|error| ReportError::Write { path: path.to_owned(), error })
}

/// The report of a run that ended at `when`.
fn document(
    when: Timestamp,
    plan: &Plan,
    record: &Record,
    summary: &Summary,
) -> Result<String, ReportError> {
    let mut page = page::Page::new(&format!("Berth playground: {}", plan.name));
    tables::head(&mut page, when, plan, summary);
    tables::summary(&mut page, summary);
    let marks = course::marks(&plan.timeline, record.begun);
    page.open("section", &[]);
    page.tag("h2", "What was seen");
    tables::timeline(&mut page, &marks);
    for figure in [
        addresses::over_time(record, &marks)?,
        addresses::waiting(record, &marks)?,
        waits::histogram(record, summary)?,
        interfaces::over_time(record, &marks)?,
    ] {
        figure.put(&mut page);
    }
    for figure in interfaces::at_end(record)? {
        figure.put(&mut page);
    }
    calls::put(&mut page, record, &marks)?;
    page.close("section");
    tables::nodes(&mut page, record);
    tables::reasons(&mut page, record);
    tables::news(&mut page, record);
    played::put(&mut page, plan);
    Ok(page.finish())
}
