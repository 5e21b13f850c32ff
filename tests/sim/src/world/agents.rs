//! What an agent does with its own object: the rules of `agent/src/kubernetes`.
//!
//! The members that an agent of the other contract left behind are not taken away here, since no node changes its contract.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use ipam_core::agent::{Publication, Published, Release};

use super::World;
use super::nodes::NodeWake;
use super::wire::Back;
use crate::api::{Answers, Ask, Object, Problem, Said};
use crate::node::Input;

/// How often a publication is tried when the object is another than was seen.
const ATTEMPTS: u32 = 2;

/// What becomes of a publication.
enum Body {
    /// It says so already.
    There,
    /// This is to be written.
    Write(Ask),
    /// It cannot be.
    Impossible(&'static str),
}

impl World {
    /// Lists the own object, and hears of all that changes from then on.
    pub(super) fn look(&mut self, index: usize) {
        let now = self.now;
        let away = self.weather.api_away;
        let Some(node) = self.nodes.get_mut(&index) else { return };
        if now < node.without_api.max(away) {
            return self.later_on(index, Duration::from_secs(1), NodeWake::Look);
        }
        let object = self.api.object(node.name()).cloned();
        let Some(process) = node.process.as_deref_mut() else { return };
        (process.has_looked, process.watched) = (true, now);
        self.see(index, object);
    }

    pub(super) fn hear(&mut self, index: usize, watch: u64, object: Option<Rc<Object>>) {
        let process = self.nodes.get(&index).and_then(|node| node.process.as_deref());
        let is_old = |process: &crate::node::Process| {
            let known = process.sight.as_ref().map(|object| object.version);
            process.watch != watch
                || object.as_ref().is_some_and(|object| Some(object.version) <= known)
        };
        if process.is_some_and(|process| !is_old(process)) {
            self.see(index, object);
        }
    }

    /// What the own object is now, by whatever way that was learned.
    fn see(&mut self, index: usize, object: Option<Rc<Object>>) {
        let Some(process) = self.nodes.get_mut(&index).and_then(|it| it.process.as_mut()) else {
            return;
        };
        process.sight.clone_from(&object);
        if let Some(object) = object {
            self.tell(index, &object);
        }
        self.keep(index);
    }

    /// Lets the machine hear what the own object says, if that is something else than before.
    fn tell(&mut self, index: usize, object: &Object) {
        let word = object.word();
        let process = self.nodes.get_mut(&index).and_then(|node| node.process.as_mut());
        if process.is_some_and(|it| it.heard.replace(word.clone()).as_ref() != Some(&word)) {
            self.give(index, Input::Word(Box::new(word)));
        }
    }

    /// What was answered to a write is how the object is, unless something newer is known.
    fn offer(&mut self, index: usize, object: Rc<Object>) {
        let process = self.nodes.get(&index).and_then(|node| node.process.as_deref());
        let known = process.and_then(|it| it.sight.as_ref()).map(|known| known.version);
        if Some(object.version) > known {
            self.see(index, Some(object));
        }
    }

    /// Makes the own object, or takes away one of another instance.
    pub(super) fn keep(&mut self, index: usize) {
        let Some(node) = self.nodes.get_mut(&index) else { return };
        let back = Back::Keeper { index, life: node.life };
        let Some(process) = node.process.as_deref_mut() else { return };
        if process.keeping || !process.has_looked {
            return;
        }
        let ask = match &process.sight {
            None => {
                Ask::Create(Box::new(Object::new(node.identity.clone(), node.settings.clone())))
            }
            Some(object) if *object.instance() != node.identity.instance => {
                Ask::Delete { name: object.name.clone(), uid: object.uid }
            }
            Some(_) => return,
        };
        process.keeping = true;
        self.ask(back, ask);
    }

    pub(super) fn kept(&mut self, index: usize, said: Said) {
        let pause = self.some(1_000, 5_000);
        let Some(process) = self.nodes.get_mut(&index).and_then(|it| it.process.as_mut()) else {
            return;
        };
        process.keeping = false;
        match said {
            Ok(Some(object)) => self.offer(index, object),
            Ok(None) => {
                process.sight = None;
                self.later_on(index, pause, NodeWake::Look);
            }
            Err(Problem::Away) => self.later_on(index, pause, NodeWake::Keep),
            Err(Problem::NotFound | Problem::Stale) => self.later_on(index, pause, NodeWake::Look),
        }
    }

    /// Writes the publication that is under way, as far as it is not there.
    pub(super) fn publish(&mut self, index: usize) {
        let Some(node) = self.nodes.get_mut(&index) else { return };
        let back = Back::Publisher { index, life: node.life };
        let instance = node.identity.instance.clone();
        let Some(process) = node.process.as_deref_mut() else { return };
        let Some(publishing) = &mut process.publishing else { return };
        publishing.attempts += 1;
        let body = match &process.sight {
            None => Body::Impossible("there is no CiliumNode"),
            Some(object) if *object.instance() != instance => {
                Body::Impossible("the CiliumNode is of another instance")
            }
            Some(object) => body(&publishing.publication, object),
        };
        match body {
            Body::Write(ask) => self.ask(back, ask),
            Body::There => self.end_publishing(index, Published::Written),
            Body::Impossible(problem) => {
                self.end_publishing(index, Published::Failed { problem: problem.to_owned() });
            }
        }
    }

    pub(super) fn published(&mut self, index: usize, said: Said) {
        let Some(node) = self.nodes.get_mut(&index) else { return };
        let back = Back::Publisher { index, life: node.life };
        let name = node.name().clone();
        let Some(process) = node.process.as_deref_mut() else { return };
        let Some(publishing) = &mut process.publishing else { return };
        let reads = std::mem::take(&mut publishing.reads);
        match said {
            Ok(object) if reads => {
                process.sight.clone_from(&object);
                if let Some(object) = object {
                    self.tell(index, &object);
                }
                self.publish(index);
            }
            Ok(object) => {
                if let Some(object) = object {
                    self.offer(index, object);
                }
                self.end_publishing(index, Published::Written);
            }
            Err(Problem::Stale | Problem::NotFound) if publishing.attempts < ATTEMPTS => {
                publishing.reads = true;
                self.ask(back, Ask::Get { name });
            }
            Err(problem) => {
                let problem = format!("{problem:?}");
                self.end_publishing(index, Published::Failed { problem });
            }
        }
    }

    fn end_publishing(&mut self, index: usize, published: Published) {
        let Some(process) = self.nodes.get_mut(&index).and_then(|it| it.process.as_mut()) else {
            return;
        };
        if let Some(publishing) = process.publishing.take() {
            self.give(index, Input::Published(publishing.id, published));
        }
    }
}

/// What of a publication is not in the object yet, as the patch that puts it there.
fn body(publication: &Publication, object: &Object) -> Body {
    let (name, uid) = (object.name.clone(), object.uid);
    match publication {
        Publication::Used { used, releases } => {
            let used: BTreeMap<_, _> = used
                .iter()
                .map(|(address, (owner, eni))| (*address, (owner.to_string(), eni.clone())))
                .collect();
            let answers: Answers = releases
                .iter()
                .filter_map(|(address, to)| {
                    let from = *object.releases.get(address)?;
                    answers(from, *to).then_some((*address, (from, *to)))
                })
                .collect();
            if used == object.used && answers.is_empty() {
                return Body::There;
            }
            Body::Write(Ask::Used { name, uid, used, answers })
        }
        Publication::Pools { requested, allocated } => {
            let seen = (object.requested, object.allocated.clone());
            if seen == (Some(*requested), allocated.clone()) {
                return Body::There;
            }
            let (requested, allocated) = (*requested, allocated.clone());
            Body::Write(Ask::Pools { name, uid, seen, requested, allocated })
        }
    }
}

/// Whether an entry that says `from` is answered by `to`.
const fn answers(from: Release, to: Option<Release>) -> bool {
    matches!(
        (from, to),
        (Release::Marked, Some(Release::Ready | Release::Refused))
            | (Release::Ready, Some(Release::Refused))
            | (Release::Released, None)
    )
}
