//! One run of the plugin's program.

use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::PluginError;

/// What a plugin left behind.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) stdout: Vec<u8>,
    pub(super) is_success: bool,
}

/// Runs a program with this environment and no other, and `conf` on its standard input. Dropped, it is killed.
pub(super) async fn run(
    program: &Path,
    environment: Vec<(&'static str, String)>,
    conf: &[u8],
) -> Result<Ended, PluginError> {
    let failed = |source| PluginError::Start { program: program.to_owned(), source };
    let mut command = Command::new(program);
    command.env_clear().envs(environment).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends before it has read everything says why on its standard output.
        let _ = stdin.write_all(conf).await;
    }
    let output = child.wait_with_output().await.map_err(failed)?;
    Ok(Ended { stdout: output.stdout, is_success: output.status.success() })
}
