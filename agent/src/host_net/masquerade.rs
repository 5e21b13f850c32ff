//! Masquerading: nftables rules by which what pods send out of the VPC leaves by the primary interface with its address.
//!
//! In a table that is Berth's alone, `inet berth`, for IPv4 and in the same way for IPv6:
//!
//! ```text
//! set pods4 { type ipv4_addr; flags interval; }
//! set vpc4 { type ipv4_addr; flags interval; }
//! chain prerouting {
//!     type filter hook prerouting priority -90;
//!     ip saddr @pods4 ip daddr != @vpc4 ct direction original meta mark set meta mark | 0x100
//!     ip saddr @pods4 ct direction reply ct status dnat meta mark set meta mark | 0x100
//! }
//! chain postrouting {
//!     type nat hook postrouting priority 100;
//!     ip saddr @pods4 ip daddr != @vpc4 masquerade
//! }
//! ```
//!
//! The mark is what the rule of the priority `masqueraded` asks for. It is given after the destination has been translated
//! (priority -100): a service's address is none of the VPC's, but the pod behind it may be, and then the packet has to leave
//! by the pod's own interface. Answers to a connection from outside stay unmarked, and leave by the pod's interface, where
//! it came in; unless the host passed it on to the pod (a node port): then it came to the host's address, which is the
//! primary interface's.
//!
//! The program `nft` does the work. Each change replaces the table in one transaction, so that no packet sees it half.

use std::ffi::OsString;
use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use nftables::batch::Batch;
use nftables::schema::{NfListObject, NfObject, Nftables};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use self::ruleset::{TABLE, objects, table, understood};
use super::words::{Masquerade, Numbers};

mod ruleset;

/// How long `nft` may take: it does in milliseconds what it is asked for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The program `nft`.
#[derive(Debug, Clone)]
pub struct Nft {
    program: OsString,
}

/// Why masquerading could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum NftError {
    /// There is no such program. Nothing is masqueraded by Berth then, unless it was removed since.
    #[error("masquerading needs the program {program}: install the package nftables, which has it")]
    Missing {
        /// As which it was looked for.
        program: String,
    },
    /// It did not end in time.
    #[error("{program} did not end within {} s", PATIENCE.as_secs())]
    Slow {
        /// Which.
        program: String,
    },
    /// It says that it could not.
    #[error("{program} failed: {text}")]
    Failed {
        /// Which.
        program: String,
        /// What it says.
        text: String,
    },
}

impl Default for Nft {
    /// The one on the path.
    fn default() -> Self {
        Self::at("nft")
    }
}

impl Nft {
    /// A program of another name, or at a path.
    #[must_use]
    pub fn at(program: impl Into<OsString>) -> Self {
        Self { program: program.into() }
    }

    /// Reads what Berth masquerades now: none without Berth's table, nothing of nothing where that is not as Berth makes it.
    ///
    /// # Errors
    ///
    /// `nft` is missing, refuses, or answers with what cannot be understood.
    pub async fn read(&self, numbers: &Numbers) -> Result<Option<Masquerade>, NftError> {
        let listed = self.list(&["list", "table", "inet", TABLE]).await;
        let Err(NftError::Failed { .. }) = listed else {
            return listed.map(|found| Some(understood(&found, numbers.mark)));
        };
        // That is how it says that the table is not there, but it may mean anything else.
        let tables = self.list(&["list", "tables", "inet"]).await?;
        let own = |object: &NfObject<'_>| match object {
            NfObject::ListObject(NfListObject::Table(found)) => found.name == TABLE,
            _ => false,
        };
        if tables.objects.iter().any(own) {
            return listed.map(|found| Some(understood(&found, numbers.mark)));
        }
        Ok(None)
    }

    /// Replaces what Berth masquerades; none removes Berth's table.
    ///
    /// # Errors
    ///
    /// `nft` is missing or refuses: then all is as it was.
    pub async fn write(
        &self,
        numbers: &Numbers,
        masquerade: Option<&Masquerade>,
    ) -> Result<(), NftError> {
        let mut batch = Batch::new();
        // To delete what may not be there is an error, to add what may be is none.
        batch.add(table());
        batch.delete(table());
        if let Some(masquerade) = masquerade {
            batch.add(table());
            for object in objects(masquerade, numbers.mark) {
                batch.add(object);
            }
        }
        let ruleset =
            serde_json::to_vec(&batch.to_nftables()).map_err(|error| self.failed(&error))?;
        self.run(&["-f", "-"], &ruleset).await.map(drop)
    }

    async fn list(&self, arguments: &[&str]) -> Result<Nftables<'static>, NftError> {
        let listed = self.run(arguments, &[]).await?;
        serde_json::from_slice(&listed).map_err(|error| self.failed(&error))
    }

    /// Runs the program with an input, which it reads to the end, and gives what it writes.
    async fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, NftError> {
        let ended = tokio::time::timeout(PATIENCE, self.output(arguments, input)).await;
        let output = match ended {
            Ok(Ok(output)) => output,
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Err(NftError::Missing { program: self.name() });
            }
            Ok(Err(error)) => return Err(self.failed(&error)),
            Err(_) => return Err(NftError::Slow { program: self.name() }),
        };
        if output.status.success() {
            return Ok(output.stdout);
        }
        // The first line says what; where, with carets below, is said of a text that nobody wrote.
        let said = String::from_utf8_lossy(&output.stderr);
        Err(self.failed(&said.lines().next().unwrap_or("it says nothing")))
    }

    async fn output(&self, arguments: &[&str], input: &[u8]) -> io::Result<Output> {
        let mut command = Command::new(&self.program);
        command.arg("-j").args(arguments).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = command.spawn()?;
        if let Some(mut stdin) = running.stdin.take() {
            // It may end without having read: then it says why.
            let _ = stdin.write_all(input).await;
        }
        running.wait_with_output().await
    }

    fn failed(&self, text: &dyn ToString) -> NftError {
        NftError::Failed { program: self.name(), text: text.to_string() }
    }

    fn name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests;
