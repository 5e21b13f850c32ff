//! What the operator is put into, and how to look at it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ec2_sim::Ec2;
use ec2_sim::face::http::Server as Ec2Server;
use ec2_sim::face::shared::Shared;
use ec2_sim::spec::Spec;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use kube_sim::{KubeSim, Settings};
use real::{
    Kubernetes, NAMESPACE, Options, Running, access, await_true, operator_between, program,
    writes_of,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::ENDS;
use crate::fleet::Fleet;

const ACCOUNT: &str = "berth-operator";

/// The Kubernetes that a bed has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Real,
    Simulated,
}

enum Cluster {
    Real(Kubernetes),
    Simulated(KubeSim),
}

/// A cluster, an EC2, and what is needed to start operators between them.
pub(crate) struct Bed {
    cluster: Cluster,
    admin: Client,
    ec2: Shared,
    ec2_server: Ec2Server,
    program: PathBuf,
    folder: TempDir,
    runtime: Runtime,
}

impl Bed {
    pub(crate) fn start(server: Server, fleet: &Fleet) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let spec = Spec::parse("fleet", &fleet.world()).unwrap();
        let mut world = Ec2::new(spec.settings().unwrap());
        spec.populate(&mut world).unwrap();
        let _inside = runtime.enter();
        let ec2 = Shared::new(world);
        let any_port = ([127, 0, 0, 1], 0).into();
        let ec2_server = runtime.block_on(Ec2Server::start(any_port, ec2.clone())).unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        let (cluster, admin) = match server {
            Server::Real => {
                let kubernetes = Kubernetes::start(Options::default()).unwrap();
                fs::write(&kubeconfig, access(&kubernetes, "operator").unwrap()).unwrap();
                let admin = runtime.block_on(kubernetes.client()).unwrap();
                (Cluster::Real(kubernetes), admin)
            }
            Server::Simulated => {
                let sim = KubeSim::new(Settings::default());
                let server = kube_sim::Server::start(sim.clone(), any_port);
                let server = runtime.block_on(server).unwrap();
                fs::write(&kubeconfig, server.kubeconfig(ACCOUNT)).unwrap();
                // It serves for as long as the runtime runs.
                std::mem::forget(server);
                let admin = sim.client("admin");
                (Cluster::Simulated(sim), admin)
            }
        };
        let program = program("berth-operator").unwrap();
        Self { cluster, admin, ec2, ec2_server, program, folder, runtime }
    }

    /// Starts an operator that logs to a file of that name.
    pub(crate) fn operator(&self, name: &str) -> Operator {
        let kubeconfig = self.folder.path().join("kubeconfig");
        let ec2 = format!("http://{}", self.ec2_server.addr);
        let mut command = operator_between(&self.program, &ec2, &kubeconfig);
        let namespace = match self.cluster {
            Cluster::Real(_) => NAMESPACE,
            Cluster::Simulated(_) => "default",
        };
        command.args(["--mode", "normal", "--log-format", "text", "--k8s-namespace", namespace]);
        let log = self.folder.path().join(format!("{name}.log"));
        let running = Running::start(&command, &log).unwrap();
        Operator { running, log }
    }

    /// Waits until the operator has registered the resource.
    pub(crate) fn await_definition(&self, within: Duration) {
        await_true(within, "the resource is not served", || {
            self.block_on(self.nodes().list(&kube::api::ListParams::default())).is_ok()
        });
    }

    pub(crate) fn create(&self, fleet: &Fleet) {
        let api = self.nodes();
        for object in fleet.objects() {
            let object: DynamicObject = serde_json::from_value(object).unwrap();
            self.block_on(api.create(&PostParams::default(), &object)).unwrap();
        }
    }

    /// Waits until every node has exactly so many addresses in its pool.
    pub(crate) fn await_addresses(&self, fleet: &Fleet, addresses: usize, within: Duration) {
        await_true(within, "not every node has its addresses", || {
            self.nodes_with(addresses) == fleet.len()
        });
    }

    /// Waits until the first nodes have their addresses.
    pub(crate) fn await_some_addresses(&self, fleet: &Fleet, addresses: usize, within: Duration) {
        await_true(within, "no node has its addresses", || {
            self.nodes_with(addresses) >= fleet.len() / 10
        });
    }

    fn nodes_with(&self, addresses: usize) -> usize {
        let listed = self.block_on(self.nodes().list(&kube::api::ListParams::default())).unwrap();
        let pool = |node: &DynamicObject| {
            let pool = node.data["spec"]["ipam"]["pool"].as_object();
            let on_an_eni = |entry: &Value| entry["resource"].as_str().is_some();
            pool.map_or(0, |pool| pool.values().filter(|entry| on_an_eni(entry)).count())
        };
        listed.iter().filter(|node| pool(node) == addresses).count()
    }

    /// Lets somebody write into `status.eni` of a node.
    pub(crate) fn write_status(&self, node: &str, manager: &str) {
        let params =
            PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
        let change =
            json!({"status": {"eni": {"enis": {"eni-00000000": {"description": "theirs"}}}}});
        let (api, change) = (self.nodes(), Patch::Merge(change));
        let written = api.patch_status(node, &params, &change);
        self.block_on(written).unwrap();
    }

    /// Where EC2's truth contradicts itself: `[]` when it does not.
    pub(crate) fn audit(&self) -> String {
        format!("{:?}", self.ec2.with(|ec2, _| ec2.audit()))
    }

    /// How many calls changed something at EC2.
    pub(crate) fn mutations(&self) -> usize {
        self.ec2.with(|ec2, _| {
            let counters = ec2.counters();
            let changed = counters.iter().filter(|(name, _)| !is_reading(name));
            let done = changed.map(|(_, it)| it.calls - it.errors.values().sum::<u64>());
            usize::try_from(done.sum::<u64>()).unwrap()
        })
    }

    /// The writes of `CiliumNodes` by the operator that the API server carried out, by name where it says so.
    pub(crate) fn operator_writes(&self) -> Vec<String> {
        match &self.cluster {
            Cluster::Real(kubernetes) => writes_in(&kubernetes.audit_log().unwrap()),
            Cluster::Simulated(sim) => {
                let ours = sim.counters().count(|counted| {
                    counted.client == ACCOUNT
                        && counted.verb.is_write()
                        && counted.resource.starts_with("ciliumnodes")
                        && (200..300).contains(&counted.code)
                });
                vec![String::from("some node"); usize::try_from(ours).unwrap()]
            }
        }
    }

    fn nodes(&self) -> Api<DynamicObject> {
        let resource = ApiResource::erase::<cilium_node::CiliumNode>(&());
        Api::all_with(self.admin.clone(), &resource)
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

fn is_reading(action: &str) -> bool {
    ["Describe", "Get"].iter().any(|verb| action.starts_with(verb))
}

/// The nodes whose `CiliumNode` the operator wrote.
fn writes_in(audit_log: &Path) -> Vec<String> {
    let writes = writes_of("operator", audit_log).unwrap();
    let of_nodes = writes.into_iter().filter(|write| write.resource == "ciliumnodes");
    of_nodes.map(|write| write.name).collect()
}

/// What was written more than `times`.
pub(crate) fn more_than(times: usize, writes: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in writes {
        *counts.entry(name).or_default() += 1;
    }
    counts.retain(|_, count| *count > times);
    format!("written more than {times} times: {counts:?}")
}

/// A running operator.
pub(crate) struct Operator {
    running: Running,
    log: PathBuf,
}

impl Operator {
    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Asks it to end, as a kubelet does: it ends with 0 within 10 seconds.
    #[track_caller]
    pub(crate) fn stopped_in_good_order(mut self) {
        self.running.signal("TERM").unwrap();
        let ended = self.running.ended(ENDS).unwrap();
        let code = ended.and_then(|status| status.code());
        assert_eq!(code, Some(0), "{}", self.log());
    }

    /// Kills it.
    pub(crate) fn killed(mut self) {
        self.running.signal("KILL").unwrap();
        let ended = self.running.ended(ENDS).unwrap();
        assert_eq!(ended.and_then(|status| status.code()), Some(128 + 9));
    }
}
