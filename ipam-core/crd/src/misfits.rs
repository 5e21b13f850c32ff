//! What of an object does not have the shape that the schema gives it.
//!
//! Nothing else in the object suffers from it. A misfit is taken out before the rest is read, and put
//! back when the object is written. Where it was an entry of a map or of a list, an empty one stands
//! in its place, so that keys still count and indices stay what they are.

use std::fmt;
use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::{Value, json};

/// The schema of the whole object, which knows the type of every member.
static SCHEMA: LazyLock<JSONSchemaProps> = LazyLock::new(|| {
    let versions = crate::crd().spec.versions.into_iter();
    let mut schemas = versions.filter_map(|version| version.schema?.open_api_v3_schema);
    schemas.next_back().unwrap_or_default()
});

/// What of an object does not fit, disjoint and in the order of the members.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Misfits(Vec<Misfit>);

/// One part of an object that does not have the type the schema gives it, kept as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    steps: Vec<Step>,
    expected: &'static str,
    value: Value,
    /// What stands in its place; nothing does in place of a member.
    stand_in: Option<Value>,
}

/// One step from an object to what is in it.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// To a member of a struct.
    Member(String),
    /// To an entry of a map.
    Key(String),
    /// To an entry of a list.
    Index(usize),
}

impl Misfits {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Misfit> {
        self.0.iter()
    }

    /// Whether everything fits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes out of `object` what does not fit.
    pub(crate) fn take_out(object: &mut Value) -> Self {
        let mut misfits = Self::default();
        misfits.take_members(object, &SCHEMA, None);
        misfits
    }

    /// Puts all of them back where nothing else has come into their places.
    pub(crate) fn put_back(&self, object: &mut Value) {
        for misfit in &self.0 {
            misfit.put_back(object);
        }
    }

    fn take_members(&mut self, value: &mut Value, schema: &JSONSchemaProps, at: Option<&Place>) {
        match value {
            Value::Object(members) => {
                for (name, schema) in schema.properties.iter().flatten() {
                    // A `null` in place of a member is read as absent.
                    let Some(member) = members.get_mut(name).filter(|it| !it.is_null()) else {
                        continue;
                    };
                    let place = Place { before: at, step: StepRef::Member(name) };
                    if self.take(member, schema, &place) {
                        members.remove(name);
                    }
                }
                if let Some(JSONSchemaPropsOrBool::Schema(schema)) = &schema.additional_properties {
                    for (key, entry) in members {
                        let step = StepRef::Key(key);
                        self.take_entry(entry, schema, &Place { before: at, step });
                    }
                }
            }
            Value::Array(items) => {
                if let Some(JSONSchemaPropsOrArray::Schema(schema)) = &schema.items {
                    for (i, item) in items.iter_mut().enumerate() {
                        let step = StepRef::Index(i);
                        self.take_entry(item, schema, &Place { before: at, step });
                    }
                }
            }
            _ => {}
        }
    }

    fn take_entry(&mut self, entry: &mut Value, schema: &JSONSchemaProps, at: &Place) {
        if self.take(entry, schema, at)
            && let Some(misfit) = self.0.last_mut()
        {
            let stand_in = empty(schema);
            *entry = stand_in.clone();
            misfit.stand_in = Some(stand_in);
        }
    }

    /// Takes `value`, or what is in it. Says whether it was `value` itself.
    fn take(&mut self, value: &mut Value, schema: &JSONSchemaProps, at: &Place) -> bool {
        let Some(expected) = expected(value, schema) else {
            self.take_members(value, schema, Some(at));
            return false;
        };
        let value = value.take();
        self.0.push(Misfit { steps: at.steps(), expected, value, stand_in: None });
        true
    }
}

/// Where the search is. Written out only when something does not fit.
struct Place<'a> {
    before: Option<&'a Place<'a>>,
    step: StepRef<'a>,
}

/// A [`Step`] of the search.
enum StepRef<'a> {
    Member(&'a str),
    Key(&'a str),
    Index(usize),
}

impl Place<'_> {
    fn steps(&self) -> Vec<Step> {
        let mut steps = self.before.map(Place::steps).unwrap_or_default();
        steps.push(match self.step {
            StepRef::Member(name) => Step::Member(name.to_owned()),
            StepRef::Key(key) => Step::Key(key.to_owned()),
            StepRef::Index(i) => Step::Index(i),
        });
        steps
    }
}

impl Misfit {
    /// Where it is, as one would write it in code: `spec.ipam.pool["10.0.0.1"].owner`.
    #[must_use]
    pub fn path(&self) -> String {
        let path: String = self.steps.iter().map(ToString::to_string).collect();
        path.trim_start_matches('.').to_owned()
    }

    /// What was expected there, with its article: `a text`.
    #[must_use]
    pub const fn expected(&self) -> &'static str {
        self.expected
    }

    /// What is there.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// Whether it stands at the member `path`, around it or in it.
    pub(crate) fn touches(&self, path: &str) -> bool {
        is_at_or_in(&self.path(), path) || self.holds(path)
    }

    /// Whether it stands at the member `path` or around it.
    pub(crate) fn holds(&self, path: &str) -> bool {
        is_at_or_in(path, &self.path())
    }

    fn put_back(&self, object: &mut Value) {
        let Some((last, steps)) = self.steps.split_last() else { return };
        let place = steps.iter().try_fold(object, |value, step| match step {
            Step::Member(name) | Step::Key(name) => value.get_mut(name),
            Step::Index(i) => value.get_mut(i),
        });
        let Some(place) = place else { return };
        let entry = match last {
            Step::Member(name) => {
                if let Some(members) = place.as_object_mut() {
                    members.entry(name).or_insert_with(|| self.value.clone());
                }
                return;
            }
            Step::Key(key) => place.get_mut(key),
            Step::Index(i) => place.get_mut(i),
        };
        if let Some(entry) = entry.filter(|entry| Some(&**entry) == self.stand_in.as_ref()) {
            *entry = self.value.clone();
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(name) => write!(to, ".{name}"),
            Self::Key(key) => write!(to, "[{key:?}]"),
            Self::Index(i) => write!(to, "[{i}]"),
        }
    }
}

/// Whether `path` is `outer` or leads into it.
fn is_at_or_in(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// What the schema expects where `value` is something else.
fn expected(value: &Value, schema: &JSONSchemaProps) -> Option<&'static str> {
    let (fits, expected) = match schema.type_.as_deref()? {
        "object" => (value.is_object(), "an object"),
        "array" => (value.is_array(), "a list"),
        "string" => (value.is_string(), "a text"),
        "integer" => (value.is_i64(), "a whole number"),
        "boolean" => (value.is_boolean(), "true or false"),
        _ => return None,
    };
    (!fits).then_some(expected)
}

/// The empty value of the schema's type.
fn empty(schema: &JSONSchemaProps) -> Value {
    match schema.type_.as_deref() {
        Some("array") => json!([]),
        Some("string") => json!(""),
        Some("integer") => json!(0),
        Some("boolean") => json!(false),
        _ => json!({}),
    }
}
