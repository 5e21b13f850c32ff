//! Lists: all at once or in pages of one snapshot.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::{Refusal, Store};
use crate::resource::ResourceId;
use crate::status::Status;
use crate::stored::{Key, Stored};
use crate::watchers::Selection;

/// The version of a token that goes on in the present, whatever it may be then.
const PRESENT: u64 = 0;

/// What a real server says of a token that is none.
const INVALID_TOKEN: &str =
    "invalid continue token: continue key is not valid: illegal base64 data at input byte 0";

/// How the version that a list asks for is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionMatch {
    /// That state, no other.
    Exact,
    /// That state or a later one.
    NotOlderThan,
}

/// A request for a list.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Which objects.
    pub selection: Selection,
    /// The most objects in one answer.
    pub limit: Option<usize>,
    /// Where an earlier answer stopped.
    pub continue_token: Option<String>,
    /// The version that is asked for; `None` for the latest.
    pub version: Option<u64>,
    /// How that version is meant; `None` is not older than.
    pub version_match: Option<VersionMatch>,
}

/// A list, or a page of one.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The version of the snapshot.
    pub version: u64,
    /// Its objects.
    pub items: Vec<Arc<Stored>>,
    /// What asks for the next page.
    pub continue_token: Option<String>,
    /// How many objects are on later pages; only without selectors, as on a real server.
    pub remaining: Option<usize>,
}

impl Store {
    /// Lists objects.
    ///
    /// # Errors
    ///
    /// 400 for a token that is none, 410 for a snapshot that the history no longer reaches, 504 for one yet to come.
    pub fn list(&self, query: &ListQuery) -> Result<Listed, Refusal> {
        let (version, after) = self.snapshot(query)?;
        let Selection { resource, fields, labels, .. } = &query.selection;
        let namespaced = self.collection(*resource)?.resource.namespaced;
        let view = self.view(*resource, version)?;
        let mut meant = match query.selection.key(namespaced) {
            Some(key) => {
                view.one(&key).into_iter().filter(|o| query.selection.matches(o)).collect()
            }
            None => view.after(after.as_ref(), &query.selection),
        };
        let mut listed =
            Listed { version, items: Vec::new(), continue_token: None, remaining: None };
        if let Some(limit) = query.limit.filter(|&limit| 0 < limit && limit < meant.len()) {
            let all = fields.is_empty() && labels.is_empty();
            listed.remaining = all.then(|| meant.len() - limit);
            meant.truncate(limit);
            listed.continue_token = meant.last().map(|last| token(version, last.key()));
        }
        listed.items = meant;
        Ok(listed)
    }

    /// The version that a query is about, and the last object that earlier pages had.
    fn snapshot(&self, query: &ListQuery) -> Result<(u64, Option<Key>), Refusal> {
        if let Some(given) = &query.continue_token {
            let invalid = || Status::bad_request(INVALID_TOKEN);
            let (version, after) = parse_token(given).ok_or_else(invalid)?;
            if version == PRESENT {
                return Ok((self.version, Some(after)));
            }
            if version < self.oldest_version() {
                return Err(Status::expired_list(token(PRESENT, &after)).into());
            }
            self.check_reached(version)?;
            return Ok((version, Some(after)));
        }
        match (query.version, query.version_match) {
            (Some(version), Some(VersionMatch::Exact)) => {
                self.check_reached(version)?;
                if version < self.oldest_version() {
                    let why = "The resourceVersion for the provided list is too old.";
                    return Err(Status::expired(why).into());
                }
                Ok((version, None))
            }
            (Some(version), _) => {
                self.check_reached(version)?;
                Ok((self.version, None))
            }
            (None, _) => Ok((self.version, None)),
        }
    }

    /// A resource's objects at an earlier version, or at the present.
    fn view(&self, id: ResourceId, version: u64) -> Result<View<'_>, Refusal> {
        let present = &self.collection(id)?.objects;
        Ok(View { present, undone: self.history.undone(id, version) })
    }
}

/// The objects of a resource at one version.
struct View<'a> {
    present: &'a BTreeMap<Key, Arc<Stored>>,
    undone: BTreeMap<Key, Option<Arc<Stored>>>,
}

impl View<'_> {
    fn one(&self, key: &Key) -> Option<Arc<Stored>> {
        self.undone.get(key).cloned().unwrap_or_else(|| self.present.get(key).cloned())
    }

    /// What is selected of the objects after a key, in order.
    fn after(&self, key: Option<&Key>, selection: &Selection) -> Vec<Arc<Stored>> {
        let first = || selection.namespace.as_ref().map(|namespace| Key::new(namespace, ""));
        let start = match key {
            Some(key) => Bound::Excluded(key.clone()),
            None => first().map_or(Bound::Unbounded, Bound::Included),
        };
        let range = (start, Bound::Unbounded);
        let inside =
            |key: &Key| selection.namespace.as_ref().is_none_or(|only| *only == key.namespace);
        let present = self.present.range(range.clone()).take_while(|(key, _)| inside(key));
        let untouched = present.filter(|(key, _)| !self.undone.contains_key(*key));
        let undone = self.undone.range(range).take_while(|(key, _)| inside(key));
        let undone = undone.filter_map(|(key, object)| object.as_ref().map(|object| (key, object)));
        let mut objects: Vec<_> = untouched.map(|(_, object)| object).cloned().collect();
        let were = objects.len();
        objects.extend(undone.map(|(_, object)| object).cloned());
        if were < objects.len() {
            objects.sort_by(|left, right| left.key().cmp(right.key()));
        }
        objects.retain(|object| selection.matches(object));
        objects
    }
}

fn token(version: u64, last: &Key) -> String {
    format!("v1:{version}:{}/{}", last.namespace, last.name)
}

fn parse_token(token: &str) -> Option<(u64, Key)> {
    let (version, key) = token.strip_prefix("v1:")?.split_once(':')?;
    let (namespace, name) = key.split_once('/')?;
    Some((version.parse().ok()?, Key::new(namespace, name)))
}
