//! The program `berth-cni` alone, called as a main plugin does.

use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::node::Node;
use crate::pod::{address, said};

/// The plugin, with the configuration of a network.
pub(crate) struct Plugin {
    program: PathBuf,
    configuration: Value,
}

impl Plugin {
    pub(crate) fn of(node: &Node) -> Self {
        let list = node.configuration();
        let mut configuration = list["plugins"][0].clone();
        configuration["cniVersion"] = list["cniVersion"].clone();
        configuration["name"] = list["name"].clone();
        Self { program: node.plugin(), configuration }
    }

    /// Asks for the address of a sandbox, which is that of the pod `default/ID`.
    pub(crate) fn add(&self, id: &str) -> Result<Ipv4Addr, Value> {
        self.call("ADD", id, &self.configuration).map(|result| address(&result))
    }

    /// Gives back what a sandbox has.
    pub(crate) fn delete(&self, id: &str) -> Result<(), Value> {
        self.call("DEL", id, &self.configuration).map(drop)
    }

    /// Whether a sandbox has this address.
    pub(crate) fn check(&self, id: &str, address: Ipv4Addr) -> Result<(), Value> {
        let mut configuration = self.configuration.clone();
        let cni_version = &self.configuration["cniVersion"];
        configuration["prevResult"] =
            json!({"cniVersion": cni_version, "ips": [{"address": format!("{address}/32")}]});
        self.call("CHECK", id, &configuration).map(drop)
    }

    fn call(&self, verb: &str, id: &str, configuration: &Value) -> Result<Value, Value> {
        let mut command = Command::new(&self.program);
        command.env("CNI_COMMAND", verb).env("CNI_CONTAINERID", id).env("CNI_IFNAME", "eth0");
        command.env("CNI_NETNS", "/proc/self/ns/net").env("CNI_PATH", "/opt/cni/bin");
        let pod = format!("K8S_POD_NAMESPACE=default;K8S_POD_NAME={id};K8S_POD_UID=uid-of-{id}");
        command.env("CNI_ARGS", pod).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(configuration.to_string().as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            return Ok(said(&output).unwrap());
        }
        Err(serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("no reason: {}", said(&output).unwrap_err())))
    }
}
