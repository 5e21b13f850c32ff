//! What is seen, as text: one thing a line.
//!
//! ```text
//! at 12s of 60s
//! scenario burst
//! about Forty pods come at once.
//! operator ready
//! node a-1 m5.large eu-west-1a ready used 8 free 10 cooling 2 promised 0 enis 2 prefixes 1 max 27
//! blocked SubnetsExhausted no address is left     (of the node before it)
//! pods running 43 waiting 2 started 61 refused 3
//! waiting 4200 default/web-1 a-1 no free address  (milliseconds; `-` where it has no node)
//! call CreateNetworkInterface made 3 throttled 1 failed 0 refill 5 late 2
//! news 3 a node has joined
//! trouble 5 EC2 throttles
//! finding 10.0.0.1 was given to two pods
//! colours no          prefixes yes          scroll 3
//! ```

use std::time::Duration;

use crate::moment::{Bucket, Calls, Moment, Node, NodeState, Waiting};
use crate::news;
use crate::view::draw::Scene;
use crate::view::facts::{Facts, Ink};
use crate::view::history::Rates;

/// What is seen, owned.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) facts: Facts,
    pub(super) moment: Moment,
    pub(super) rates: Rates,
    pub(super) news: Vec<news::Line>,
    pub(super) scroll: usize,
}

impl Seen {
    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            facts: &self.facts,
            moment: &self.moment,
            rates: &self.rates,
            news: &self.news,
            scroll: self.scroll,
        }
    }

    pub(super) fn nothing() -> Self {
        let facts = Facts {
            scenario: "steady".to_owned(),
            description: String::new(),
            length: Duration::from_mins(1),
            seed: 7,
            has_prefixes: false,
            ink: Ink { has_colours: true },
        };
        let (moment, rates, news) = (Moment::default(), Rates::new(), Vec::new());
        Self { facts, moment, rates, news, scroll: 0 }
    }

    pub(super) fn read(text: &str) -> Self {
        let mut seen = Self::nothing();
        seen.read_more(text);
        seen
    }

    pub(super) fn read_more(&mut self, text: &str) {
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (word, rest) = line.split_once(' ').expect("a word and what it says");
            self.read_line(word, rest);
        }
    }

    fn read_line(&mut self, word: &str, rest: &str) {
        match word {
            "at" => {
                let (at, length) = rest.split_once(" of ").expect("at 1s of 60s");
                self.moment.at = seconds(at);
                self.facts.length = seconds(length);
            }
            "scenario" => rest.clone_into(&mut self.facts.scenario),
            "about" => rest.clone_into(&mut self.facts.description),
            "operator" => rest.clone_into(&mut self.moment.operator),
            "colours" => self.facts.ink.has_colours = rest == "yes",
            "prefixes" => self.facts.has_prefixes = rest == "yes",
            "scroll" => self.scroll = rest.parse().expect("a number"),
            "node" => self.moment.nodes.push(node(rest)),
            "blocked" => {
                let (label, words) = rest.split_once(' ').unwrap_or((rest, ""));
                let node = self.moment.nodes.last_mut().expect("a node before it");
                node.blocked.push((label.to_owned(), words.to_owned()));
            }
            "pods" => {
                let pods = &mut self.moment.pods;
                pods.running = number(rest, "running").into();
                pods.waiting = number(rest, "waiting").into();
                pods.started = number(rest, "started").into();
                pods.refused = number(rest, "refused").into();
            }
            "waiting" => self.moment.waiting.push(waiting(rest)),
            "call" => self.call(rest),
            "finding" => self.moment.findings.push(rest.to_owned()),
            "news" | "trouble" => {
                let (at, text) = rest.split_once(' ').expect("when and what");
                let (at, text) = (seconds(at), text.to_owned());
                self.news.push(news::Line { at, text, is_trouble: word == "trouble" });
            }
            other => panic!("no line begins with `{other}`"),
        }
    }

    fn call(&mut self, rest: &str) {
        let action: &'static str = Box::leak(rest.split(' ').next().expect("an action").into());
        let refill = number(rest, "refill");
        let bucket = Bucket { capacity: 100.0, refill_per_second: refill.into() };
        let calls = Calls {
            made: number(rest, "made").into(),
            throttled: number(rest, "throttled").into(),
            failed: number(rest, "failed").into(),
            bucket: (refill > 0).then_some(bucket),
        };
        self.moment.calls.insert(action, calls);
        self.rates.insert(action, f64::from(number(rest, "late")) / 10.0);
    }
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs(text.trim_end_matches('s').parse().expect("seconds"))
}

/// The number that follows a word; zero if the word is not there.
fn number(text: &str, word: &str) -> u32 {
    let mut words = text.split(' ').skip_while(|one| *one != word);
    words.nth(1).map_or(0, |number| number.parse().expect("a number"))
}

fn node(text: &str) -> Node {
    let words: Vec<&str> = text.split(' ').collect();
    let state = match words[3] {
        "joining" => NodeState::Joining,
        "ready" => NodeState::Ready,
        "draining" => NodeState::Draining,
        "silent" => NodeState::Silent,
        "foreign" => NodeState::Foreign,
        other => panic!("no node is `{other}`"),
    };
    Node {
        name: words[0].to_owned(),
        instance_type: words[1].to_owned(),
        zone: words[2].to_owned(),
        state,
        free: number(text, "free"),
        used: number(text, "used"),
        cooling: number(text, "cooling"),
        promised: number(text, "promised"),
        enis: number(text, "enis"),
        prefixes: number(text, "prefixes"),
        capacity: number(text, "max"),
        blocked: Vec::new(),
    }
}

fn waiting(text: &str) -> Waiting {
    let words: Vec<&str> = text.splitn(4, ' ').collect();
    Waiting {
        since: Duration::from_millis(words[0].parse().expect("milliseconds")),
        pod: words[1].to_owned(),
        node: (words[2] != "-").then(|| words[2].to_owned()),
        why: words[3].to_owned(),
    }
}
