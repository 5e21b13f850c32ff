//! All cases, by subject.

mod bindings;
mod cilium_nodes;
mod creates;
mod definitions;
mod deletes;
mod discovery;
mod gone;
mod hostile;
mod leases;
mod lists;
mod patches;
mod pods;
mod reads;
mod schemas;
mod strategic;
mod tables;
mod updates;
mod watcher;
mod watches;

use crate::case::Case;

/// All cases, by subject.
pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    let subjects = [
        bindings::CASES,
        cilium_nodes::CASES,
        creates::CASES,
        definitions::CASES,
        deletes::CASES,
        discovery::CASES,
        gone::CASES,
        hostile::CASES,
        leases::CASES,
        lists::CASES,
        patches::CASES,
        pods::CASES,
        reads::CASES,
        schemas::CASES,
        strategic::CASES,
        tables::CASES,
        updates::CASES,
        watcher::CASES,
        watches::CASES,
    ];
    subjects.into_iter().flatten()
}
