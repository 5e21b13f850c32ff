//! Builds `kubeup` once a machine.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The Kubernetes release whose modules `kubeup/go.mod` names. Set at link time, as its own builds do; without it, the API
/// server reports 0.0.0 and refuses features as too new.
const VERSION_FLAG: &str = "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3";

/// Why there is no `kubeup`.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no Go, or it cannot be run.
    #[error(
        "kubeup is built with Go, and `go` cannot be run ({0}): install Go 1.26 or newer (https://go.dev/dl)"
    )]
    NoGo(io::Error),
    /// Neither `BERTH_CI_CACHE` nor `HOME` says where built programs are kept.
    #[error(
        "say with BERTH_CI_CACHE in which folder built programs are kept: there is no HOME either"
    )]
    NoCache,
    /// Go said no; why is on the standard error.
    #[error("`go build` in {folder} failed ({status}); its messages are above")]
    Failed {
        /// Where the sources are.
        folder: PathBuf,
        /// How Go ended.
        status: std::process::ExitStatus,
    },
    /// A file of the sources or of the cache cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// The built program; builds it first where no earlier run did.
///
/// # Errors
///
/// When Go is missing or fails, or when the cache cannot be written.
pub(crate) fn kubeup() -> Result<PathBuf, BuildError> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("kubeup");
    let cache = cache_folder()?;
    fs::create_dir_all(&cache).map_err(at(&cache))?;
    let program = cache.join(format!("kubeup-{:016x}", hash(&sources)?));
    if program.exists() {
        return Ok(program);
    }
    // One builder a machine. The lock goes with the file, however this process ends.
    let lock_path = cache.join("kubeup.lock");
    let lock = File::create(&lock_path).map_err(at(&lock_path))?;
    lock.lock().map_err(at(&lock_path))?;
    if !program.exists() {
        build(&sources, &program)?;
    }
    Ok(program)
}

fn build(sources: &Path, program: &Path) -> Result<(), BuildError> {
    let go = Command::new("go").arg("version").stdin(Stdio::null()).output();
    go.map_err(BuildError::NoGo)?;
    say(&format!(
        "building Kubernetes into {}: once a machine, about 6 minutes on 2 cores and longer where modules come slowly",
        program.display()
    ));
    let unfinished = program.with_extension("unfinished");
    let mut command = Command::new("go");
    command.current_dir(sources).args(["build", "-ldflags", VERSION_FLAG, "-o"]).arg(&unfinished);
    let status = command.arg(".").stdin(Stdio::null()).status().map_err(BuildError::NoGo)?;
    if !status.success() {
        return Err(BuildError::Failed { folder: sources.to_owned(), status });
    }
    fs::rename(&unfinished, program).map_err(at(program))?;
    say("built");
    Ok(())
}

/// `BERTH_CI_CACHE`, or `.cache/berth-ci` in the home folder.
fn cache_folder() -> Result<PathBuf, BuildError> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").map(|home| home.join(".cache/berth-ci"));
    set("BERTH_CI_CACHE").or_else(home).ok_or(BuildError::NoCache)
}

/// A number that changes with the sources. It need not be the same for another Rust release: then it is built anew.
fn hash(sources: &Path) -> Result<u64, BuildError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(sources).map_err(at(sources))? {
        files.push(entry.map_err(at(sources))?.path());
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    hasher.write(VERSION_FLAG.as_bytes());
    for file in files {
        hasher.write(file.file_name().unwrap_or_default().as_encoded_bytes());
        hasher.write(&fs::read(&file).map_err(at(&file))?);
    }
    Ok(hasher.finish())
}

fn at(path: &Path) -> impl Fn(io::Error) -> BuildError {
    move |error| BuildError::File { path: path.to_owned(), error }
}

/// Tells who waits why it takes so long. Nothing depends on it, so a closed standard error is no failure.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "real: {text}");
}
