//! JSON merge patches (RFC 7386), JSON patches (RFC 6902) and strategic merge patches, as the API server applies them.
//!
//! Source: k8s.io/apiserver v0.36, package `endpoints/handlers`.

mod strategic;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::status::Status;

/// The media type of a merge patch.
pub const MERGE: &str = "application/merge-patch+json";
/// The media type of a JSON patch.
pub const JSON: &str = "application/json-patch+json";

/// The media type of a strategic merge patch, which custom resources do not have.
pub const STRATEGIC: &str = "application/strategic-merge-patch+json";

/// The most operations that a JSON patch may have.
const MAX_OPERATIONS: usize = 10_000;

/// A change to an object, whatever object it will be.
#[derive(Debug, Clone, PartialEq)]
pub enum Patch {
    /// Members to set, and with null to remove.
    Merge(Map<String, Value>),
    /// Operations in order. They are read when they are applied, because the server does it then, and says for an
    /// operation that it does not know what it says for one that does not fit.
    Json(Vec<Value>),
    /// Members to merge by what is known of the lists of a kind.
    Strategic {
        /// `Pod`.
        kind: String,
        /// Members and directives.
        members: Map<String, Value>,
    },
}

/// Why a patch is not applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The body cannot be read as a patch of its media type.
    #[error("error decoding patch: {0}")]
    Undecodable(String),
    /// There are more operations than the server takes.
    #[error("The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {0}")]
    TooManyOperations(usize),
    /// A directive of a strategic merge patch is none, or an item lacks what tells it apart.
    #[error("{0}")]
    Misdirected(String),
    /// An operation does not fit the object, or a `test` fails.
    #[error("the patch does not fit the object: {0}")]
    DoesNotFit(String),
}

impl From<PatchError> for Status {
    fn from(error: PatchError) -> Self {
        match error {
            PatchError::Undecodable(_) => Self::bad_request(error.to_string()),
            PatchError::Misdirected(why) => Self::unforeseen(why),
            PatchError::TooManyOperations(_) => Self::too_large(&error.to_string()),
            PatchError::DoesNotFit(_) => Self::patch_failed(),
        }
    }
}

impl Patch {
    /// Reads the body of a merge patch.
    ///
    /// # Errors
    ///
    /// The body is no JSON object.
    pub fn merge(body: &[u8]) -> Result<Self, PatchError> {
        serde_json::from_slice(body).map(Self::Merge).map_err(|error| undecodable(&error))
    }

    /// Reads the body of a strategic merge patch of an object of a built-in kind.
    ///
    /// # Errors
    ///
    /// The body is no JSON object.
    pub fn strategic(kind: &str, body: &[u8]) -> Result<Self, PatchError> {
        let members = serde_json::from_slice(body).map_err(|error| undecodable(&error))?;
        Ok(Self::Strategic { kind: kind.to_owned(), members })
    }

    /// Reads the body of a JSON patch.
    ///
    /// # Errors
    ///
    /// The body is no JSON array of objects whose `op`, `path` and `from` are texts, or is too long an array.
    pub fn json(body: &[u8]) -> Result<Self, PatchError> {
        let operations: Vec<Value> =
            serde_json::from_slice(body).map_err(|error| undecodable(&error))?;
        for (index, operation) in operations.iter().enumerate() {
            if !operation.is_object() {
                return Err(undecodable(&format!("operation {index} is no object")));
            }
            for member in ["op", "path", "from"] {
                if operation.get(member).is_some_and(|value| !value.is_string()) {
                    return Err(undecodable(&format!(
                        "{member} of operation {index} is no string"
                    )));
                }
            }
        }
        if operations.len() > MAX_OPERATIONS {
            return Err(PatchError::TooManyOperations(operations.len()));
        }
        Ok(Self::Json(operations))
    }

    /// The object with the change made to it.
    ///
    /// # Errors
    ///
    /// [`PatchError::DoesNotFit`] and [`PatchError::Misdirected`]; none for a merge patch.
    pub fn apply(&self, object: &Value) -> Result<Value, PatchError> {
        let mut changed = object.clone();
        match self {
            Self::Merge(members) => merge_members(&mut changed, members),
            Self::Strategic { kind, members } => strategic::merge(kind, &mut changed, members)?,
            Self::Json(operations) => {
                for operation in operations {
                    if is_null_and_absent(&changed, operation) {
                        continue;
                    }
                    let operation = replacing(&changed, operation.clone());
                    let operation =
                        serde_json::from_value(operation).map_err(|error| does_not_fit(&error))?;
                    json_patch::patch(&mut changed, &[operation])
                        .map_err(|error| does_not_fit(&error))?;
                }
            }
        }
        Ok(changed)
    }
}

/// Whether it tests that a member is null which is not there, although its parent is. Not in RFC 6902: for the server that is so.
fn is_null_and_absent(object: &Value, operation: &Value) -> bool {
    let path = operation["path"].as_str().unwrap_or_default();
    let parent = path.rsplit_once('/').and_then(|(parent, _)| object.pointer(parent));
    operation["op"] == "test"
        && operation["value"].is_null()
        && object.pointer(path).is_none()
        && parent.is_some_and(Value::is_object)
}

/// The operation as the server takes it. Not in RFC 6902: a `replace` of a member that is not there adds it.
fn replacing(object: &Value, mut operation: Value) -> Value {
    let path = operation["path"].as_str().unwrap_or_default();
    let parent = path.rsplit_once('/').and_then(|(parent, _)| object.pointer(parent));
    let adds = object.pointer(path).is_none() && parent.is_some_and(Value::is_object);
    if operation["op"] == "replace" && adds {
        operation["op"] = "add".into();
    }
    operation
}

fn undecodable(why: &dyn std::fmt::Display) -> PatchError {
    PatchError::Undecodable(why.to_string())
}

fn does_not_fit(why: &dyn std::fmt::Display) -> PatchError {
    PatchError::DoesNotFit(why.to_string())
}

/// Merges into what was there: into an object member by member; anything else gives way.
fn merge_members(target: &mut Value, patch: &Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(members) = target.as_object_mut() else { return };
    for (name, change) in patch {
        if change.is_null() {
            members.remove(name);
            continue;
        }
        let found = members.entry(name).or_insert(Value::Null);
        match change {
            Value::Object(change) => merge_members(found, change),
            // Not in RFC 7386: within an array that is new, or that replaces no object, the server also drops the
            // nulls of objects.
            Value::Array(_) if !found.is_object() => *found = without_nulls(change),
            change => *found = change.clone(),
        }
    }
}

/// The value without the members of objects that are null, at any depth. Nulls in arrays stay.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, member)| !member.is_null());
            kept.map(|(name, member)| (name.clone(), without_nulls(member))).collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        scalar => scalar.clone(),
    }
}
