//! Pods: network namespaces that a main plugin wires.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use real::Namespace;

/// Longer than any connection between two namespaces of a machine takes.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);

/// Where the library in cnitool keeps results between its calls.
const RESULTS: &str = "/var/lib/cni/results";

/// A network of CNI, whose plugins cnitool calls as a container runtime does.
pub(crate) struct Network {
    name: String,
    configurations: PathBuf,
    plugins: Vec<PathBuf>,
}

impl Network {
    /// The network in this configuration list, with the plugins of these folders, the first of which has cnitool.
    pub(crate) fn new(configuration: &Value, folder: &Path, plugins: Vec<PathBuf>) -> Self {
        let configurations = folder.join("net.d");
        fs::create_dir(&configurations).unwrap();
        fs::write(configurations.join("10-berth.conflist"), configuration.to_string()).unwrap();
        let name = configuration["name"].as_str().unwrap().to_owned();
        Self { name, configurations, plugins }
    }

    fn cnitool(&self, verb: &str, pod: &Pod) -> Result<Value, String> {
        let mut command = Command::new(self.plugins[0].join("cnitool"));
        command.args([verb, &self.name, &pod.namespace.path()]);
        command.env("NETCONFPATH", &self.configurations);
        command.env("CNI_PATH", std::env::join_paths(&self.plugins).unwrap());
        command.env("CNI_ARGS", pod.arguments());
        said(&command.output().unwrap())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Those of pods that were not deleted, because the test failed.
        for file in fs::read_dir(RESULTS).into_iter().flatten().flatten() {
            if file.file_name().to_string_lossy().starts_with(&format!("{}-", self.name)) {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

/// The JSON that a program printed, `null` where it printed nothing; what it complains of where it failed.
pub(crate) fn said(output: &Output) -> Result<Value, String> {
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("{printed}{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(if printed.trim().is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&printed).unwrap()
    })
}

/// A pod of the namespace `default`, that is, its sandbox.
pub(crate) struct Pod {
    name: String,
    namespace: Namespace,
}

impl Pod {
    /// A sandbox without a network.
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), namespace: Namespace::new() }
    }

    fn arguments(&self) -> String {
        let Self { name, .. } = self;
        format!(
            "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME={name};K8S_POD_UID=uid-of-{name}"
        )
    }

    /// Lets the plugins wire it, and tells its address.
    pub(crate) fn add(&self, network: &Network) -> Result<Ipv4Addr, String> {
        network.cnitool("add", self).map(|result| address(&result))
    }

    pub(crate) fn check(&self, network: &Network) -> Result<(), String> {
        network.cnitool("check", self).map(drop)
    }

    pub(crate) fn delete(&self, network: &Network) -> Result<(), String> {
        network.cnitool("del", self).map(drop)
    }

    /// Sends something to a server of another pod, which must come from this pod's address and be answered.
    #[track_caller]
    pub(crate) fn reaches(&self, own: Ipv4Addr, other: &Self, address: Ipv4Addr) {
        let server = other.namespace.inside(|| TcpListener::bind((address, 0)).unwrap());
        let port = server.local_addr().unwrap().port();
        let client = self.namespace.inside(|| {
            TcpStream::connect_timeout(&(address, port).into(), CONNECTED_WITHIN)
                .unwrap_or_else(|problem| panic!("{own} does not reach {address}: {problem}"))
        });
        let (accepted, from) = server.accept().unwrap();
        assert_eq!(from.ip(), own, "the address that {address} sees");
        for (mut speaker, mut listener) in [(&client, &accepted), (&accepted, &client)] {
            listener.set_read_timeout(Some(CONNECTED_WITHIN)).unwrap();
            speaker.write_all(b"word").unwrap();
            let mut heard = [0; 4];
            listener.read_exact(&mut heard).unwrap();
            assert_eq!(&heard, b"word");
        }
    }
}

/// The one address of a result: `10.0.0.5` of `10.0.0.5/29`.
pub(crate) fn address(result: &Value) -> Ipv4Addr {
    let [ip] = result["ips"].as_array().unwrap().as_slice() else { panic!("{result}") };
    let (address, _length) = ip["address"].as_str().unwrap().split_once('/').unwrap();
    address.parse().unwrap()
}
