//! The program `berth-operator` with the permissions of its manifests, against a real API server and a simulated EC2.

use std::time::Duration;

#[cfg(test)]
mod bed;
#[cfg(test)]
mod fleet;
#[cfg(test)]
mod session;

use bed::{Bed, Server};
use fleet::Fleet;

/// Many times what any of the flows takes on a busy machine.
const SOON: Duration = Duration::from_mins(2);
/// How long an operator may take to end in good order, on such a machine.
const ENDS: Duration = Duration::from_secs(30);

/// What a fleet of per-IP nodes has at its watermark: `pre-allocate` addresses each.
const WATERMARK: usize = 8;

#[test]
fn a_hundred_nodes_get_their_addresses_and_no_write_too_many() {
    let fleet = Fleet::new(100);
    let writes = [Server::Real, Server::Simulated].map(|server| {
        let bed = Bed::start(server, &fleet);
        let operator = bed.operator("operator");
        bed.await_definition(SOON);
        bed.create(&fleet);
        bed.await_addresses(&fleet, WATERMARK, SOON);
        operator.stopped_in_good_order();
        assert_eq!(bed.audit(), "[]");
        assert_eq!(bed.mutations(), fleet.len(), "one assignment a node");
        bed.operator_writes()
    });
    let [real, simulated] = &writes;
    assert_eq!(real.len(), simulated.len(), "{}", bed::more_than(2, real));
    // Its interfaces, then its pool, for each node.
    assert_eq!(real.len(), 2 * fleet.len());
}

#[test]
fn killed_in_the_middle_another_goes_on() {
    // More than EC2 lets anybody ask for at once.
    let fleet = Fleet::new(150).slow();
    let bed = Bed::start(Server::Real, &fleet);
    let first = bed.operator("first");
    bed.await_definition(SOON);
    bed.create(&fleet);
    bed.await_some_addresses(&fleet, WATERMARK, SOON);
    first.killed();
    assert!(bed.mutations() < fleet.len(), "it was killed too late to matter");
    let second = bed.operator("second");
    bed.await_addresses(&fleet, WATERMARK, SOON);
    second.stopped_in_good_order();
    assert_eq!(bed.audit(), "[]");
    // A call that the first one sent and nobody read the answer of is seen, not repeated.
    assert_eq!(bed.mutations(), fleet.len());
}

#[test]
fn who_writes_what_the_operator_owns_is_named() {
    let fleet = Fleet::new(1);
    let bed = Bed::start(Server::Real, &fleet);
    let operator = bed.operator("operator");
    bed.await_definition(SOON);
    bed.create(&fleet);
    bed.await_addresses(&fleet, WATERMARK, SOON);
    bed.write_status("node-0", "another-operator");
    real::await_true(SOON, "nobody is named", || operator.log().contains("another-operator"));
    operator.stopped_in_good_order();
}

#[test]
fn people_look_with_kubectl_and_aws() {
    session::with_stand_alone_simulators();
}
