//! A made-up run: what is shown to the test that looks on.

use std::io::{self, IsTerminal as _, Write as _};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use ec2_sim::latency::Profile;
use ec2_sim::staleness::Mode;
use ec2_sim::throttle;
use playground::moment::{Moment, Node, NodeState};
use playground::news;
use playground::plan::{Ec2, Expected, Network, Plan, Pods};
use playground::view::{Screen, Show};

/// A run that nobody ends is over after so many moments.
const MOMENTS: u32 = 1_500;

/// The first and the last node. They share no character with others at the same place, so that they are written as a whole where they
/// take the place of others.
pub(crate) const FIRST: &str = "THE-FIRST";
pub(crate) const LAST: &str = "THE-LAST";

/// Between two moments. Each of them is half a second later for who looks on.
const PAUSE: Duration = Duration::from_millis(20);

/// Shows the run until it is ended. It says `closed` when the terminal was given back.
pub(crate) fn show(how: &str) -> Result<()> {
    if io::stdout().is_terminal() {
        // The terminal is that of this process, so that keys and sizes reach it alone.
        rustix::process::setsid()?;
        rustix::process::ioctl_tiocsctty(io::stdout())?;
    }
    let wanted = match how {
        "lines" => Show::Lines,
        "stderr" => Show::LinesToStderr,
        _ => Show::Live,
    };
    let mut screen = Screen::open(&plan(), wanted)?;
    let mut shown = 0;
    while !screen.wants_to_end() {
        ensure!(shown < MOMENTS, "nobody ended it");
        screen.show(&moment(shown), &news())?;
        shown += 1;
        match (how, shown) {
            ("panic", 3) => made_up_panic(how),
            ("panic elsewhere", 3) => {
                // That it panics is what is wanted of it.
                let _ = thread::spawn(|| made_up_panic("panic")).join();
            }
            ("panic elsewhere", 10) => break,
            ("drop", 3) => {
                drop(screen);
                return Ok(writeln!(io::stdout(), "dropped")?);
            }
            _ => thread::sleep(PAUSE),
        }
    }
    screen.close()?;
    // Nobody may read it any more.
    let _ = writeln!(io::stdout(), "closed");
    Ok(())
}

fn made_up_panic(how: &str) {
    assert!(how != "panic", "a made-up panic");
}

fn moment(shown: u32) -> Moment {
    let nodes = (0..40).map(|node| Node {
        name: match node {
            0 => FIRST.to_owned(),
            39 => LAST.to_owned(),
            _ => format!("general-{node}"),
        },
        instance_type: "m5.large".to_owned(),
        zone: "eu-west-1a".to_owned(),
        state: NodeState::Ready,
        free: 7,
        used: node % 20,
        enis: 2,
        capacity: 27,
        ..Node::default()
    });
    let at = Duration::from_millis(500) * shown;
    Moment { at, nodes: nodes.collect(), operator: "ready".to_owned(), ..Moment::default() }
}

fn news() -> Vec<news::Line> {
    let (at, text) = (Duration::ZERO, "a made-up trouble".to_owned());
    vec![news::Line { at, text, is_trouble: true }]
}

fn plan() -> Plan {
    let cidr = ipnet::Ipv4Net::default();
    Plan {
        name: "made-up".to_owned(),
        description: String::new(),
        length: Duration::from_mins(1),
        seed: 1,
        network: Network { cidr, secondary_cidrs: Vec::new(), subnets: Vec::new() },
        nodes: Vec::new(),
        pods: Pods { per_second: 0.0, lifetime: Duration::ZERO, at_start: 0, per_node: 0 },
        timeline: Vec::new(),
        ec2: Ec2 {
            latency: Profile::default(),
            staleness: Mode::default(),
            buckets: throttle::Settings::default(),
            faults: Vec::new(),
            denied: Vec::new(),
        },
        operator: Vec::new(),
        agent: Vec::new(),
        expected: Expected::default(),
    }
}
