//! What people and agents see of a node.

use serde_json::Value;

use super::Rig;

fn count(value: &Value) -> usize {
    value.as_object().map_or_else(|| value.as_array().map_or(0, Vec::len), serde_json::Map::len)
}

impl Rig {
    /// Addresses in `spec.ipam.pool`.
    pub(crate) fn pool(&self, node: &str) -> usize {
        count(&self.object(node)["spec"]["ipam"]["pool"])
    }

    /// Interfaces in `status.eni`.
    pub(crate) fn enis(&self, node: &str) -> usize {
        count(&self.object(node)["status"]["eni"]["enis"])
    }

    fn sum(&self, node: &str, member: &str) -> usize {
        let object = self.object(node);
        let enis = object["status"]["eni"]["enis"].as_object();
        enis.map_or(0, |enis| enis.values().map(|eni| count(&eni[member])).sum())
    }

    /// Addresses in `status.eni`.
    pub(crate) fn addresses(&self, node: &str) -> usize {
        self.sum(node, "addresses")
    }

    /// Prefixes in `status.eni`.
    pub(crate) fn prefixes(&self, node: &str) -> usize {
        self.sum(node, "prefixes")
    }

    /// What the node's agent is told of why there is nothing more, `-` when it is told nothing.
    pub(crate) fn told(&self, node: &str) -> String {
        let object = self.object(node);
        let error = object["status"]["ipam"]["operator-status"]["error"].as_str();
        error.unwrap_or("-").to_owned()
    }

    /// One figure of a node by the name that scenes give it.
    pub(crate) fn figure(&self, node: &str, what: &str) -> usize {
        match what {
            "pool" => self.pool(node),
            "enis" => self.enis(node),
            "addresses" => self.addresses(node),
            "prefixes" => self.prefixes(node),
            "used" => self.agent(node).used().len(),
            "held" => self.held(node),
            "attached" => self.attached(node).len(),
            other => panic!("no figure is called {other}"),
        }
    }
}
