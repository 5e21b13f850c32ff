//! What one script works with: kubectl, and a namespace of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use real::Kubectl;

/// How long a line may take that must come.
const LINE_TIMEOUT: Duration = Duration::from_secs(20);

const NAMESPACE: &str =
    r#"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "NAME"}}"#;

/// One script.
pub(crate) type Script = fn(&Session) -> Result<()>;

/// What one script works with: kubectl, and a namespace of its own.
pub(crate) struct Session {
    kubectl: Kubectl,
    pub(crate) namespace: String,
}

impl Session {
    pub(crate) fn start(kubectl: &Kubectl, script: &str) -> Result<Self> {
        let namespace = format!("kubectl-{}-{}", script.replace('_', "-"), std::process::id());
        // From a manifest: `kubectl create namespace` speaks protobuf.
        let manifest = NAMESPACE.replace("NAME", &namespace);
        kubectl.run_with(["create", "-f", "-"], &manifest)?;
        Ok(Self { kubectl: kubectl.clone(), namespace })
    }

    pub(crate) fn end(&self) -> Result<()> {
        self.kubectl.run(["delete", "namespace", &self.namespace, "--wait=false"])?;
        Ok(())
    }

    /// Runs kubectl in the namespace, with the arguments in `line`, which are separated by spaces.
    pub(crate) fn run(&self, line: &str) -> Result<String> {
        Ok(self.own(&self.kubectl.run(self.args(line))?))
    }

    /// Runs kubectl with a manifest to read.
    pub(crate) fn run_with(&self, line: &str, manifest: &str) -> Result<String> {
        Ok(self.own(&self.kubectl.run_with(self.args(line), manifest)?))
    }

    /// Compares what kubectl prints with a text.
    pub(crate) fn check(&self, line: &str, expected: &str) -> Result<()> {
        same(line, &self.run(line)?, expected)
    }

    /// Compares what kubectl prints about a manifest with a text.
    pub(crate) fn check_with(&self, line: &str, manifest: &str, expected: &str) -> Result<()> {
        same(line, &self.run_with(line, manifest)?, expected)
    }

    /// Compares a table, without its last column, which is an age.
    pub(crate) fn check_table(&self, line: &str, expected: &str) -> Result<()> {
        let table = self.run(line)?;
        let rows = table.lines().map(|row| row.trim().rsplit_once(' ').unwrap_or((row, "")).0);
        same(line, &rows.collect::<Vec<_>>().join("\n"), expected)
    }

    /// That kubectl fails and says this.
    pub(crate) fn refused(&self, line: &str, manifest: &str, expected: &str) -> Result<()> {
        match self.kubectl.run_with(self.args(line), manifest) {
            Ok(output) => bail!("{line} succeeded: {output}"),
            Err(real::ProgramError::Failed { stderr, .. }) => {
                same(line, &self.own(&stderr), expected)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Starts kubectl and does not wait for its end.
    pub(crate) fn background(&self, line: &str) -> Result<Background> {
        let mut command = self.kubectl.command();
        command.args(self.args(line)).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let output = process.stdout.take().context("no output")?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Background { process, lines })
    }

    fn args<'a>(&'a self, line: &'a str) -> impl Iterator<Item = &'a str> {
        ["-n", &self.namespace].into_iter().chain(line.split(' '))
    }

    fn own(&self, text: &str) -> String {
        text.replace(&self.namespace, "NS")
    }
}

/// A kubectl that runs, and that ends with its owner.
pub(crate) struct Background {
    process: Child,
    lines: Receiver<String>,
}

impl Background {
    /// The next line, with single spaces.
    pub(crate) fn line(&self) -> Result<String> {
        let line = self.lines.recv_timeout(LINE_TIMEOUT).context("no line in time")?;
        Ok(squeezed(&line))
    }

    /// That it ends with success, after this last line.
    pub(crate) fn ends_with(self, expected: &str) -> Result<()> {
        same("the last line", &self.line()?, expected)?;
        self.succeeds()
    }

    /// That it ends with success.
    pub(crate) fn succeeds(mut self) -> Result<()> {
        let status = self.process.wait()?;
        ensure!(status.success(), "it failed: {status}");
        Ok(())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Compares texts line by line, with single spaces.
pub(crate) fn same(what: &str, actual: &str, expected: &str) -> Result<()> {
    let lines = |text: &str| text.trim().lines().map(squeezed).collect::<Vec<_>>().join("\n");
    let (actual, expected) = (lines(actual), lines(expected));
    ensure!(actual == expected, "{what}: expected\n{expected}\n\nbut it is\n{actual}");
    Ok(())
}

/// That a text has all of these lines, in this order, with others between them.
pub(crate) fn has_lines(what: &str, actual: &str, expected: &str) -> Result<()> {
    let mut lines = actual.lines().map(squeezed);
    for line in expected.trim().lines().map(squeezed) {
        ensure!(
            lines.any(|found| found == line),
            "{what}: no line `{line}` (in order) in\n{actual}"
        );
    }
    Ok(())
}

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
