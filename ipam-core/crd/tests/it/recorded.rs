//! The recorded objects and schemas in `tests/data`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// How many objects there are. A folder that went missing must not make a test pass.
const OBJECTS: usize = 55;

/// Every recorded object with its name, like `g1/20-fresh-t3.medium`, in order.
pub(crate) fn objects() -> Vec<(String, Value)> {
    let root = data("");
    let mut paths = Vec::new();
    for folder in ["", "g1", "g2"] {
        let entries = fs::read_dir(root.join(folder)).expect("the folder of recorded objects");
        let files = entries.map(|entry| entry.expect("a folder entry").path());
        paths.extend(files.filter(|path| path.extension().is_some_and(|end| end == "json")));
    }
    paths.sort();
    assert_eq!(paths.len(), OBJECTS, "recorded objects in {}", root.display());
    paths.iter().map(|path| (name(&root, path), parse(path))).collect()
}

/// The text of a file in `tests/data`.
pub(crate) fn text(file: &str) -> String {
    fs::read_to_string(data(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file)
}

fn name(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).expect("a path below the folder");
    relative.with_extension("").display().to_string()
}

fn parse(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
