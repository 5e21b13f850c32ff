//! The parameters behind the question mark.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::resource::{Resource, ResourceId};
use crate::selector::{FieldSelector, LabelSelector};
use crate::status::{FieldError, FieldErrorKind, Status};
use crate::store::{
    DeleteOptions, FieldValidation, ListQuery, Propagation, Refusal, VersionMatch, WatchQuery,
    WriteOptions,
};
use crate::watchers::Selection;

/// Parameters as they came.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// A parameter that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(parameter, _)| parameter == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(crate) fn is_set(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => Err(invalid(name, other)),
        }
    }

    fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, Refusal> {
        let why = |text: &str| format!("strconv.ParseInt: parsing \"{text}\": invalid syntax");
        let parsed = |text: &str| text.parse().map_err(|_| Status::bad_request(why(text)).into());
        self.get(name).map(parsed).transpose()
    }

    /// Whether the request is to watch. Whatever does not deny it asks for it, as on a real server.
    pub(crate) fn is_watch(&self) -> bool {
        let asked = self.0.iter().find(|(parameter, _)| parameter == "watch");
        asked.is_some_and(|(_, value)| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// Seconds after which a watch ends; `None` where that is left to the server, which zero does, too. It ends at once
    /// where they are less than none.
    pub(crate) fn timeout_seconds(&self) -> Result<Option<u64>, Refusal> {
        let seconds = self.number::<i64>("timeoutSeconds")?.filter(|&seconds| seconds != 0);
        Ok(seconds.map(|seconds| seconds.try_into().unwrap_or_default()))
    }

    pub(crate) fn write_options(&self, options: &str) -> Result<WriteOptions, Refusal> {
        let field_validation = match self.get("fieldValidation") {
            None | Some("Warn") => FieldValidation::Warn,
            Some("Strict") => FieldValidation::Strict,
            Some("Ignore") => FieldValidation::Ignore,
            Some(other) => {
                let supported = ["", "Ignore", "Strict", "Warn"];
                return Err(unsupported(options, "fieldValidation", other, &supported));
            }
        };
        Ok(WriteOptions { dry_run: self.dry_run(options)?, field_validation })
    }

    fn dry_run(&self, options: &str) -> Result<bool, Refusal> {
        match self.get("dryRun") {
            None => Ok(false),
            Some("All") => Ok(true),
            Some(other) => Err(unsupported_stage(options, other)),
        }
    }

    /// The parameters of a delete, which may also stand in its body. What cannot be read must not delete more than was
    /// meant.
    pub(crate) fn delete_options(&self, body: &[u8]) -> Result<DeleteOptions, Refusal> {
        let undecodable = |why: String| Status::bad_request(format!("error decoding body: {why}"));
        let body = DeleteBody::read(body).map_err(|error| undecodable(error.to_string()))?;
        if let Some(kind) = body.kind.filter(|kind| kind != "DeleteOptions") {
            return Err(undecodable(format!("{kind} is not the expected DeleteOptions")).into());
        }
        let dry_run = self.dry_run(DELETE_OPTIONS)?
            || match body.dry_run.iter().find(|&stage| stage != "All") {
                Some(other) => return Err(unsupported_stage(DELETE_OPTIONS, other)),
                None => !body.dry_run.is_empty(),
            };
        let policy = self.get("propagationPolicy").map(str::to_owned).or(body.propagation_policy);
        let preconditions = body.preconditions.unwrap_or_default();
        Ok(DeleteOptions {
            uid: preconditions.uid,
            resource_version: preconditions.resource_version,
            propagation: propagation(policy.as_deref(), body.orphan_dependents)?,
            dry_run,
        })
    }

    pub(crate) fn selection(
        &self,
        resource: &Resource,
        id: ResourceId,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Result<Selection, Refusal> {
        let bad = |error: crate::selector::SelectorError| Status::bad_request(error.to_string());
        let mut fields = self.get("fieldSelector").unwrap_or_default().to_owned();
        if let Some(name) = name {
            fields = format!("metadata.name={name}");
        }
        Ok(Selection {
            resource: id,
            namespace: namespace.map(str::to_owned),
            fields: FieldSelector::parse(&fields, resource).map_err(bad)?,
            labels: LabelSelector::parse(self.get("labelSelector").unwrap_or_default())
                .map_err(bad)?,
        })
    }

    /// The version that is asked for, or why it is none. Zero is any, which is the latest here.
    fn version(&self) -> Result<Option<u64>, String> {
        let Some(text) = self.get("resourceVersion") else { return Ok(None) };
        match text.parse() {
            Ok(version) => Ok(Some(version).filter(|&version| version != 0)),
            Err(_) => Err(malformed_version(text)),
        }
    }

    fn version_match(&self) -> Result<Option<VersionMatch>, Refusal> {
        match self.get("resourceVersionMatch") {
            None => Ok(None),
            Some("Exact") => Ok(Some(VersionMatch::Exact)),
            Some("NotOlderThan") => Ok(Some(VersionMatch::NotOlderThan)),
            Some(other) => {
                let supported = ["Exact", "NotOlderThan", ""];
                Err(unsupported(LIST_OPTIONS, "resourceVersionMatch", other, &supported))
            }
        }
    }

    pub(crate) fn list(&self, selection: Selection) -> Result<ListQuery, Refusal> {
        let version_match = self.version_match()?;
        if self.is_set("sendInitialEvents")?.is_some() {
            let why = "sendInitialEvents is forbidden for list";
            return Err(forbidden("sendInitialEvents", why));
        }
        if version_match.is_some() && self.get("resourceVersion").is_none() {
            let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            return Err(forbidden("resourceVersionMatch", why));
        }
        let continue_token = self.get("continue").map(str::to_owned);
        let malformed = |why| Status::bad_request(format!("invalid resource version: {why}"));
        let version = self.version().map_err(malformed)?;
        if continue_token.is_some() && version.is_some() {
            return Err(Status::bad_request(
                "specifying resource version is not allowed when using continue",
            )
            .into());
        }
        if version.is_none() && version_match == Some(VersionMatch::Exact) {
            let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            return Err(forbidden("resourceVersionMatch", why));
        }
        self.timeout_seconds()?;
        Ok(ListQuery {
            selection,
            // None at all is what a real server makes of a limit below zero.
            limit: self.number::<i64>("limit")?.and_then(|limit| limit.try_into().ok()),
            continue_token,
            version,
            version_match,
        })
    }

    pub(crate) fn watch(&self, selection: Selection) -> Result<WatchQuery, Refusal> {
        let initial_events = self.is_set("sendInitialEvents")?;
        let version_match = self.version_match()?;
        match (initial_events, version_match) {
            (Some(_), Some(VersionMatch::NotOlderThan)) | (None, None) => {}
            (Some(_), _) => {
                let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
                return Err(forbidden("resourceVersionMatch", why));
            }
            (None, Some(_)) => {
                let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
                return Err(forbidden("resourceVersionMatch", why));
            }
        }
        Ok(WatchQuery {
            selection,
            version: self.version().map_err(Status::unforeseen)?,
            initial_events,
            bookmarks: self.is_set("allowWatchBookmarks")?.unwrap_or(false),
        })
    }
}

const LIST_OPTIONS: &str = "ListOptions.meta.k8s.io";
const DELETE_OPTIONS: &str = "DeleteOptions.meta.k8s.io";

/// The body of a delete. Source: Kubernetes API reference, `DeleteOptions`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DeleteBody {
    kind: Option<String>,
    preconditions: Option<Preconditions>,
    propagation_policy: Option<String>,
    orphan_dependents: Option<bool>,
    dry_run: Vec<String>,
}

impl DeleteBody {
    fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        // By way of a map, because a list would be taken for one, too.
        let members: Map<String, Value> = serde_json::from_slice(body)?;
        serde_json::from_value(Value::Object(members))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Preconditions {
    uid: Option<String>,
    resource_version: Option<String>,
}

fn propagation(policy: Option<&str>, orphan: Option<bool>) -> Result<Propagation, Refusal> {
    match (policy, orphan) {
        (Some(policy), Some(_)) => {
            let why = "orphanDependents and deletionPropagation cannot be both set";
            let kind = FieldErrorKind::Invalid;
            let error = FieldError::new(kind, "propagationPolicy", policy, why);
            Err(Status::invalid(DELETE_OPTIONS, "", &[error]).into())
        }
        (Some("Orphan"), None) | (None, Some(true)) => Ok(Propagation::Orphan),
        (Some("Foreground"), None) => Ok(Propagation::Foreground),
        (Some("Background"), None) | (None, _) => Ok(Propagation::Background),
        (Some(other), None) => {
            let supported = ["Foreground", "Background", "Orphan", "nil"];
            Err(unsupported(DELETE_OPTIONS, "propagationPolicy", other, &supported))
        }
    }
}

/// What Go says of a version that is no number.
pub(crate) fn malformed_version(text: &str) -> String {
    format!(
        "resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
    )
}

fn forbidden(name: &str, why: &str) -> Refusal {
    let error = FieldError::new(FieldErrorKind::Forbidden, name, Value::Null, why);
    Status::invalid(LIST_OPTIONS, "", &[error]).into()
}

fn unsupported(options: &str, name: &str, value: &str, supported: &[&str]) -> Refusal {
    let supported: Vec<_> = supported.iter().map(|value| format!("\"{value}\"")).collect();
    let why = format!("supported values: {}", supported.join(", "));
    let error = FieldError::new(FieldErrorKind::NotSupported, name, value, why);
    Status::invalid(options, "", &[error]).into()
}

fn unsupported_stage(options: &str, stage: &str) -> Refusal {
    let why = "supported values: \"All\"";
    let kind = FieldErrorKind::NotSupported;
    let error = FieldError::new(kind, "dryRun", json!([stage]), why);
    Status::invalid(options, "", &[error]).into()
}

fn invalid(name: &str, value: &str) -> Refusal {
    Status::bad_request(format!("invalid value for {name}: {value:?}")).into()
}
