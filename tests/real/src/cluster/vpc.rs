//! The VPC: a machine in which EC2 answers, and whose routes carry what EC2 has assigned.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::door::Door;
use super::error::ClusterError;
use super::machine::Machine;
use super::parts::Parts;
use super::service::Service;
use crate::namespace::Namespace;

/// Where EC2 answers whoever is in the VPC.
pub(crate) const EC2: &str = "http://192.0.2.10:4566";
const EC2_LISTENS: &str = "192.0.2.10:4566";
const METADATA_LISTENS: &str = "169.254.169.254:80";
/// Both programs need milliseconds on an idle machine.
const START_TIMEOUT: Duration = Duration::from_mins(1);
/// EC2 answers as slowly as EC2 does, but this part of it at once.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// An instance of EC2 that a machine is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) address: Ipv4Addr,
}

impl Instance {
    /// The control plane's.
    pub(crate) fn control() -> Self {
        Self::in_subnet("i-000000c0", 0)
    }

    /// That of a node, by its number from 1 on.
    pub(crate) fn node(number: u8) -> Self {
        Self::in_subnet(&format!("i-{number:08x}"), number)
    }

    /// Each has a subnet of its own, with the number as third part of its addresses.
    fn in_subnet(id: &str, subnet: u8) -> Self {
        Self { id: id.to_owned(), address: Ipv4Addr::new(10, 0, subnet, 10) }
    }

    pub(crate) const fn subnet(&self) -> u8 {
        self.address.octets()[2]
    }

    /// Entries of a world file: its subnet, and itself with these blocks of 16 addresses on its primary interface.
    fn entries(&self, instance_type: &str, prefixes: &[String]) -> (Value, Value) {
        let Self { id, address } = self;
        let number = self.subnet();
        let name = format!("subnet-{number:08x}");
        let cidr = format!("10.0.{number}.0/24");
        let subnet = json!({"id": name, "vpc": "vpc-0000000a", "zone": "eu-west-1a", "cidr": cidr});
        let primary = json!({
            "id": format!("eni-{number:08x}"), "primary_ip": address, "ipv4_prefixes": prefixes,
        });
        let instance = json!({
            "id": id, "instance_type": instance_type, "subnet": name, "primary": primary,
        });
        (subnet, instance)
    }
}

/// The VPC's machine, with EC2 and what makes its routes.
#[derive(Debug)]
pub(crate) struct Vpc {
    fabric: Service,
    _ec2: Service,
    namespaces: PathBuf,
    machine: Machine,
}

impl Vpc {
    /// Starts it. EC2 knows the control plane's instance, whose machine is behind this door.
    pub(crate) fn start(parts: &Parts, folder: &Path, control: Door) -> Result<Self, ClusterError> {
        let machine = Machine::start("vpc", &folder.join("vpc"), false, &parts.of_vpc())?;
        let namespaces = machine.folder().join("var-lib/namespaces");
        let failed = ClusterError::at(format!("make {}", namespaces.display()));
        fs::create_dir_all(&namespaces).map_err(failed)?;
        machine.succeed(&["fabric", "prepare"])?;
        machine.write("etc/world.yaml", &world().to_string())?;
        let mut command = Command::new("ec2-sim");
        command.args(["--world", "/etc/world.yaml", "--listen", EC2_LISTENS]);
        command.args(["--imds-by-address", METADATA_LISTENS]);
        let ec2 = machine.service("ec2-sim", &command);
        ec2.start_until("ec2-sim listens", START_TIMEOUT)?;
        let mut command = Command::new("fabric");
        command.args(["run", "--ec2", EC2, "--namespaces", "/var/lib/namespaces"]);
        let fabric = machine.service("fabric", &command);
        let vpc = Self { fabric, _ec2: ec2, namespaces, machine };
        vpc.connect(&Instance::control(), control)?;
        vpc.fabric.start_until("ready", START_TIMEOUT)?;
        Ok(vpc)
    }

    pub(crate) const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Launches the instance of a node, whose machine is behind this door.
    pub(crate) fn launch(
        &self,
        instance: &Instance,
        door: Door,
        instance_type: &str,
        prefixes: &[String],
    ) -> Result<(), ClusterError> {
        self.connect(instance, door)?;
        let (subnet, launched) = instance.entries(instance_type, prefixes);
        self.post("/_sim/subnets", &subnet)?;
        self.post("/_sim/instances", &launched).map(drop)
    }

    /// Terminates the instance of a node.
    pub(crate) fn terminate(&self, instance: &Instance) -> Result<(), ClusterError> {
        self.post(&format!("/_sim/instances/{}/terminate", instance.id), &json!({}))?;
        let link = self.namespaces.join(&instance.id);
        fs::remove_file(&link).map_err(ClusterError::at(format!("remove {}", link.display())))
    }

    /// Says in which namespace the devices of an instance appear.
    fn connect(&self, instance: &Instance, door: Door) -> Result<(), ClusterError> {
        let link = self.namespaces.join(&instance.id);
        let failed = ClusterError::at(format!("make {}", link.display()));
        symlink(door.network(), &link).map_err(failed)
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value, ClusterError> {
        self.ask(Method::GET, path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, ClusterError> {
        self.ask(Method::POST, path, Some(body))
    }

    pub(crate) fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ClusterError> {
        let call = format!("{method} {path}");
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder().method(method).uri(format!("{EC2}{path}"));
        let said = request.body(Full::from(body)).map_err(|problem| problem.to_string());
        let said = said.and_then(|request| inside(self.machine.door(), || answer(request)));
        said.map_err(|said| ClusterError::Ec2 { call, said })
    }

    /// How many packets the VPC has dropped because of where they came from.
    pub(crate) fn drops(&self) -> Result<u64, ClusterError> {
        let said = self.machine.succeed(&["fabric", "drops"])?;
        let number = said.split_whitespace().find_map(|word| word.parse().ok());
        number.ok_or_else(|| ClusterError::NotJson { what: "fabric drops".to_owned(), said })
    }
}

/// What EC2 knows in the beginning.
fn world() -> Value {
    let (subnet, instance) = Instance::control().entries("m5.large", &[]);
    json!({
        "settings": {
            "region": "eu-west-1", "account": "123456789012", "seed": 8,
            "latency": "typical", "staleness": "typical",
        },
        "vpcs": [{"id": "vpc-0000000a", "cidr": "10.0.0.0/16", "default_group": "sg-0000000a"}],
        "subnets": [subnet],
        "instances": [instance],
    })
}

/// Does something in the network of a machine: sockets that are opened there are the machine's.
fn inside<T: Send>(
    door: Door,
    act: impl FnOnce() -> Result<T, String> + Send,
) -> Result<T, String> {
    let entered = Namespace::at(door.network().as_ref()).and_then(|network| network.enter(act));
    entered.map_err(|error| error.to_string())?
}

/// The answer to a request, whose body is JSON.
fn answer(request: Request<Full<bytes::Bytes>>) -> Result<Value, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, async {
            let response = client.request(request).await.map_err(|error| error.to_string())?;
            let status = response.status();
            let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
            Ok((status, body.to_bytes()))
        });
        let (status, body) = answer.await.map_err(|error| error.to_string()).flatten()?;
        let text = String::from_utf8_lossy(&body);
        if !status.is_success() {
            return Err(format!("{status}: {text}"));
        }
        serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
    })
}
