//! Where the plugin's program is.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// The program's name, and that of its target.
const NAME: &str = "berth-cni";

/// Whoever may execute a file.
const EXECUTABLE: u32 = 0o111;

/// What has to be built for longer is announced.
const LONG: Duration = Duration::from_secs(2);

/// Why there is no program.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// There is none where it was said to be.
    #[error("--cni-plugin: {} is no file; `cargo build --bin berth-cni` builds one", path.display())]
    NoFile {
        /// Where it was said to be.
        path: PathBuf,
    },
    /// What is where it was said to be is no program.
    #[error("--cni-plugin: {} may not be executed by anybody; `cargo build --bin berth-cni` builds one", path.display())]
    NoProgram {
        /// Where it was said to be.
        path: PathBuf,
    },
    /// Cargo could not be run.
    #[error("{} cannot be run: name a plugin with --cni-plugin, or take --in-process", cargo.display())]
    Cargo {
        /// Which Cargo.
        cargo: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Cargo did not build it.
    #[error("`cargo build --bin berth-cni` failed:\n{text}")]
    Build {
        /// What Cargo said.
        text: String,
    },
    /// It is nowhere.
    #[error(
        "there is no berth-cni beside this program ({}): build it with `cargo build --bin berth-cni`, say where it is with --cni-plugin, or take --in-process",
        beside.display()
    )]
    Nowhere {
        /// Where it was looked for.
        beside: PathBuf,
    },
}

/// Finds the program.
pub(super) fn find(explicit: Option<&Path>) -> Result<PathBuf, FindError> {
    if let Some(path) = explicit {
        return named(path);
    }
    let own = std::env::current_exe().unwrap_or_default();
    if let Some((cargo, root)) = cargo() {
        let is_root = |folder: &Path| folder.join(".rustc_info.json").is_file();
        return build(&cargo, &root, &Folder::of(&own, is_root));
    }
    beside(&own)
}

/// A program that was named.
fn named(path: &Path) -> Result<PathBuf, FindError> {
    let path = path.to_owned();
    match fs::metadata(&path) {
        Ok(found) if found.is_file() && found.permissions().mode() & EXECUTABLE == 0 => {
            Err(FindError::NoProgram { path })
        }
        // A bare name would be looked for in the folders of programs.
        Ok(found) if found.is_file() => Ok(std::path::absolute(&path).unwrap_or(path)),
        _ => Err(FindError::NoFile { path }),
    }
}

/// The Cargo that started this process, and the workspace that it did so for, if it is this one.
fn cargo() -> Option<(PathBuf, PathBuf)> {
    let cargo = std::env::var_os("CARGO")?;
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?);
    let is_root = |folder: &&Path| folder.join("agent/cni/Cargo.toml").is_file();
    let root = package.ancestors().find(is_root)?.to_owned();
    Some((PathBuf::from(cargo), root))
}

/// Where Cargo has put a program, which says how it was built.
#[derive(Debug, PartialEq, Eq)]
struct Folder {
    target: Option<PathBuf>,
    triple: Option<OsString>,
    profile: OsString,
}

impl Folder {
    /// Reads the path of a program: `target/debug/NAME`, `target/TRIPLE/release/NAME`, `target/debug/deps/TEST`. `is_root` knows
    /// the target folder itself.
    fn of(program: &Path, is_root: impl Fn(&Path) -> bool) -> Self {
        let mut folder = program.parent().unwrap_or(Path::new(""));
        if folder.ends_with("deps") {
            folder = folder.parent().unwrap_or(folder);
        }
        let profile = match folder.file_name() {
            Some(name) if name != "debug" => name.to_owned(),
            _ => "dev".into(),
        };
        let Some(outside) = folder.parent() else {
            return Self { target: None, triple: None, profile };
        };
        let further = outside.parent().filter(|further| !is_root(outside) && is_root(further));
        let triple = further.and(outside.file_name()).map(ToOwned::to_owned);
        Self { target: Some(further.unwrap_or(outside).to_owned()), triple, profile }
    }
}

fn build(cargo: &Path, root: &Path, folder: &Folder) -> Result<PathBuf, FindError> {
    let mut command = Command::new(cargo);
    command.current_dir(root).args(["build", "--quiet", "--bin", NAME]);
    command.arg("--message-format=json-render-diagnostics").arg("--profile").arg(&folder.profile);
    if let Some(target) = &folder.target {
        command.arg("--target-dir").arg(target);
    }
    if let Some(triple) = &folder.triple {
        command.arg("--target").arg(triple);
    }
    let (done, waits) = mpsc::channel::<()>();
    let announcing = thread::spawn(move || announce_if_long(&waits));
    let output = command.stdin(Stdio::null()).output();
    drop(done);
    let _ = announcing.join();
    let output = output.map_err(|source| FindError::Cargo { cargo: cargo.to_owned(), source })?;
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = || FindError::Build { text: String::from_utf8_lossy(&output.stderr).into_owned() };
    executable(&said).filter(|_| output.status.success()).ok_or_else(failed)
}

fn announce_if_long(done: &mpsc::Receiver<()>) {
    if done.recv_timeout(LONG) == Err(mpsc::RecvTimeoutError::Timeout) {
        let text = "building the CNI plugin: cargo build --bin berth-cni\n";
        // Nobody may be there to read it.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

/// The program in Cargo's messages, one JSON object a line.
fn executable(messages: &str) -> Option<PathBuf> {
    let of = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_it = message["target"]["name"] == NAME;
        message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
    };
    messages.lines().find_map(of)
}

fn beside(own: &Path) -> Result<PathBuf, FindError> {
    let folder = own.parent().unwrap_or(Path::new(""));
    let found = folder.join(NAME);
    let missing = || FindError::Nowhere { beside: folder.to_owned() };
    found.is_file().then_some(found).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a program is, and what follows of how it was built. A folder whose name begins with `target` is a root.
    fn check(program: &str, expected: &str) {
        let is_root = |folder: &Path| {
            let name = folder.file_name().unwrap_or_default();
            name.to_string_lossy().starts_with("target")
        };
        let Folder { target, triple, profile } = Folder::of(Path::new(program), is_root);
        let target = target.unwrap_or_default();
        let triple = triple.unwrap_or("-".into());
        let found = format!("{} {} {}", target.display(), triple.display(), profile.display());
        assert_eq!(found, expected, "{program}");
    }

    #[test]
    fn a_path_says_how_a_program_was_built() {
        check("/b/target/debug/playground", "/b/target - dev");
        check("/b/target/debug/deps/pods-0123", "/b/target - dev");
        check("/b/target/release/playground", "/b/target - release");
        check("/b/target/small/playground", "/b/target - small");
        check(
            "/b/target/x86_64-unknown-linux-gnu/debug/playground",
            "/b/target x86_64-unknown-linux-gnu dev",
        );
        check("/b/elsewhere/release/playground", "/b/elsewhere - release");
        check("/c/target-of-mine/debug/playground", "/c/target-of-mine - dev");
    }

    #[test]
    fn cargo_names_the_program() {
        let messages = r#"
            {"reason":"compiler-artifact","target":{"name":"serde"},"executable":null}
            no JSON
            {"reason":"compiler-artifact","target":{"name":"other"},"executable":"/t/other"}
            {"reason":"compiler-artifact","target":{"name":"berth-cni"},"executable":null}
            {"reason":"compiler-artifact","target":{"name":"berth-cni"},"executable":"/t/berth-cni"}
            {"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some(PathBuf::from("/t/berth-cni")));
        assert_eq!(executable(r#"{"reason":"build-finished","success":false}"#), None);
    }

    #[test]
    fn what_is_missing_says_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("berth-cni");
        let said = find(Some(&missing)).expect_err("it is not there").to_string();
        assert!(said.contains("cargo build --bin berth-cni"), "{said}");
        let said = beside(&folder.path().join("playground")).expect_err("not there").to_string();
        for word in ["cargo build --bin berth-cni", "--cni-plugin", "--in-process"] {
            assert!(said.contains(word), "{word}: {said}");
        }
        fs::write(&missing, "").expect("a file");
        let said = find(Some(&missing)).expect_err("nobody may execute it").to_string();
        assert!(said.contains("may not be executed"), "{said}");
        fs::set_permissions(&missing, fs::Permissions::from_mode(0o755)).expect("permissions");
        assert_eq!(find(Some(&missing)).expect("it is there"), missing);
        let bare = find(Some(Path::new("Cargo.toml"))).expect_err("no program").to_string();
        assert!(bare.contains("may not be executed"), "{bare}");
        assert_eq!(beside(&folder.path().join("playground")).expect("beside"), missing);
    }
}
