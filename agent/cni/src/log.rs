//! Where the plugin says what it does: a file, or stderr. Stdout belongs to the protocol.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::netconf::{LogLevel, Settings};

/// A log. That it cannot be written stops nothing.
pub(crate) struct Log {
    file: Option<PathBuf>,
    level: LogLevel,
    /// What each line begins with after its level: verb and sandbox.
    subject: String,
}

impl Log {
    pub(crate) fn new(settings: &Settings, subject: String) -> Self {
        Self { file: settings.log_file.clone(), level: settings.log_level, subject }
    }

    pub(crate) fn error(&self, said: impl Display) {
        self.write(LogLevel::Error, "error", said);
    }

    pub(crate) fn warn(&self, said: impl Display) {
        self.write(LogLevel::Warn, "warn", said);
    }

    pub(crate) fn info(&self, said: impl Display) {
        self.write(LogLevel::Info, "info", said);
    }

    pub(crate) fn debug(&self, said: impl Display) {
        self.write(LogLevel::Debug, "debug", said);
    }

    fn write(&self, level: LogLevel, name: &str, said: impl Display) {
        if self.level < level {
            return;
        }
        let line = format!("{:.6} {name} {}: {said}\n", Timestamp::now(), self.subject);
        let Some(file) = &self.file else {
            let _ = std::io::stderr().write_all(line.as_bytes());
            return;
        };
        // One write for one line: lines of plugins that run at once do not mix.
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(file);
        let _ = opened.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}
