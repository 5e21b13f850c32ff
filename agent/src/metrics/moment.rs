//! What is so at the moment of asking, put together anew each time.

use berth_shell::metrics::Maker;
use ipam_core::agent::Status;
use prometheus::Registry;

use super::family;

/// A registry that says how it is now.
pub(super) fn registry(status: &Status) -> Registry {
    let make = Maker::default();
    on_addresses(&make, status);
    on_agent(&make, status);
    make.registry
}

fn on_addresses(make: &Maker, status: &Status) {
    let capacity =
        make.gauges("cilium_ipam_capacity", "All addresses of the node for pods", &["family"]);
    let used = make.gauges("cilium_ip_addresses", "Addresses in use", &["family"]);
    let by_state =
        make.gauges("berth_agent_addresses", "Addresses by what they are", &["family", "state"]);
    for (of, tally) in &status.families {
        let of = family(*of);
        capacity.with_label_values(&[of]).set(tally.attached.into());
        // What is used although its CIDR is gone is in use all the same.
        used.with_label_values(&[of]).set(f64::from(tally.used) + f64::from(tally.withdrawn));
        for (state, count) in [
            ("free", tally.free),
            ("used", tally.used),
            ("cooling", tally.cooling),
            ("promised", tally.promised),
            ("withdrawn", tally.withdrawn),
        ] {
            by_state.with_label_values(&[of, state]).set(count.into());
        }
    }
}

fn on_agent(make: &Maker, status: &Status) {
    let ready = make.gauge("berth_agent_ready", "1 when pods can be served");
    ready.set(if status.ready.is_ok() { 1.0 } else { 0.0 });
    let waiting = make.gauge("berth_agent_waiting", "Calls that wait for an address");
    waiting.set(real(status.waiting));
    let attachments =
        make.gauge("berth_agent_attachments", "Interfaces of pods that hold addresses");
    attachments.set(real(status.attachments));
    // Without a word there is no age: a number would be taken for one.
    if let Some(word) = &status.word {
        let age = make.gauge(
            "berth_agent_word_age_seconds",
            "How long ago the operator's word was heard; absent before the first",
        );
        age.set(word.age.as_secs_f64());
    }
    let problems = make.gauges("berth_agent_problems", "1 for what is wrong", &["problem"]);
    let found = &status.problems;
    for (problem, is) in [
        ("invalid_cidr", !found.invalid.is_empty()),
        ("inconsistent_word", found.inconsistent.is_some()),
        ("not_durable", found.not_durable.is_some()),
        ("not_published", found.not_published.is_some()),
        ("host_network", status.enis.iter().any(|eni| eni.problem.is_some())),
    ] {
        problems.with_label_values(&[problem]).set(if is { 1.0 } else { 0.0 });
    }
}

/// Exact up to four billion, more than there can be.
fn real(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}
