//! Scenes as text, a step a line.
//!
//! | step | what it does |
//! |---|---|
//! | `flags --mode observe` | for the operators started from then on |
//! | `subnet a zone a 10.0.0.0/24 pods=yes` | a subnet, tags last |
//! | `group b app=web`, `table b subnets a,b` | a security group, a route table |
//! | `node node-1 m5.large in a per-ip {"spec": …}` | instance, agent and object; the JSON is merged into the object |
//! | `instance node-1 m5.large in a groups b` | an instance before its node |
//! | `foreign node-1 index 1 in a key=value` | somebody else's interface |
//! | `start x`, `stop x`, `kill x` | an operator; `kill` is no farewell |
//! | `agent node-1 uses 9`, `agent node-1 silent`, `agent node-1 cidr` | what an agent does from then on |
//! | `pods node-1 web 3`, `host-pods node-1 web 3`, `run web 3` | pods that wait, and that have got addresses |
//! | `fault {…}`, `kube-fault {…}`, `clear` | faults of EC2 and of the Kubernetes API, and the end of all faults and edits |
//! | `stale` | EC2's reads lag behind as far as they ever do |
//! | `terminate node-1` | its instance ends |
//! | `leave a 3`, `leave-blocks a 0` | somebody takes all but so many addresses or blocks of a subnet |
//! | `allow x ACTION,…` | all that an operator may ask of EC2 |
//! | `wait 30s` | |
//! | `until 30s node-1 pool 15 enis 3` | waits until that is so, and fails when it takes longer |
//! | `expect node-1 pool 15`, `blocked node-1 InstanceFull`, `free node-1` | what is so now |
//! | `until-blocked 30s node-1 SubnetsExhausted`, `until-free 30s node-1` | |
//! | `told node-1 TEXT`, `until-told 30s node-1 TEXT` | what the agent is told of why there is nothing more; `-` for nothing |
//! | `expect-made 2`, `until-made 60s 0` | how many interfaces there are that Berth made |
//! | `metric SERIES 15` | |
//! | `mark` | counts start anew |
//! | `calls AttachNetworkInterface 2`, `mutations 5`, `writes 4`, `writes-at-most 6` | since the mark |
//!
//! Every scene ends with the checks of `Rig::finish`, and says in its last steps how many mutations and writes it cost.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ec2_sim::model::Tags;
use ec2_sim::staleness;
use ec2_sim::world::Principal;
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::rig::agent::Generation;
use crate::rig::cluster::id;

/// Plays a scene, checks what holds at its end, and returns the cluster as it is then.
pub(crate) async fn scene(text: &str) -> Rig {
    scene_on(Rig::new(), text).await
}

/// The same on a cluster that exists.
pub(crate) async fn scene_on(rig: Rig, text: &str) -> Rig {
    for count in ["mutations", "writes"] {
        let says = text.lines().any(|line| line.trim_start().starts_with(count));
        assert!(says, "a scene says how many {count} there were");
    }
    let rig = play(rig, text).await;
    rig.finish().await;
    rig
}

/// Plays steps and checks nothing but what they say.
pub(crate) async fn play(mut rig: Rig, text: &str) -> Rig {
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let step = Step::of(line);
        if !(step.build(&mut rig) || step.disturb(&mut rig) || step.act(&mut rig).await) {
            step.check(&rig).await;
        }
    }
    rig
}

/// A line: its first word, the other words, and the JSON at its end.
struct Step<'a> {
    line: &'a str,
    verb: &'a str,
    words: Vec<&'a str>,
    json: Value,
}

fn time(text: &str) -> Duration {
    let (number, unit) = text.split_at(text.find(char::is_alphabetic).unwrap());
    let number: u64 = number.parse().unwrap();
    match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(60 * number),
        other => panic!("no unit {other}"),
    }
}

fn tags(words: &[&str]) -> Tags {
    let pair = |word: &&str| {
        let (key, value) = word.split_once('=').unwrap();
        (key.to_owned(), value.to_owned())
    };
    words.iter().map(pair).collect()
}

fn generation(word: &str) -> Generation {
    match word {
        "per-ip" => Generation::PerIp,
        "cidr" => Generation::Cidr,
        other => panic!("no contract is called {other}"),
    }
}

impl<'a> Step<'a> {
    fn of(line: &'a str) -> Self {
        let (words, json) = line.find('{').map_or((line, "null"), |at| match &line[..at] {
            before if before.starts_with("metric ") => (line, "null"),
            before => (before, &line[at..]),
        });
        let mut words = words.split_whitespace();
        let verb = words.next().unwrap();
        let json = serde_json::from_str(json).unwrap_or_else(|error| panic!("{line}: {error}"));
        Self { line, verb, words: words.collect(), json }
    }

    fn number(&self, position: usize) -> usize {
        self.words[position].parse().unwrap_or_else(|_| panic!("{}: expected a number", self.line))
    }

    /// Steps that make something. Answers whether this is one.
    fn build(&self, rig: &mut Rig) -> bool {
        match (self.verb, &self.words[..]) {
            ("flags", flags) => rig.flags(flags.iter().copied()),
            ("subnet", [name, "zone", zone, cidr, more @ ..]) => {
                rig.add_subnet(name, zone, cidr, tags(more));
            }
            ("group", [name, more @ ..]) => rig.add_group(name, tags(more)),
            ("table", [name, "subnets", subnets]) => {
                rig.add_route_table(name, &subnets.split(',').collect::<Vec<_>>());
            }
            ("instance", [node, kind, "in", subnet, "groups", groups]) => {
                rig.add_instance(node, kind, subnet, &groups.split(',').collect::<Vec<_>>());
            }
            ("node", [node, kind, "in", subnet, contract]) => {
                let members = if self.json.is_null() { json!({}) } else { self.json.clone() };
                rig.add_node(node, kind, subnet, generation(contract), &members);
            }
            ("foreign", [node, "index", index, "in", subnet, more @ ..]) => {
                rig.add_foreign(node, subnet, index.parse().unwrap(), tags(more));
            }
            _ => return false,
        }
        true
    }

    /// Steps that make things hard. Answers whether this is one.
    fn disturb(&self, rig: &mut Rig) -> bool {
        match (self.verb, &self.words[..]) {
            ("fault", []) => {
                let rule = serde_json::from_value(self.json.clone()).unwrap();
                rig.ec2.with(|ec2, _| ec2.build().faults().add(rule));
            }
            ("kube-fault", []) => {
                rig.kube.add_fault(serde_json::from_value(self.json.clone()).unwrap());
            }
            ("clear", []) => {
                rig.kube.clear_faults();
                rig.edits.store(false, Ordering::Relaxed);
                rig.ec2.with(|ec2, _| ec2.build().faults().clear());
            }
            ("stale", []) => rig.stale(staleness::Mode::Adversarial),
            ("terminate", [node]) => rig.terminate(node),
            ("leave", [subnet, left]) => {
                let (subnet, left) = (id("subnet-", subnet), left.parse().unwrap());
                rig.ec2.with(|ec2, _| ec2.build().leave_addresses(&subnet, left)).unwrap();
            }
            ("leave-blocks", [subnet, left]) => {
                let (subnet, left) = (id("subnet-", subnet), left.parse().unwrap());
                rig.ec2.with(|ec2, _| ec2.build().leave_blocks(&subnet, left)).unwrap();
            }
            ("allow", [operator, actions]) => {
                let actions = actions.split(',').map(|name| {
                    ec2_sim::Action::find(name).unwrap_or_else(|| panic!("no action {name}"))
                });
                let principal = Principal {
                    account: "123456789012".to_owned(),
                    allowed: Some(actions.collect()),
                };
                let key = format!("operator-{operator}");
                rig.ec2.with(|ec2, _| ec2.build().principal(&key, principal));
            }
            _ => return false,
        }
        true
    }

    /// Steps in which somebody does something. Answers whether this is one.
    async fn act(&self, rig: &mut Rig) -> bool {
        match (self.verb, &self.words[..]) {
            ("start", [operator]) => rig.start_operator(operator),
            ("stop", [operator]) => rig.stop_operator(operator).await,
            ("kill", [operator]) => rig.kill_operator(operator),
            ("agent", [node, "uses", pods]) => rig.agent(node).use_addresses(pods.parse().unwrap()),
            ("agent", [node, "silent"]) => rig.agent(node).be_silent(true),
            ("agent", [node, "speaks"]) => rig.agent(node).be_silent(false),
            ("agent", [node, contract]) => rig.agent(node).become_generation(generation(contract)),
            ("pods", [node, prefix, _]) => rig.add_pods(node, prefix, self.number(2), false).await,
            ("host-pods", [node, prefix, _]) => {
                rig.add_pods(node, prefix, self.number(2), true).await;
            }
            ("run", [prefix, _]) => rig.pods_run(prefix, self.number(1)).await,
            ("delete", [node]) => rig.delete_node(node).await,
            ("wait", [length]) => rig.wait(time(length)).await,
            ("mark", []) => rig.mark(),
            _ => return false,
        }
        true
    }

    /// Steps that say what is so.
    async fn check(&self, rig: &Rig) {
        match (self.verb, &self.words[..]) {
            ("until", [within, node, figures @ ..]) => {
                rig.until(time(within), |rig| differs(rig, node, figures)).await;
            }
            ("expect", [node, figures @ ..]) => {
                self.none(rig, differs(rig, node, figures).as_deref());
            }
            ("blocked", [node, reason]) => self.none(rig, lacks(rig, node, reason).as_deref()),
            ("until-blocked", [within, node, reason]) => {
                rig.until(time(within), |rig| lacks(rig, node, reason)).await;
            }
            ("free", [node]) => self.none(rig, held_back(rig, node).as_deref()),
            ("until-free", [within, node]) => {
                rig.until(time(within), |rig| held_back(rig, node)).await;
            }
            ("told", [node, text @ ..]) => self.none(rig, is_told(rig, node, text).as_deref()),
            ("until-told", [within, node, text @ ..]) => {
                rig.until(time(within), |rig| is_told(rig, node, text)).await;
            }
            ("expect-made", [_]) => self.counts(rig, rig.made_by_berth().len(), self.number(0)),
            ("until-made", [within, _]) => {
                let expected = self.number(1);
                rig.until(time(within), |rig| {
                    let found = rig.made_by_berth().len();
                    (found != expected).then(|| format!("{found} interfaces, not {expected}"))
                })
                .await;
            }
            ("metric", [series, value]) => {
                let found = rig.metric(series);
                assert_eq!(found, Some(value.parse().unwrap()), "{}", self.line);
            }
            ("calls", [action, _]) => self.counts(rig, rig.calls(action), self.number(1)),
            ("mutations", [_]) => self.counts(rig, rig.mutations(), self.number(0)),
            ("writes", [_]) => {
                self.counts(rig, rig.writes().try_into().unwrap(), self.number(0));
            }
            ("writes-at-most", [_]) => {
                let (found, most) = (rig.writes(), self.number(0) as u64);
                assert!(found <= most, "{}: {found}\n{}", self.line, rig.describe());
            }
            _ => panic!("no step: {}", self.line),
        }
    }

    fn none(&self, rig: &Rig, wrong: Option<&str>) {
        assert_eq!(wrong, None, "{}\n{}", self.line, rig.describe());
    }

    fn counts(&self, rig: &Rig, found: usize, expected: usize) {
        assert_eq!(found, expected, "{}\n{}", self.line, rig.describe());
    }
}

/// What of `pool 15 enis 3` is not so.
fn differs(rig: &Rig, node: &str, figures: &[&str]) -> Option<String> {
    figures.chunks(2).find_map(|figure| {
        let [what, expected] = figure else { panic!("{figures:?}: expected pairs") };
        let found = rig.figure(node, what);
        let expected: usize = expected.parse().unwrap();
        (found != expected).then(|| format!("{node}: {what} {found}, not {expected}"))
    })
}

/// What the agent of a node is told, if it is not `text`.
fn is_told(rig: &Rig, node: &str, text: &[&str]) -> Option<String> {
    let found = rig.told(node);
    (found != text.join(" ")).then(|| format!("{node}: told {found:?}, not {text:?}"))
}

fn lacks(rig: &Rig, node: &str, reason: &str) -> Option<String> {
    let blocked = rig.blocked(node);
    (!blocked.iter().any(|it| it == reason))
        .then(|| format!("{node}: blocked {blocked:?}, not {reason}"))
}

fn held_back(rig: &Rig, node: &str) -> Option<String> {
    let blocked = rig.blocked(node);
    (!blocked.is_empty()).then(|| format!("{node}: blocked {blocked:?}"))
}
