//! The cluster that scenarios run on, and what is said of it when one fails.

use std::io::{self, Write};
use std::process::Output;
use std::thread::sleep;
use std::time::{Duration, Instant};

use real::cluster::{Cluster, Node, Options};

/// Many times what anything takes on a busy machine.
pub(crate) const SOON: Duration = Duration::from_mins(3);
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Of each log when something failed.
const LOG_LINES: usize = 60;

/// A cluster, with the name of the test that it is for.
pub(crate) struct Bed {
    pub(crate) cluster: Cluster,
    title: &'static str,
    begin: Instant,
    masquerades: bool,
}

impl Bed {
    pub(crate) fn up(title: &'static str, options: &Options) -> Self {
        let begin = Instant::now();
        let cluster = Cluster::up(options, &|text| say(title, begin, text)).unwrap();
        let bed = Self { cluster, title, begin, masquerades: false };
        bed.say("the cluster is up");
        bed
    }

    /// Notes that what leaves the VPC is to be masqueraded.
    pub(crate) fn masquerades(&mut self) {
        self.masquerades = true;
    }

    pub(crate) fn is_masquerading(&self) -> bool {
        self.masquerades
    }

    /// Says what happens, also where the test harness keeps the output of tests to itself.
    pub(crate) fn say(&self, text: &str) {
        say(self.title, self.begin, text);
    }

    /// Fails when the VPC has dropped a packet because of its source.
    #[track_caller]
    pub(crate) fn check_drops(&self) {
        assert_eq!(self.cluster.drops().unwrap(), 0, "packets left by a wrong interface");
    }

    /// Says what a failure cannot be understood without.
    pub(crate) fn explain(&self) {
        for node in self.cluster.nodes() {
            let name = node.name();
            for command in [
                "ip rule show",
                "ip -6 rule show",
                "ip route show table all type unicast",
                "ip -br address show",
                "berth-agent status --all",
            ] {
                let words: Vec<&str> = command.split(' ').collect();
                self.say(&format!("{name}: {command}\n{}", shown(node, &words)));
            }
            for program in ["berth-agent", "kubelet", "containerd"] {
                self.say(&format!("{name}: the log of {program}\n{}", tail(&node.log(program))));
            }
        }
        self.say(&format!("the log of the operator\n{}", tail(&self.cluster.operator_log())));
        let events = self.cluster.kubectl(&["get", "events", "--all-namespaces"]);
        self.say(&format!("events\n{}", tail(&events.unwrap_or_else(|error| error.to_string()))));
    }
}

/// What a program of a node prints. It ends with 0.
#[track_caller]
pub(crate) fn run(node: &Node, command: &[&str]) -> String {
    let output = node.run(command).unwrap();
    let said = everything(&output);
    assert!(output.status.success(), "{} on {}: {said}", command.join(" "), node.name());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a script of `sh` prints. It ends with 0.
#[track_caller]
pub(crate) fn script(node: &Node, text: &str) -> String {
    run(node, &["sh", "-ec", text])
}

/// Looks until what is looked for is there.
#[track_caller]
pub(crate) fn until<T>(otherwise: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let begin = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(why) => assert!(begin.elapsed() < SOON, "{otherwise} after {SOON:?}: {why}"),
        }
        sleep(LOOK_EVERY);
    }
}

/// An error that shows both where they differ.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(one: &T, other: &T) -> Result<(), String> {
    if one == other { Ok(()) } else { Err(format!("{one:#?}\nis not\n{other:#?}")) }
}

fn say(title: &str, begin: Instant, text: &str) {
    let seconds = begin.elapsed().as_secs_f32();
    writeln!(io::stderr(), "{title} {seconds:5.1} s: {text}").unwrap();
}

fn shown(node: &Node, command: &[&str]) -> String {
    node.run(command).map_or_else(|error| error.to_string(), |output| everything(&output))
}

fn everything(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}
