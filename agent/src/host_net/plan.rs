//! What has to change in the host's network. Nothing here reads or writes the kernel.
//!
//! A packet of a pod has to leave by the interface that holds the pod's address, since EC2 drops it anywhere else (its
//! source check). So each secondary interface has a routing table, and each CIDR of which an address is in use has rules:
//! what goes to it is looked up in the main table, where the pod's device is; what comes from it in the table of its
//! interface. The first comes before the second, so that pods of one node reach each other without leaving it.

mod device;
mod route;
mod rule;

use std::collections::BTreeMap;

use ipam_core::ids::EniId;

pub use self::rule::rules_for;

use self::device::Device;
use super::words::{Kernel, Numbers, Plan, Problem, Route, Step, Wanted, WantedEni};

/// A secondary interface that nothing keeps from carrying pods.
struct Carrier<'a> {
    eni: &'a WantedEni,
    device: Device<'a>,
    /// The routes that its table has to have.
    routes: Vec<Route>,
}

type Carriers<'a> = BTreeMap<&'a EniId, Carrier<'a>>;
type Problems = BTreeMap<EniId, Problem>;

/// Plans the steps from what is there to what is wanted. Same input, same output; nothing once they are done.
///
/// The order is such that, after any number of them, no used address has less than it had: what is new comes first, from
/// the device up to the rules, what is over goes last, from the rules down. Masquerading comes before the rules, because a
/// pod starts as soon as its rules are there.
///
/// An interface with a problem gets no step at all, and keeps the routes and rules of used addresses that it has: the
/// kernel itself removes the routes of a device that vanishes, and what is found missing may be an observation too early.
/// Its `from` rules do no harm in the meantime: an empty table is passed over, the packet leaves by the primary interface,
/// as it would without the rule, and EC2 drops it. `to` rules it gets, since they need no device.
#[must_use]
pub fn plan(kernel: &Kernel, wanted: &Wanted, numbers: &Numbers) -> Plan {
    let (carriers, problems) = carriers(kernel, wanted, numbers);
    let masquerade = wanted.masquerade();
    let rules = rule::Rules::of(kernel, wanted, &problems, masquerade.as_ref(), numbers);
    let routes =
        route::changes(kernel, &carriers, &rules.held_tables(wanted, &problems, numbers), numbers);

    let mut steps = device::steps(kernel, wanted, &carriers, masquerade.is_some());
    steps.extend(routes.missing.into_iter().map(Step::AddRoute));
    if masquerade != kernel.masquerade {
        steps.push(Step::SetMasquerade(masquerade));
    }
    steps.extend(rules.missing(kernel).into_iter().map(Step::AddRule));
    steps.extend(rules.over(kernel, numbers).into_iter().map(Step::DeleteRule));
    steps.extend(routes.over.into_iter().map(Step::DeleteRoute));
    Plan { steps, problems }
}

fn carriers<'a>(
    kernel: &'a Kernel,
    wanted: &'a Wanted,
    numbers: &Numbers,
) -> (Carriers<'a>, Problems) {
    let mut carriers = Carriers::new();
    let mut problems = Problems::new();
    let mut holders = BTreeMap::new();
    for (id, eni) in wanted.enis.iter().filter(|(_, eni)| eni.number > 0) {
        let carrier = carrier(kernel, wanted, (id, eni), numbers).and_then(|carrier| {
            // Two at once are seen when the list is older than the attachment (or with several network cards, each
            // of which counts from 0): a table leads to one interface, the first by its id, the same in every round.
            let holder: &EniId = holders.entry(eni.number).or_insert(id);
            let shared = || Problem::SharedNumber { number: eni.number, eni: holder.clone() };
            if holder == id { Ok(carrier) } else { Err(shared()) }
        });
        match carrier {
            Ok(carrier) => {
                carriers.insert(id, carrier);
            }
            Err(problem) => {
                problems.insert(id.clone(), problem);
            }
        }
    }
    (carriers, problems)
}

fn carrier<'a>(
    kernel: &'a Kernel,
    wanted: &'a Wanted,
    (id, eni): (&EniId, &'a WantedEni),
    numbers: &Numbers,
) -> Result<Carrier<'a>, Problem> {
    let device = Device::of(kernel, &eni.mac)?;
    let routes = route::wanted(wanted, id, eni, device.index, numbers)?;
    if let Some(problem) = route::in_the_way(kernel, &routes, numbers) {
        return Err(problem);
    }
    Ok(Carrier { eni, device, routes })
}

#[cfg(test)]
pub(super) mod tests;
