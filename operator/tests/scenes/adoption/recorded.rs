//! The recorded objects, and what Berth would ask of EC2 for each of them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ipam-core/crd/tests/data").join(file)
}

fn text(file: &str) -> String {
    fs::read_to_string(data(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Every recorded object by name, with what is planned for it.
pub(super) fn planned() -> Vec<(String, String)> {
    let text = text("planned.txt");
    let pairs = text.lines().map(|line| line.split_once(": ").unwrap());
    pairs.map(|(name, planned)| (name.to_owned(), planned.to_owned())).collect()
}

/// A recorded object.
pub(super) fn object(name: &str) -> Value {
    serde_json::from_str(&text(&format!("{name}.json"))).unwrap()
}
