//! Pods of a real cluster: scheduler, kubelet, containerd, `ptp`, `berth-cni`, the agent and the operator with the permissions of their
//! manifests, on instances of a simulated EC2 whose VPC carries packets.
//!
//! Two clusters, one after the other, so that both contracts and both forms of addresses are met: single addresses by `per-ip`, and prefixes by
//! `cidr` with masquerading.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};

use real::cluster::{Contract, Options};

#[cfg(test)]
mod apart;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod bed;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod delegated;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod everyone;
#[cfg(test)]
mod full;
#[cfg(test)]
mod host;
#[cfg(test)]
mod internet;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod release;
#[cfg(test)]
mod runtime;
#[cfg(test)]
mod talk;
#[cfg(test)]
mod terminated;
#[cfg(test)]
mod truth;
#[cfg(test)]
mod waves;

use bed::Bed;

/// A cluster takes both processors and a gigabyte or two.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Addresses rest for seconds, so that pods come and go through all of them; and who waits in vain is told so soon.
const AGENT: [&str; 2] = ["--address-cool-down=2s", "--address-wait=5s"];
/// What nodes have to spare is asked for after seconds, and an interface that is empty goes after seconds, so that both are on their way off while
/// other things happen, too.
const OPERATOR: [&str; 2] = ["--excess-ip-release-delay=2", "--eni-idle-delay=2s"];

#[test]
fn single_addresses_by_address() {
    let options = Options {
        operator_arguments: arguments(&OPERATOR),
        agent_arguments: arguments(&AGENT),
        ..Options::default()
    };
    on_a_cluster("single", &options, |bed| {
        everyone::on_several_interfaces(bed);
        internet::sees_the_pods(bed);
        delegated::is_served(bed);
        drift::is_repaired(bed);
        runtime::is_restarted(bed);
        runtime::collects_what_leaked(bed);
        release::spares_those_who_stay(bed, 1);
        everyone::goes(bed);
        kill::amid_a_roll_out(bed);
        apart::a_pod_starts(bed);
        full::is_said(bed);
        terminated::takes_its_interfaces_along(bed);
    });
}

#[test]
fn prefixes_by_cidr() {
    let mut agent = arguments(&AGENT);
    agent.push("--host-masquerade".to_owned());
    let options = Options {
        prefix_delegation: true,
        contract: Contract::Cidr,
        operator_arguments: arguments(&OPERATOR),
        agent_arguments: agent,
        ..Options::default()
    };
    on_a_cluster("prefix", &options, |bed| {
        bed.masquerades();
        everyone::on_prefixes(bed);
        internet::sees_the_nodes(bed);
        delegated::is_served(bed);
        runtime::is_restarted(bed);
        release::spares_those_who_stay(bed, 0);
        everyone::goes(bed);
        kill::amid_a_roll_out(bed);
        waves::under_audit(bed);
        terminated::takes_its_interfaces_along(bed);
    });
}

/// Brings a cluster up, and takes it down however the scenarios end.
fn on_a_cluster(title: &'static str, options: &Options, scenarios: impl FnOnce(&mut Bed)) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bed = Bed::up(title, options);
    let outcome = catch_unwind(AssertUnwindSafe(|| scenarios(&mut bed)));
    if let Err(panic) = outcome {
        bed.explain();
        resume_unwind(panic);
    }
    bed.say("done");
}

fn arguments(given: &[&str]) -> Vec<String> {
    given.iter().map(|argument| (*argument).to_owned()).collect()
}
