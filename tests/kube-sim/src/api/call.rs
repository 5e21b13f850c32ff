//! What a request asks for, in the words that faults and counters use.

use http::Method;
use serde::{Deserialize, Serialize};

use super::path::{self, Path, Target};
use super::query::Query;

/// What is done to a resource, as Kubernetes names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Reads one object, or a document.
    Get,
    /// Reads many.
    List,
    /// Follows changes.
    Watch,
    /// POST.
    Create,
    /// PUT.
    Update,
    /// PATCH.
    Patch,
    /// Deletes one.
    Delete,
    /// Deletes many.
    DeleteCollection,
}

impl Verb {
    /// Whether it changes anything.
    #[must_use]
    pub const fn is_write(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch)
    }

    /// The verb as it is written, `deletecollection`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What is done.
    pub verb: Verb,
    /// To what: `ciliumnodes`, `ciliumnodes/status`, or the path of a document, `openapi/v3`.
    pub resource: String,
    /// Namespace in the path.
    pub namespace: Option<String>,
    /// Name in the path, or the one that the field selector asks for.
    pub name: Option<String>,
}

impl Call {
    /// Reads a request line. `None` for a method that no resource has.
    #[must_use]
    pub fn read(method: &Method, path: &str, query: &str) -> Option<Self> {
        let query = Query::parse(query);
        match path::parse(path) {
            Path::Document(resource) => {
                Some(Self { verb: Verb::Get, resource, namespace: None, name: None })
            }
            Path::Objects(target) => Self::of(method, target, &query),
        }
    }

    fn of(method: &Method, target: Target, query: &Query) -> Option<Self> {
        let verb = verb(method, &target, query)?;
        let selected =
            query.get("fieldSelector").and_then(|fields| fields.strip_prefix("metadata.name="));
        let selected = selected.filter(|name| !name.contains([',', '=']));
        let resource = match target.subresource {
            Some(subresource) => format!("{}/{subresource}", target.plural),
            None => target.plural,
        };
        let name = target.name.or_else(|| selected.map(str::to_owned));
        Some(Self { verb, resource, namespace: target.namespace, name })
    }
}

/// The verb of a request.
pub(crate) fn verb(method: &Method, target: &Target, query: &Query) -> Option<Verb> {
    let one = target.name.is_some();
    Some(match *method {
        Method::GET if query.is_watch() => Verb::Watch,
        Method::GET if one => Verb::Get,
        Method::GET => Verb::List,
        Method::POST => Verb::Create,
        Method::PUT if one => Verb::Update,
        Method::PATCH if one => Verb::Patch,
        Method::DELETE if one => Verb::Delete,
        Method::DELETE => Verb::DeleteCollection,
        _ => return None,
    })
}
