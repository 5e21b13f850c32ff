//! What was asked of EC2 and written to the Kubernetes API, counted from a moment on.

use ec2_sim::journal::Entry;

use super::Rig;

/// Where counting starts.
#[derive(Debug, Default)]
pub(super) struct Book {
    calls: u64,
    writes: u64,
}

/// Whether a call would change something.
fn is_mutation(entry: &Entry) -> bool {
    let name = entry.action.map_or("", |action| action.name());
    !(name.starts_with("Describe") || name.starts_with("Get"))
}

impl Rig {
    /// Starts counting again.
    pub(crate) fn mark(&mut self) {
        self.book.calls = self.ec2.with(|ec2, _| ec2.journal().recorded());
        self.book.writes = self.all_writes();
    }

    fn all_writes(&self) -> u64 {
        self.kube.counters().count(|counted| {
            counted.client.starts_with("operator")
                && counted.verb.is_write()
                && counted.resource.split('/').next() == Some("ciliumnodes")
                && (200..300).contains(&counted.code)
        })
    }

    /// Calls since the mark that `wanted` holds for.
    pub(crate) fn count_calls(&self, wanted: impl Fn(&Entry) -> bool) -> usize {
        self.ec2.with(|ec2, _| {
            ec2.journal().since(self.book.calls).filter(|entry| wanted(entry)).count()
        })
    }

    /// Calls of an action since the mark.
    pub(crate) fn calls(&self, action: &str) -> usize {
        self.count_calls(|entry| entry.action.is_some_and(|it| it.name() == action))
    }

    /// Calls since the mark that were to change something, whatever became of them.
    pub(crate) fn mutations(&self) -> usize {
        self.count_calls(is_mutation)
    }

    /// Writes of `CiliumNode`s by operators since the mark.
    pub(crate) fn writes(&self) -> u64 {
        self.all_writes() - self.book.writes
    }

    /// Events that operators recorded.
    pub(crate) fn events(&self) -> u64 {
        self.kube.counters().count(|counted| {
            counted.client.starts_with("operator")
                && counted.resource == "events"
                && counted.code == 201
        })
    }

    /// Attempts of operators to write `CiliumNode`s that the API server refused as conflicts, since the rig was made.
    pub(crate) fn conflicts(&self) -> u64 {
        self.kube.counters().count(|counted| {
            counted.client.starts_with("operator")
                && counted.resource.split('/').next() == Some("ciliumnodes")
                && counted.code == 409
        })
    }

    /// The calls since the mark that were to change something, one a line.
    pub(crate) fn journal_text(&self) -> String {
        self.ec2.with(|ec2, _| {
            let entries = ec2.journal().since(self.book.calls);
            let told: Vec<String> = entries.map(line).collect();
            told.concat()
        })
    }
}

fn line(entry: &Entry) -> String {
    let action = entry.action.map_or("?", |action| action.name());
    let at = entry.at.as_micros() / 1000;
    let end = entry.code.unwrap_or("ok");
    let lost = if entry.disturbed { " (the caller did not learn of it)" } else { "" };
    format!("{at} ms {} {action} {end}{lost}\n", entry.access_key)
}
