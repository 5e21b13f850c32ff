//! One look at the kernel, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use ipam_core::ids::EniId;

use super::aim::Aim;
use crate::host_net::kernel::{KernelError, Network, Thoroughness};
use crate::host_net::plan::plan;
use crate::host_net::words::{Kernel, Numbers, Plan, Problem, Rule, Selector, Step};

/// What a round came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// What was done because something is wanted that was not before, in words.
    pub(super) made: Vec<Change>,
    /// What was done because somebody else had changed something, in words.
    pub(super) repaired: Vec<Change>,
    /// What keeps interfaces from carrying pods.
    pub(super) problems: BTreeMap<EniId, Problem>,
    /// What could not be removed: it is in nobody's way, or the interface has another problem.
    pub(super) left: BTreeMap<EniId, Problem>,
}

/// A step that was carried out.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) text: String,
    /// For which interfaces.
    pub(super) enis: BTreeSet<EniId>,
    /// Whether it comes and goes with pods.
    pub(super) is_of_pods: bool,
}

/// What the last round has left behind: what it wanted, and which interfaces did not get it.
#[derive(Debug)]
pub(super) struct Last {
    pub(super) aim: Aim,
    /// None when the round could not do its work: what is found then was perhaps never made.
    pub(super) lacking: Option<BTreeSet<EniId>>,
}

/// Reads the kernel and makes it as it should be. After a step that was refused, no other of the same interfaces is tried in this round.
///
/// # Errors
/// [`KernelError`]: the kernel cannot be read, or cannot be reached any more.
pub(super) async fn round(
    network: &mut impl Network,
    aim: &Aim,
    last: Option<&Last>,
    numbers: &Numbers,
    thoroughness: Thoroughness,
) -> Result<Outcome, KernelError> {
    let kernel = network.observe(numbers, &aim.wanted, thoroughness).await?;
    let Plan { steps, problems } = plan(&kernel, &aim.wanted, numbers);
    let steps: Vec<Step> = steps.into_iter().filter(|step| aim.allows(step, numbers)).collect();
    let drift =
        last.filter(|_| !steps.is_empty()).and_then(|last| Drift::of(&kernel, last, numbers));
    let mut outcome = Outcome { problems, ..Outcome::default() };
    for step in steps {
        let enis = whose(&step, aim, &kernel, numbers);
        let is_hopeless = enis.iter().all(|eni| outcome.problems.contains_key(eni));
        if !enis.is_empty() && is_hopeless && !is_free(&step) {
            continue;
        }
        match network.apply(numbers, &step).await {
            Ok(()) => {
                let is_repair = drift.as_ref().is_some_and(|drift| drift.has(&step, &enis));
                let is_of_pods = matches!(step, Step::AddRule(_) | Step::DeleteRule(_));
                let change = Change { text: in_words(&step, &kernel), enis, is_of_pods };
                let changes = if is_repair { &mut outcome.repaired } else { &mut outcome.made };
                changes.push(change);
            }
            Err(error) if error.is_lost() => return Err(error),
            Err(error) => outcome.refuse(&step, enis, &kernel, &error),
        }
    }
    Ok(outcome)
}

/// What somebody else has changed: what would have to be done if nothing were wanted but what was made before.
struct Drift<'a> {
    steps: Vec<Step>,
    lacking: &'a BTreeSet<EniId>,
}

impl<'a> Drift<'a> {
    fn of(kernel: &Kernel, last: &'a Last, numbers: &Numbers) -> Option<Self> {
        let lacking = last.lacking.as_ref()?;
        let steps = plan(kernel, &last.aim.wanted, numbers).steps;
        let steps = steps.into_iter().filter(|step| last.aim.allows(step, numbers)).collect();
        Some(Self { steps, lacking })
    }

    fn has(&self, step: &Step, enis: &BTreeSet<EniId>) -> bool {
        self.lacking.is_disjoint(enis) && self.steps.contains(step)
    }
}

/// What an interface with a problem gets all the same: the plan has no other steps for one, and one that was refused does not make it
/// wrong.
fn is_free(step: &Step) -> bool {
    matches!(step, Step::AddRule(Rule { selector: Selector::To(_), .. }))
}

impl Outcome {
    fn refuse(&mut self, step: &Step, enis: BTreeSet<EniId>, kernel: &Kernel, error: &KernelError) {
        let problem = Problem::Refused { step: in_words(step, kernel), error: error.to_string() };
        let is_removal = matches!(step, Step::DeleteRoute(_) | Step::DeleteRule(_));
        let list = if is_removal { &mut self.left } else { &mut self.problems };
        for eni in enis {
            list.entry(eni).or_insert_with(|| problem.clone());
        }
    }
}

/// The interfaces that need a step. What no interface is known for concerns them all.
fn whose(step: &Step, aim: &Aim, kernel: &Kernel, numbers: &Numbers) -> BTreeSet<EniId> {
    let enis = &aim.wanted.enis;
    let all = || enis.keys().cloned().collect();
    let with_device = |device: &u32| {
        let mac = kernel.links.get(device).map(|link| &link.mac);
        enis.iter().find(|(_, eni)| Some(&eni.mac) == mac).map(|(id, _)| id)
    };
    let with_table =
        |table: u32| enis.iter().find(|(_, eni)| numbers.table(eni.number) == table).map(|it| it.0);
    let found = match step {
        Step::SetMtu { device, .. }
        | Step::SetUp { device }
        | Step::SetReversePath { device, .. }
        | Step::AddAddress { device, .. } => with_device(device),
        Step::AddRoute(route) | Step::DeleteRoute(route) => with_table(route.table),
        Step::AddRule(rule) | Step::DeleteRule(rule) => match &rule.selector {
            Selector::From(cidr) | Selector::To(cidr) => {
                aim.wanted.used.get(cidr).or_else(|| with_table(rule.table))
            }
            Selector::Mark { .. } => None,
            Selector::Other { .. } => return BTreeSet::new(),
        },
        Step::SetMasquerade(_) => None,
    };
    let is_removal = matches!(step, Step::DeleteRoute(_) | Step::DeleteRule(_));
    match found {
        Some(eni) => BTreeSet::from([eni.clone()]),
        None if is_removal => BTreeSet::new(),
        None => all(),
    }
}

/// A step for people, with the names of devices.
fn in_words(step: &Step, kernel: &Kernel) -> String {
    let device = match step {
        Step::SetMtu { device, .. }
        | Step::SetUp { device }
        | Step::SetReversePath { device, .. }
        | Step::AddAddress { device, .. } => Some(device),
        Step::AddRoute(route) | Step::DeleteRoute(route) => Some(&route.device),
        Step::AddRule(_) | Step::DeleteRule(_) | Step::SetMasquerade(_) => None,
    };
    match device.and_then(|device| kernel.links.get(device)) {
        Some(link) => format!("{step} ({})", link.name),
        None => step.to_string(),
    }
}
