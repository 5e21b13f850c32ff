//! What another process needs to find a cluster.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process;

use serde_json::{Value, json};

use super::control::kubectl;
use super::door::{Door, began};
use crate::kubectl::Kubectl;

/// Below the cluster's folder.
const FILE: &str = "cluster.json";

/// The process that holds a cluster, and the ways into its machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The process that holds it.
    pub holder: u32,
    /// By name: `vpc`, `control` and the nodes.
    pub machines: BTreeMap<String, Door>,
}

impl Record {
    /// That of a cluster that this process holds.
    pub(crate) fn new(machines: BTreeMap<String, Door>) -> Self {
        Self { holder: process::id(), machines }
    }

    /// Writes it into the cluster's folder.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        let machines: BTreeMap<_, _> =
            self.machines.iter().map(|(name, door)| (name, door.write())).collect();
        let written =
            json!({"holder": self.holder, "began": began(self.holder), "machines": machines});
        let unfinished = folder.join("cluster.json.new");
        fs::write(&unfinished, written.to_string())?;
        fs::rename(unfinished, folder.join(FILE))
    }

    /// That of the cluster in this folder; `None` when none runs there.
    #[must_use]
    pub fn read(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join(FILE)).ok()?;
        let written: Value = serde_json::from_str(&text).ok()?;
        let holder = u32::try_from(written["holder"].as_u64()?).ok()?;
        if written["began"].as_u64()? != began(holder)? {
            return None;
        }
        let machines = written["machines"].as_object()?.iter();
        let machines = machines.filter_map(|(name, door)| Some((name.clone(), Door::read(door)?)));
        Some(Self { holder, machines: machines.collect() })
    }

    /// kubectl as the administrator; `None` when the control plane's machine is gone.
    #[must_use]
    pub fn kubectl(&self) -> Option<Kubectl> {
        self.machines.get("control").copied().map(kubectl)
    }
}
