//! A cluster of machines starts, and nothing is left of it, however it ends.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use real::await_true;
use real::cluster::{Cluster, ClusterError, Options, Record};
use tempfile::TempDir;

#[cfg(test)]
mod pod;
#[cfg(test)]
mod system;

use system::{System, descendants};

/// Many times what ending takes on a busy machine.
const SOON: Duration = Duration::from_mins(1);

/// What there is before a test, which has the machine to itself for as long as it has this.
fn before() -> (MutexGuard<'static, ()>, System) {
    static ALONE: Mutex<()> = Mutex::new(());
    // A test that failed says so itself.
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    (alone, System::now())
}

fn one_node() -> Options {
    Options { nodes: 1, ..Options::default() }
}

/// Nothing that the system shows is there that was not there before. Devices and namespaces go a moment after the last process.
#[track_caller]
fn nothing_is_left(before: &System, processes: &[u32]) {
    await_true(SOON, "something is left", || {
        let now = System::now();
        let mut processes = processes.iter().copied().chain(descendants(std::process::id()));
        now.beyond(before).is_empty() && !processes.any(system::runs)
    });
}

#[test]
fn a_cluster_comes_grows_and_goes() {
    let (_alone, before) = before();
    let mut cluster =
        Cluster::up(&one_node(), &|_| {}).unwrap_or_else(|problem| panic!("{problem}"));
    let processes = descendants(std::process::id());
    let folder = cluster.folder().to_owned();
    let names = ["get", "nodes", "-o", "name"];
    assert_eq!(cluster.kubectl(&names).unwrap(), "node/n1\n");
    let hostname = cluster.node(0).run(&["hostname"]).unwrap();
    assert_eq!(String::from_utf8_lossy(&hostname.stdout), "n1\n");
    let place = cluster.add_node().unwrap_or_else(|problem| panic!("{problem}"));
    assert_eq!((place, cluster.node(place).name()), (1, "n2"));
    assert_eq!(cluster.kubectl(&names).unwrap(), "node/n1\nnode/n2\n");
    pod::runs(&cluster);
    cluster.stop_control_plane().unwrap();
    cluster.kubectl(&names).unwrap_err();
    cluster.start_control_plane().unwrap_or_else(|problem| panic!("{problem}"));
    assert_eq!(cluster.kubectl(&names).unwrap(), "node/n1\nnode/n2\n");
    let instance = cluster.node(place).instance().to_owned();
    cluster.remove_node(place).unwrap();
    let world = cluster.ec2("/_sim/world").unwrap();
    let instances = world["instances"].as_array().unwrap();
    let removed = instances.iter().find(|it| it["id"] == instance.as_str());
    assert!(removed.is_none_or(|it| it["state"] != "running"), "{removed:?}");
    drop(cluster);
    nothing_is_left(&before, &processes);
    assert!(!folder.exists());
}

#[test]
fn nothing_is_left_of_a_killed_holder() {
    let (_alone, before) = before();
    let folder = TempDir::new().unwrap();
    command("up", folder.path()).args(["--nodes", "1"]).status().unwrap();
    let record = Record::read(folder.path()).expect("no cluster");
    assert_eq!(record.machines.len(), 3, "{record:?}");
    let processes = descendants(record.holder);
    assert!(processes.len() > 10, "{processes:?}");
    assert!(!System::now().beyond(&before).is_empty(), "nothing of a cluster can be seen");
    let killed = Command::new("kill").args(["-s", "KILL", &record.holder.to_string()]).status();
    assert!(killed.unwrap().success());
    nothing_is_left(&before, &processes);
    assert_eq!(Record::read(folder.path()), None);
    // What is left are its files, and they are no obstacle.
    assert!(command("down", folder.path()).status().unwrap().success());
}

#[test]
fn a_person_starts_looks_and_ends() {
    let (_alone, before) = before();
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("mine");
    assert!(command("up", &folder).args(["--nodes", "1"]).status().unwrap().success());
    let said = |command: &mut Command| {
        let output = command.stderr(Stdio::inherit()).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let nodes = said(command("kubectl", &folder).args(["get", "nodes", "-o", "name"]));
    assert_eq!(nodes, (true, "node/n1\n".to_owned()));
    let status = said(command("run", &folder).args(["n1", "berth-agent", "status"]));
    assert!(status.0, "{status:?}");
    let (good, status) = said(&mut command("status", &folder));
    assert!(good && status.contains("control n1 vpc"), "{status}");
    assert!(!command("up", &folder).status().unwrap().success(), "two in one folder");
    assert!(command("down", &folder).status().unwrap().success());
    nothing_is_left(&before, &[]);
    assert!(!folder.exists());
}

#[test]
fn nothing_is_left_of_a_failed_start() {
    let (_alone, before) = before();
    // Kubelets, containerd and all else are there by then.
    let broken = ["--no-such-flag".to_owned()].to_vec();
    let folder = TempDir::new().unwrap();
    let folder = folder.path().join("cluster");
    let options =
        Options { operator_arguments: broken, folder: Some(folder.clone()), ..one_node() };
    let problem = Cluster::up(&options, &|_| {}).unwrap_err();
    assert!(matches!(problem, ClusterError::Ended { .. }), "{problem}");
    nothing_is_left(&before, &[]);
    let log = fs::read_to_string(folder.join("control/log/berth-operator.0.log")).unwrap();
    assert!(log.contains("--no-such-flag"), "{log}");
}

/// A command of the program for people.
fn command(action: &str, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cluster"));
    command.args([action, "--folder"]).arg(folder).stdin(Stdio::null());
    command
}
