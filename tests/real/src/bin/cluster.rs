//! A cluster with nodes on this machine, for people: see `--help`.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};
use real::cluster::{Cluster, Contract, Ipam, Options, Parts, Record};
use tokio::signal::unix::{SignalKind, signal};

const EXAMPLE: &str = "\
Example:
  tests/real/cluster up --nodes 2 --prefix-delegation
  tests/real/cluster kubectl get nodes,ciliumnodes
  tests/real/cluster kubectl create deployment web --image localhost/app:1 --replicas 20
  tests/real/cluster run n1 berth-agent status
  tests/real/cluster down

As root. Pods run the image localhost/app:1, a busybox; no other image can be had.";

/// Ending takes seconds: every process of a machine is killed, and its devices go.
const END_TIMEOUT: Duration = Duration::from_mins(1);
const LOG: &str = "holder.log";

/// A Kubernetes cluster with kubelets and containerd on little machines, whose cloud is the simulated EC2.
#[derive(Debug, Parser)]
#[command(name = "cluster", after_help = EXAMPLE)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Starts a cluster, and returns when all nodes are ready. It runs until `down`.
    Up(Up),
    /// Runs kubectl as the cluster's administrator.
    Kubectl {
        #[command(flatten)]
        place: Place,
        /// What goes to kubectl.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Runs a program on a node (n1, n2 ...), in the control plane (control), or between all of them (vpc).
    Run {
        #[command(flatten)]
        place: Place,
        /// Where.
        node: String,
        /// What.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
    /// Says what runs, where its files are, and what the nodes look like.
    Status(Place),
    /// Ends the cluster and removes its folder.
    Down(Place),
    /// What `up` starts.
    #[command(hide = true)]
    Hold(Up),
}

#[derive(Debug, Clone, Args)]
struct Place {
    /// The cluster's folder; one for each user in the temporary folder if not given
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
struct Up {
    #[command(flatten)]
    place: Place,
    /// How many nodes
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    nodes: usize,
    /// The type of their instances
    #[arg(long, value_name = "TYPE", default_value = "m5.large")]
    instance_type: String,
    /// Lets the operator ask for blocks of 16 addresses
    #[arg(long)]
    prefix_delegation: bool,
    /// How agents and operator speak with each other
    #[arg(long, value_enum, default_value = "per-ip")]
    contract: ContractName,
    /// Who gives pods their addresses
    #[arg(long, value_enum, default_value = "berth")]
    ipam: IpamName,
    /// How many pods a kubelet takes
    #[arg(long, value_name = "COUNT", default_value_t = 110)]
    max_pods: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ContractName {
    PerIp,
    Cidr,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum IpamName {
    Berth,
    HostLocal,
}

impl Place {
    fn folder(&self) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| {
            // Whose it is.
            let user = rustix::process::getuid().as_raw();
            env::temp_dir().join(format!("berth-cluster-{user}"))
        })
    }

    fn record(&self) -> Result<Record> {
        let folder = self.folder();
        let record = Record::read(&folder);
        record
            .with_context(|| format!("no cluster runs in {}: start one with up", folder.display()))
    }
}

impl Up {
    fn options(&self) -> Options {
        Options {
            nodes: self.nodes,
            instance_type: self.instance_type.clone(),
            prefix_delegation: self.prefix_delegation,
            contract: match self.contract {
                ContractName::PerIp => Contract::PerIp,
                ContractName::Cidr => Contract::Cidr,
            },
            ipam: match self.ipam {
                IpamName::Berth => Ipam::Berth,
                IpamName::HostLocal => Ipam::HostLocal,
            },
            folder: Some(self.place.folder().join("cluster")),
            max_pods: self.max_pods,
            ..Options::default()
        }
    }
}

fn main() -> ExitCode {
    match act(Arguments::parse().action) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("cluster: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Nothing is left to be done when not even this can be said.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn act(action: Action) -> Result<ExitCode> {
    match action {
        Action::Up(arguments) => up(&arguments),
        Action::Hold(arguments) => hold(&arguments),
        Action::Down(place) => down(&place),
        Action::Status(place) => status(&place),
        Action::Kubectl { place, arguments } => {
            let kubectl = place.record()?.kubectl().context("the control plane is gone")?;
            become_(kubectl.command().args(arguments))
        }
        Action::Run { place, node, command } => {
            let record = place.record()?;
            let Some(door) = record.machines.get(&node) else {
                let names: Vec<_> = record.machines.keys().map(String::as_str).collect();
                bail!("{node}: expected one of {}", names.join(", "));
            };
            let mut inner = Command::new(&command[0]);
            become_(&mut door.command(inner.args(&command[1..])))
        }
    }
}

/// Becomes another program.
fn become_(command: &mut Command) -> Result<ExitCode> {
    Err(command.exec()).with_context(|| format!("{command:?}"))
}

/// Starts the process that holds the cluster, and waits until it says that all is ready.
fn up(arguments: &Up) -> Result<ExitCode> {
    let folder = arguments.place.folder();
    if Record::read(&folder).is_some() {
        bail!("a cluster runs in {}: end it with down", folder.display());
    }
    // Where it takes long, or fails, that is said here.
    Parts::ready(arguments.options().ipam)?;
    clear(&folder)?;
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let log = folder.join(LOG);
    let mut holder = Command::new(env::current_exe()?);
    holder.arg("hold").args(env::args_os().skip(2));
    holder.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&log)?);
    // Ctrl-c ends this process alone, and with it the input of the other.
    let mut holder = holder.process_group(0).spawn().context("start the cluster's holder")?;
    let output = holder.stdout.take().context("the cluster's holder has no output")?;
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        say(&line);
        if line.ends_with("ready") {
            let mut keep = holder.stdin.take().context("the cluster's holder has no input")?;
            keep.write_all(b"keep\n").context("tell the cluster's holder to stay")?;
            say(&format!("{EXAMPLE}\n\nfiles and logs: {}", folder.display()));
            return Ok(ExitCode::SUCCESS);
        }
    }
    holder.wait()?;
    bail!("no cluster:\n{}", fs::read_to_string(log).unwrap_or_default())
}

/// Removes what an earlier cluster left: files. What is not one's is not touched.
fn clear(folder: &Path) -> Result<()> {
    let cluster = folder.join("cluster");
    if cluster.exists() {
        fs::remove_dir_all(&cluster).with_context(|| format!("remove {}", cluster.display()))?;
    }
    for file in [LOG, "cluster.json"] {
        match fs::remove_file(folder.join(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Holds a cluster until somebody wants it to end.
fn hold(arguments: &Up) -> Result<ExitCode> {
    let start = Instant::now();
    thread::spawn(|| {
        let mut line = String::new();
        // Who started this is gone before it said that the cluster is to stay: everything ends with this process.
        if io::stdin().read_line(&mut line).unwrap_or(0) == 0 {
            std::process::exit(1);
        }
    });
    let tell = |what: &str| {
        // Nobody may listen any more.
        let _ = writeln!(io::stdout(), "{:5.1} s  {what}", start.elapsed().as_secs_f32());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // From now on, no signal is missed.
    let (mut terminate, mut interrupt) = runtime.block_on(async {
        Ok::<_, io::Error>((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
    })?;
    let quiet = |what: &str| {
        if what != "ready" {
            tell(what);
        }
    };
    let cluster = Cluster::up(&arguments.options(), &quiet)?;
    cluster.record().write(&arguments.place.folder())?;
    tell("ready");
    runtime.block_on(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    drop(cluster);
    Ok(ExitCode::SUCCESS)
}

fn down(place: &Place) -> Result<ExitCode> {
    let folder = place.folder();
    if let Some(record) = Record::read(&folder) {
        let id = record.holder.to_string();
        let sent = Command::new("kill").args(["-s", "TERM", &id]).status()?;
        ensure!(sent.success(), "the cluster's holder, process {id}, cannot be ended");
        let deadline = Instant::now() + END_TIMEOUT;
        while Record::read(&folder).is_some() {
            ensure!(Instant::now() < deadline, "process {id} has not ended after {END_TIMEOUT:?}");
            thread::sleep(Duration::from_millis(50));
        }
    }
    clear(&folder)?;
    // Where it is not empty, it is not ours alone.
    let _ = fs::remove_dir(&folder);
    Ok(ExitCode::SUCCESS)
}

fn status(place: &Place) -> Result<ExitCode> {
    let record = place.record()?;
    let machines: Vec<_> = record.machines.keys().map(String::as_str).collect();
    let mut out = io::stdout();
    writeln!(out, "machines  {}", machines.join(" "))?;
    writeln!(out, "holder    process {}", record.holder)?;
    writeln!(out, "files     {}", place.folder().join("cluster").display())?;
    if let Some(vpc) = record.machines.get("vpc") {
        let drops = vpc.run(&["fabric", "drops"])?;
        write!(out, "dropped by the VPC  {}", String::from_utf8_lossy(&drops.stdout))?;
    }
    let kubectl = record.kubectl().context("the control plane is gone")?;
    write!(out, "\n{}", kubectl.run(["get", "nodes,pods", "--all-namespaces", "-o", "wide"])?)?;
    Ok(ExitCode::SUCCESS)
}
