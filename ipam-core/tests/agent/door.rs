//! The one door of the scenarios: a script of what happens to an agent, compared with what comes out of it.
//!
//! One command a line, one line of outcome each: what was answered, published and noticed because of it. `at 5s` in front of a
//! command says when it is; without it no time has passed. Records are on disk at once unless the script says `hold`.
//!
//! | command | what happens |
//! |---|---|
//! | `settings contract=cidr ipv6 pre=8 ...` | an agent without a state that behaves like that |
//! | `set contract=cidr ...` | how the next agent behaves |
//! | `start`, `restart` with `untrusted`, `instance=i-2`, `instance=?`, `boot=other` | an agent without, or with what is on disk |
//! | `metadata eni-1#0=10.0.0.4*,10.0.0.5,10.0.1.0/28 ...` | interfaces with device index; `*` is the primary address |
//! | `host eni-2 eni-3=no-device ...` | the interfaces that the host's network is ready for, and why not for others |
//! | `word eni-1#0=... pool=... marked=... blocked=...` | the `CiliumNode`; what the agent writes is as it was written last |
//! | `add c1 a/x`, `del c1`, `check c1 10.0.0.5`, `gc net c1 c2`, `status` | CNI calls of the container |
//! | `allocate ipv4,ipv6 router`, `exact 10.0.0.5 router`, `claim 10.0.0.5 1`, `release 10.0.0.5` | calls of `/v1/ipam` |
//! | `abandon c1` | whoever made the call is gone |
//! | `hold`, `flush`, `fail` | records wait, get to the disk, or do not |
//! | `written`, `failed` | the end of a publication |

use std::collections::BTreeMap;

use crate::rig::Rig;
use crate::text::{lines, time};

/// Runs `script` and compares what came out of it.
#[track_caller]
pub(crate) fn check(script: &str, expected: &str) {
    let mut rig = Rig::default();
    let outcome: Vec<String> = lines(script).map(|line| command(&mut rig, line)).collect();
    let expected: Vec<&str> = lines(expected).collect();
    if outcome != expected {
        let pairs = lines(script).zip(&outcome).zip(expected.iter().chain(std::iter::repeat(&"")));
        let differing = pairs.filter(|((_, outcome), expected)| outcome != *expected);
        let differing: Vec<String> = differing
            .map(|((line, outcome), expected)| format!("{line}\n  is  {outcome}\n  not {expected}"))
            .collect();
        panic!("{}\nall of it:\n{}", differing.join("\n"), outcome.join("\n"));
    }
}

fn command(rig: &mut Rig, line: &str) -> String {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if words[0] == "at" {
        rig.now = time(words[1]);
        words.drain(..2);
    }
    let named: BTreeMap<&str, &str> =
        words[1..].iter().filter_map(|it| it.split_once('=')).collect();
    match words[..] {
        ["settings", ..] => {
            rig.set(&words[1..]);
            rig.start(&[]);
        }
        ["set", ..] => rig.set(&words[1..]),
        ["start", ..] => rig.start(&words[1..]),
        ["restart", ..] => rig.restart(&words[1..]),
        ["metadata", ..] => rig.metadata(&words[1..]),
        ["instance", id] => rig.instance(id),
        ["word", ..] => rig.word(&named),
        ["found", ..] => rig.found(&words[1..]),
        ["host", ..] => rig.host(&words[1..]),
        ["hold"] => rig.hold(true),
        ["flush"] => rig.hold(false),
        ["fail"] => rig.fail(),
        ["written"] => rig.published(None),
        ["failed"] => rig.published(Some("conflict")),
        ["tick"] => rig.tick(),
        ["abandon", name] => rig.abandon(name),
        ["deadline"] => return rig.deadline(),
        ["ready"] => return rig.ready(),
        ["problems"] => return rig.problems(),
        ["tally", family] => return rig.tally(family),
        ["cidrs"] => return or_nothing(rig.cidrs()),
        ["enis"] => return or_nothing(rig.enis()),
        ["holdings"] => return or_nothing(rig.holdings()),
        _ => rig.call(&words),
    }
    rig.outcome()
}

fn or_nothing(text: String) -> String {
    if text.is_empty() { "nothing".to_string() } else { text }
}
