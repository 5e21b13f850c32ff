//! A small model of the API server: `CiliumNode`s with versions and uids, and one Lease.
//!
//! What a request does is done at the moment in which it arrives, wholly or not at all. How long it takes to arrive, whether its answer does, and when
//! watchers hear of it is the world's affair (`world/wire.rs`).

mod ask;
mod object;

use std::collections::BTreeMap;
use std::rc::Rc;

use ipam_core::ids::NodeName;

pub(crate) use self::ask::{Answers, Ask, Entries, Error, Problem, Said};
pub(crate) use self::object::{Object, addresses};

/// The Lease of the operators.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lease {
    /// Who holds it; `None` when it was given back or never held.
    pub(crate) holder: Option<usize>,
    /// Different after each write.
    pub(crate) version: u64,
}

/// What the API server keeps.
#[derive(Debug, Default)]
pub(crate) struct Api {
    objects: BTreeMap<NodeName, Rc<Object>>,
    /// The version of the last write, and the uid of the last object.
    last: u64,
    pub(crate) lease: Lease,
}

/// What a write changed, as watchers hear of it.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// An object is new or different.
    Seen(Rc<Object>),
    /// An object is gone.
    Gone(NodeName),
}

impl Change {
    /// Whose object it is.
    pub(crate) fn name(&self) -> &NodeName {
        match self {
            Self::Seen(object) => &object.name,
            Self::Gone(name) => name,
        }
    }
}

impl Api {
    /// An object.
    pub(crate) fn object(&self, name: &NodeName) -> Option<&Rc<Object>> {
        self.objects.get(name)
    }

    /// All objects.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &Rc<Object>> {
        self.objects.values()
    }

    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn put(&mut self, mut object: Object) -> Rc<Object> {
        object.version = self.number();
        let object = Rc::new(object);
        self.objects.insert(object.name.clone(), Rc::clone(&object));
        object
    }

    /// Takes an object away, whatever it is.
    pub(crate) fn remove(&mut self, name: &NodeName) -> Option<Change> {
        self.objects.remove(name).map(|object| Change::Gone(object.name.clone()))
    }

    /// Takes or renews the lease, if it is as `expected`.
    pub(crate) fn take_lease(&mut self, expected: u64, holder: Option<usize>) -> Option<Lease> {
        if self.lease.version != expected {
            return None;
        }
        self.lease = Lease { holder, version: self.number() };
        Some(self.lease)
    }
}
