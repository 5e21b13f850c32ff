//! A Region with one VPC: its router, its machines, and the programs `ec2-sim` and `fabric`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::Ipv4Addr;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use real::{Running, await_true, program};
use serde_json::Value;
use tempfile::TempDir;

use crate::packets::{devices, exchange};
use real::Namespace;

/// Many times what anything here takes on a busy machine.
pub(crate) const SOON: Duration = Duration::from_mins(1);

const EC2: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 10), 4566);

/// With latencies of one profile; whatever its seed, a link takes its time where that is not zero.
const WORLD: &str = "
vpcs: [{id: vpc-0000000a, cidr: 10.0.0.0/16, default_group: sg-0000000a}]
subnets:
  - {id: subnet-0000000a, vpc: vpc-0000000a, zone: eu-west-1a, cidr: 10.0.0.0/24}
  - {id: subnet-0000000b, vpc: vpc-0000000a, zone: eu-west-1a, cidr: 10.0.1.0/24}
instances:
  - {id: i-0000000a, instance_type: m5.large, subnet: subnet-0000000a, primary: {id: eni-0000000a, primary_ip: 10.0.0.10}}
  - {id: i-0000000b, instance_type: m5.large, subnet: subnet-0000000a, primary: {id: eni-0000000b, primary_ip: 10.0.0.11}}
  - {id: i-0000000c, instance_type: m5.large, subnet: subnet-0000000b, primary: {id: eni-0000000c, primary_ip: 10.0.1.12}}
interfaces:
  - {id: eni-0000000e, subnet: subnet-0000000b, primary_ip: 10.0.1.20}
";

/// The programs, built outside of namespaces without a way to the registries.
struct Programs {
    ec2: PathBuf,
    fabric: PathBuf,
}

impl Programs {
    fn ready() -> &'static Self {
        static PROGRAMS: OnceLock<Programs> = OnceLock::new();
        PROGRAMS.get_or_init(|| {
            let [ec2, fabric] = ["ec2-sim", "fabric"].map(|name| program(name).unwrap());
            Self { ec2, fabric }
        })
    }
}

/// A Region. Its programs end with it, and their namespaces with them.
pub(crate) struct Region {
    programs: &'static Programs,
    fabric: Option<Running>,
    ec2: Running,
    router: Namespace,
    hosts: BTreeMap<String, Namespace>,
    folder: TempDir,
}

impl Region {
    /// One with three instances, whose interfaces are there when this returns.
    pub(crate) fn start(latency: &str) -> Self {
        let programs = Programs::ready();
        let (router, folder) = (Namespace::new(), tempfile::tempdir().unwrap());
        fs::create_dir(folder.path().join("namespaces")).unwrap();
        let world = folder.path().join("world.yaml");
        let settings = format!("settings: {{region: eu-west-1, seed: 7, latency: {latency}}}");
        fs::write(&world, settings + WORLD).unwrap();
        let prepared = router.run(Command::new(&programs.fabric).arg("prepare"), "");
        assert_eq!(prepared, "");
        let mut command = Command::new(&programs.ec2);
        command.args(["--listen", "192.0.2.10:4566", "--imds-by-address", "169.254.169.254:80"]);
        command.arg("--world").arg(world);
        let log = folder.path().join("ec2.log");
        let ec2 = router.inside(|| Running::start(&command, &log)).unwrap();
        let said = ec2.line(SOON).unwrap_or_else(|_| fs::read_to_string(&log).unwrap());
        assert!(said.contains("listens"), "{said}");
        let hosts = BTreeMap::new();
        let mut region = Self { programs, fabric: None, ec2, router, hosts, folder };
        for instance in ["i-0000000a", "i-0000000b", "i-0000000c"] {
            region.give_machine(instance);
        }
        region.start_fabric();
        region
    }

    /// Starts the fabric, and waits until the VPC is as EC2 says.
    pub(crate) fn start_fabric(&mut self) {
        let mut command = Command::new(&self.programs.fabric);
        command.args(["run", "--ec2", "http://192.0.2.10:4566", "--namespaces"]);
        command.arg(self.folder.path().join("namespaces"));
        let log = self.log();
        let running = self.router.inside(|| Running::start(&command, &log)).unwrap();
        let said = running.line(SOON).unwrap_or_else(|_| self.fabric_says());
        assert_eq!(said, "ready");
        self.fabric = Some(running);
    }

    pub(crate) fn kill_fabric(&mut self) {
        let mut running = self.fabric.take().unwrap();
        running.signal("KILL").unwrap();
        running.ended(SOON).unwrap().expect("it has ended");
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("fabric.log")
    }

    /// What the fabric has complained of.
    pub(crate) fn fabric_says(&self) -> String {
        fs::read_to_string(self.log()).unwrap()
    }

    /// The processes that are to end with this.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let fabric = self.fabric.iter().map(Running::process_id);
        fabric.chain([self.ec2.process_id()]).collect()
    }

    pub(crate) const fn router(&self) -> &Namespace {
        &self.router
    }

    /// The machine of an instance.
    pub(crate) fn host(&self, instance: &str) -> &Namespace {
        &self.hosts[instance]
    }

    /// Lets an instance boot, on another machine than it may have had.
    pub(crate) fn give_machine(&mut self, instance: &str) {
        self.take_machine(instance);
        let host = Namespace::new();
        // Answers may come over another device than requests.
        for name in ["all", "default"] {
            let setting = format!("/proc/sys/net/ipv4/conf/{name}/rp_filter");
            host.inside(|| fs::write(setting, "0")).unwrap();
        }
        symlink(host.path(), self.namespace_file(instance)).unwrap();
        self.hosts.insert(instance.to_owned(), host);
    }

    /// Ends a machine.
    pub(crate) fn take_machine(&mut self, instance: &str) {
        if self.hosts.remove(instance).is_some() {
            fs::remove_file(self.namespace_file(instance)).unwrap();
        }
    }

    fn namespace_file(&self, instance: &str) -> PathBuf {
        self.folder.path().join("namespaces").join(instance)
    }

    /// What a call of the control API answers.
    #[track_caller]
    pub(crate) fn sim(&self, method: &str, path: &str, body: &str) -> Value {
        serde_json::from_str(&self.ask(method, path, "", body)).unwrap()
    }

    /// Calls an action of EC2.
    #[track_caller]
    pub(crate) fn call(&self, action: &str, parameters: &str) -> String {
        let signed = "Authorization: AWS4-HMAC-SHA256 Credential=any/20260101/eu-west-1/ec2/aws4_request\r\n";
        let form = format!("Action={action}&Version=2016-11-15&{parameters}");
        self.ask("POST", "/", signed, &form)
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: ec2\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        let (status, answer) = exchange(&self.router, (None, EC2), &request).unwrap();
        assert!(status < 300, "{method} {path} {body}: {status} {answer}");
        answer
    }

    /// Attaches an interface to an instance.
    pub(crate) fn attach(&self, interface: &str, instance: &str, index: u32) {
        let parameters =
            format!("NetworkInterfaceId={interface}&InstanceId={instance}&DeviceIndex={index}");
        self.call("AttachNetworkInterface", &parameters);
    }

    /// Lets an interface go from its instance.
    pub(crate) fn detach(&self, interface: &str) {
        let attachment = self.interface(interface)["attachment"]["id"].clone();
        let attachment = attachment.as_str().unwrap();
        self.call("DetachNetworkInterface", &format!("AttachmentId={attachment}"));
    }

    pub(crate) fn assign(&self, interface: &str, address: Ipv4Addr) {
        self.addresses("AssignPrivateIpAddresses", interface, address);
    }

    pub(crate) fn unassign(&self, interface: &str, address: Ipv4Addr) {
        self.addresses("UnassignPrivateIpAddresses", interface, address);
    }

    fn addresses(&self, action: &str, interface: &str, address: Ipv4Addr) {
        let parameters = format!("NetworkInterfaceId={interface}&PrivateIpAddress.1={address}");
        self.call(action, &parameters);
    }

    /// Launches an instance that has no machine yet.
    pub(crate) fn launch(&self, instance: &Value) -> String {
        self.sim("POST", "/_sim/instances", &instance.to_string());
        instance["id"].as_str().unwrap().to_owned()
    }

    /// An interface, as EC2 knows it.
    pub(crate) fn interface(&self, id: &str) -> Value {
        let world = self.sim("GET", "/_sim/world", "");
        let mut interfaces = world["interfaces"].as_array().unwrap().iter();
        interfaces.find(|interface| interface["id"] == id).unwrap().clone()
    }

    /// Does with the second interface of an instance what its host would: it comes down and without an address.
    pub(crate) fn set_up_second(&self, instance: &str) {
        let host = self.host(instance);
        let is_there = || devices(host).iter().any(|device| device.name == "eth1");
        await_true(SOON, "the device has not appeared", is_there);
        host.ip("link set dev eth1 up");
        host.ip("address add 10.0.1.20/24 dev eth1 noprefixroute");
    }

    /// How many packets the source check has dropped.
    pub(crate) fn drops(&self) -> u64 {
        let count = self.router.run(Command::new(&self.programs.fabric).arg("drops"), "");
        count.trim().parse().unwrap()
    }

    /// The router's routes to an address that are for it alone.
    pub(crate) fn routes_to(&self, address: Ipv4Addr) -> String {
        self.router.ip(&format!("route show exact {address}"))
    }
}

/// Inside that are run inside of a namespace.
pub(crate) trait Inside {
    /// What `ip` prints.
    fn ip(&self, words: &str) -> String;
    /// Adds to the filter's rules.
    fn nft(&self, rules: &str);
    /// What a program prints that is run inside.
    fn run(&self, command: &mut Command, input: &str) -> String;
}

impl Inside for Namespace {
    #[track_caller]
    fn ip(&self, words: &str) -> String {
        self.run(Command::new("ip").args(words.split(' ')), "")
    }

    fn nft(&self, rules: &str) {
        self.run(Command::new("nft").args(["-f", "-"]), rules);
    }

    #[track_caller]
    fn run(&self, command: &mut Command, input: &str) -> String {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.inside(|| command.spawn()).expect("install iproute2 and nftables");
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }
}
