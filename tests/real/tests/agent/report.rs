//! What `berth-agent status` says.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::Value;

/// What `berth-agent status -o json` prints.
#[derive(Debug)]
pub(crate) struct Report(pub(crate) Value);

impl Report {
    pub(crate) fn is_ready(&self) -> bool {
        self.0["ready"] == true
    }

    /// How many addresses are so: `used`, `free`, `cooling`, `attached` …
    pub(crate) fn count(&self, state: &str) -> u64 {
        let [ipv4] = self.0["families"].as_array().unwrap().as_slice() else { panic!("{self:?}") };
        ipv4[state].as_u64().unwrap_or_else(|| panic!("no {state} in {self:?}"))
    }

    /// Who has which address, such as `default/a`.
    pub(crate) fn owners(&self) -> BTreeMap<Ipv4Addr, String> {
        self.in_use(|entry| &entry["owner"])
    }

    /// Which sandbox has which address.
    pub(crate) fn sandboxes(&self) -> BTreeMap<Ipv4Addr, String> {
        self.in_use(|entry| &entry["sandbox"]["container_id"])
    }

    fn in_use(&self, what: impl Fn(&Value) -> &Value) -> BTreeMap<Ipv4Addr, String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = self.0["addresses"].as_array().unwrap().iter();
        entries.map(|entry| (text(&entry["address"]).parse().unwrap(), text(what(entry)))).collect()
    }
}
