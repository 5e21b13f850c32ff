//! A world as text: what the kernel has and what is wanted, a line for each thing.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use ipam_core::pool::Family;
use ipnet::IpNet;

use crate::host_net::words::{
    Kernel, Link, Masquerade, Numbers, Plan, Route, Rule, Selector, Step, Wanted, WantedEni,
};

/// What the kernel has, and what is wanted.
#[derive(Debug, Clone, Default)]
pub(in crate::host_net) struct World {
    pub(in crate::host_net) kernel: Kernel,
    pub(in crate::host_net) wanted: Wanted,
}

impl World {
    pub(in crate::host_net) fn parse(text: &str) -> Self {
        let mut world = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            world.line(line, &mut Words(line.split_whitespace().collect()));
        }
        world
    }

    fn line(&mut self, line: &str, words: &mut Words<'_>) {
        let Self { kernel, wanted } = self;
        match words.next() {
            "device" => {
                kernel.links.insert(words.parse(), link(words));
            }
            "address" => {
                kernel.addresses.insert((words.parse(), words.parse()));
            }
            "all" => kernel.reverse_path_of_all = words.after("rp_filter").unwrap(),
            "rule" => {
                kernel.rules.insert(rule(words));
            }
            "route" => {
                kernel.routes.insert(route(words));
            }
            "masqueraded" => kernel.masquerade = Some(masquerade(words)),
            "eni" => {
                wanted.enis.insert(words.parse(), eni(words));
            }
            "used" => {
                wanted.used.insert(words.parse(), words.after("on").unwrap());
            }
            "mtu" => wanted.mtu = Some(words.parse()),
            "masquerade" => wanted.masquerade = true,
            _ => panic!("{line}: no such thing"),
        }
        assert!(words.0.is_empty(), "{line}: what is {words:?}?");
    }
}

#[derive(Debug)]
struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    fn next(&mut self) -> &'a str {
        self.0.remove(0)
    }

    fn parse<T: FromStr<Err: std::fmt::Debug>>(&mut self) -> T {
        let word = self.next();
        word.parse().unwrap_or_else(|error| panic!("{word}: {error:?}"))
    }

    fn has(&mut self, name: &str) -> bool {
        let found = self.0.iter().position(|word| *word == name);
        found.map(|at| self.0.remove(at)).is_some()
    }

    /// The word after a name.
    fn after<T: FromStr<Err: std::fmt::Debug>>(&mut self, name: &str) -> Option<T> {
        let at = self.0.iter().position(|word| *word == name)?;
        self.0.remove(at);
        Some(self.0.remove(at).parse().unwrap())
    }

    fn all<T: FromStr<Err: std::fmt::Debug> + Ord>(&mut self, name: &str) -> BTreeSet<T> {
        std::iter::from_fn(|| self.after(name)).collect()
    }
}

fn link(words: &mut Words<'_>) -> Link {
    Link {
        name: words.next().into(),
        mac: words.next().into(),
        mtu: words.after("mtu").unwrap_or(1500),
        up: words.has("up"),
        enslaved: words.has("enslaved"),
        reverse_path: words.after("rp_filter"),
    }
}

fn eni(words: &mut Words<'_>) -> WantedEni {
    WantedEni {
        number: words.parse(),
        mac: words.next().into(),
        primary: words.after("primary"),
        subnet: words.after("subnet"),
        vpc: words.all("vpc"),
    }
}

fn rule(words: &mut Words<'_>) -> Rule {
    let priority: u32 = words.next().trim_end_matches(':').parse().unwrap();
    let table = words.after("table").unwrap();
    let selector = match words.next() {
        "from" => Selector::From(words.parse()),
        "to" => Selector::To(words.parse()),
        family => other(family, words),
    };
    Rule { priority, selector, table }
}

fn other(family: &str, words: &mut Words<'_>) -> Selector {
    let family = Family::ALL.into_iter().find(|known| known.to_string() == family).unwrap();
    match words.after::<String>("mark") {
        Some(mark) => {
            let mark = u32::from_str_radix(mark.trim_start_matches("0x"), 16).unwrap();
            Selector::Mark { family, mark }
        }
        None => Selector::Other { family, text: words.0.drain(..).collect::<Vec<_>>().join(" ") },
    }
}

fn route(words: &mut Words<'_>) -> Route {
    let destination = match words.next() {
        "default" => "0.0.0.0/0",
        "default6" => "::/0",
        destination => destination,
    };
    let destination: IpNet = destination.parse().unwrap();
    let metric = if destination.addr().is_ipv6() { 1024 } else { 0 };
    Route {
        table: words.after("table").unwrap(),
        destination,
        gateway: words.after("via"),
        device: words.after("device").unwrap(),
        protocol: words.after("protocol").unwrap_or(Numbers::default().protocol),
        metric: words.after("metric").unwrap_or(metric),
    }
}

fn masquerade(words: &mut Words<'_>) -> Masquerade {
    let except: Vec<_> = words.all("except").into_iter().collect();
    let from: Vec<_> = words.0.drain(..).map(|word| word.parse().unwrap()).collect();
    Masquerade::new(&from, &except)
}

/// A plan, a line for each step and problem.
pub(super) fn lines(plan: &Plan) -> Vec<String> {
    let steps = plan.steps.iter().map(|step| match step {
        Step::SetMasquerade(Some(all)) => {
            format!("masquerade {} except {}", list(&all.from), list(&all.except))
        }
        step => step.to_string(),
    });
    let problems = plan.problems.iter().map(|(eni, problem)| format!("{eni}: {problem}"));
    steps.chain(problems).collect()
}

fn list(cidrs: &BTreeSet<impl Display>) -> String {
    cidrs.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
