//! Reads schemas.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::format::Format;
use super::{Additional, Bounds, ListType, Node, Pattern, member, pattern};

/// What makes a schema unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {fault}")]
pub struct SchemaError {
    /// Where it stands below `openAPIV3Schema`, `properties[spec].type`.
    pub path: String,
    /// What is wrong there.
    pub fault: String,
}

/// The keywords that a structural schema may not use.
const UNSUPPORTED: [&str; 6] =
    ["$ref", "additionalItems", "definitions", "dependencies", "id", "patternProperties"];

/// What only describes structure, and therefore may not stand below a combination.
const STRUCTURE: [&str; 10] = [
    "type",
    "additionalProperties",
    "default",
    "title",
    "description",
    "nullable",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-type",
];

/// Where a schema stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Structure,
    /// Below `allOf`, `anyOf`, `oneOf` or `not`.
    Combination,
}

/// Reads a whole schema.
pub(super) fn root(written: &Value) -> Result<Node, SchemaError> {
    let node = Reader { path: String::new(), members: object(written, "")? }.node(Level::Root)?;
    if node.types != ["object"] {
        return Err(fault("type", "must be object at the root"));
    }
    Ok(node)
}

fn fault(path: impl Into<String>, fault: impl Into<String>) -> SchemaError {
    SchemaError { path: path.into(), fault: fault.into() }
}

fn object<'a>(value: &'a Value, path: &str) -> Result<&'a Map<String, Value>, SchemaError> {
    value.as_object().ok_or_else(|| fault(path, "must be an object"))
}

/// One schema as written, and where it stands.
struct Reader<'a> {
    path: String,
    members: &'a Map<String, Value>,
}

impl<'a> Reader<'a> {
    fn node(&self, level: Level) -> Result<Node, SchemaError> {
        self.refuse(level)?;
        let int_or_string = self.truth("x-kubernetes-int-or-string")?;
        let types = self.types(int_or_string)?;
        let node = Node {
            nullable: self.truth("nullable")?,
            format: self.format(&types)?,
            default: self.members.get("default").cloned(),
            properties: self.properties(level)?,
            additional: self.additional()?,
            items: self.child("items", level)?,
            preserve: self.truth("x-kubernetes-preserve-unknown-fields")?,
            embedded: self.truth("x-kubernetes-embedded-resource")?,
            list: self.list()?,
            required: self.texts("required")?,
            bounds: self.bounds()?,
            pattern: self.pattern()?,
            allowed: self.array("enum")?.to_vec(),
            all_of: self.combination("allOf")?,
            any_of: self.combination("anyOf")?,
            one_of: self.combination("oneOf")?,
            not: self.child("not", Level::Combination)?,
            types,
        };
        self.check_structure(&node, level, int_or_string)?;
        Ok(node)
    }

    fn at(&self, name: &str) -> String {
        member(&self.path, name)
    }

    fn fault(&self, name: &str, why: impl Into<String>) -> SchemaError {
        fault(self.at(name), why)
    }

    fn refuse(&self, level: Level) -> Result<(), SchemaError> {
        let set = |name: &&&str| {
            self.members.get(**name).is_some_and(|value| *value != Value::Bool(false))
        };
        if let Some(name) = UNSUPPORTED.iter().find(set) {
            return Err(self.fault(name, format!("{name} is not supported")));
        }
        if self.truth("uniqueItems")? {
            let why =
                "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
            return Err(self.fault("uniqueItems", why));
        }
        // `type: integer` or `string` stands below `anyOf` wherever `x-kubernetes-int-or-string` does.
        let mut structure = STRUCTURE.iter().filter(|name| **name != "type" || !self.is_choice());
        match structure.find(set) {
            Some(name) if level == Level::Combination => {
                Err(self.fault(name, "must be undefined to be structural"))
            }
            _ => Ok(()),
        }
    }

    /// Whether this is one half of what goes with `x-kubernetes-int-or-string`.
    fn is_choice(&self) -> bool {
        let kind = self.members.get("type").and_then(Value::as_str);
        self.members.len() == 1 && matches!(kind, Some("integer" | "string"))
    }

    fn check_structure(
        &self,
        node: &Node,
        level: Level,
        int_or_string: bool,
    ) -> Result<(), SchemaError> {
        if level == Level::Combination {
            return Ok(());
        }
        if level == Level::Root && node.additional.is_some() {
            return Err(self.fault("additionalProperties", "must not be used at the root"));
        }
        if node.additional.is_some() && !node.properties.is_empty() {
            let why = "additionalProperties and properties are mutual exclusive";
            return Err(self.fault("additionalProperties", why));
        }
        if node.types == ["array"] && node.items.is_none() {
            return Err(self.fault("items", "must be specified"));
        }
        if node.types.is_empty() && !node.preserve {
            return Err(self.fault("type", "must not be empty"));
        }
        if node.embedded && node.types != ["object"] {
            let why = "must be object if x-kubernetes-embedded-resource is true";
            return Err(self.fault("type", why));
        }
        if int_or_string && (node.preserve || node.embedded) {
            let why = "must be false if it is preserved or embedded as a whole";
            return Err(self.fault("x-kubernetes-int-or-string", why));
        }
        Ok(())
    }

    fn types(&self, int_or_string: bool) -> Result<Vec<&'static str>, SchemaError> {
        if int_or_string {
            return Ok(vec!["integer", "string"]);
        }
        let known = ["array", "boolean", "integer", "number", "object", "string"];
        match self.text("type")? {
            None => Ok(Vec::new()),
            Some(written) => match known.into_iter().find(|known| *known == written) {
                Some(kind) => Ok(vec![kind]),
                None => {
                    Err(self.fault("type", format!("is {written:?} and must be one of {known:?}")))
                }
            },
        }
    }

    fn format(&self, types: &[&'static str]) -> Result<Option<Format>, SchemaError> {
        let Some(written) = self.text("format")? else { return Ok(None) };
        Format::read(written, types).map_err(|why| self.fault("format", why))
    }

    fn properties(&self, level: Level) -> Result<BTreeMap<String, Node>, SchemaError> {
        let Some(written) = self.members.get("properties") else { return Ok(BTreeMap::new()) };
        let path = self.at("properties");
        let below = if level == Level::Combination { level } else { Level::Structure };
        let read = |(name, written): (&String, &'a Value)| {
            let path = format!("{path}[{name}]");
            let members = object(written, &path)?;
            // Of the metadata at the root a schema may only limit the name, which is not implemented.
            if level == Level::Root && name == "metadata" && members.contains_key("properties") {
                return Err(fault(path, "rules about metadata are not implemented"));
            }
            Ok((name.clone(), Reader { path, members }.node(below)?))
        };
        object(written, &path)?.iter().map(read).collect()
    }

    fn additional(&self) -> Result<Option<Additional>, SchemaError> {
        match self.members.get("additionalProperties") {
            None => Ok(None),
            Some(Value::Bool(true)) => Ok(Some(Additional::Any)),
            Some(Value::Bool(false)) => {
                Err(self
                    .fault("additionalProperties", "additionalProperties cannot be set to false"))
            }
            Some(_) => {
                let node = self.child("additionalProperties", Level::Structure)?;
                Ok(node.map(Additional::Described))
            }
        }
    }

    /// The schema that a member holds.
    fn child(&self, name: &str, level: Level) -> Result<Option<Box<Node>>, SchemaError> {
        let Some(written) = self.members.get(name) else { return Ok(None) };
        let path = self.at(name);
        let members = object(written, &path)?;
        let level = if level == Level::Root { Level::Structure } else { level };
        Ok(Some(Box::new(Reader { path, members }.node(level)?)))
    }

    fn combination(&self, name: &str) -> Result<Vec<Node>, SchemaError> {
        let read = |(index, written): (usize, &'a Value)| {
            let path = format!("{}[{index}]", self.at(name));
            let members = object(written, &path)?;
            Reader { path, members }.node(Level::Combination)
        };
        self.array(name)?.iter().enumerate().map(read).collect()
    }

    fn list(&self) -> Result<ListType, SchemaError> {
        match self.text("x-kubernetes-list-type")? {
            None | Some("atomic") => Ok(ListType::Atomic),
            Some("set") => Ok(ListType::Set),
            Some("map") => {
                let keys = self.texts("x-kubernetes-list-map-keys")?;
                if keys.is_empty() {
                    let why = "must not be empty if x-kubernetes-list-type is map";
                    return Err(self.fault("x-kubernetes-list-map-keys", why));
                }
                Ok(ListType::Map(keys))
            }
            Some(_) => {
                Err(self.fault("x-kubernetes-list-type", "must be one of atomic, set and map"))
            }
        }
    }

    fn bounds(&self) -> Result<Bounds, SchemaError> {
        Ok(Bounds {
            minimum: self.number("minimum")?,
            exclusive_minimum: self.truth("exclusiveMinimum")?,
            maximum: self.number("maximum")?,
            exclusive_maximum: self.truth("exclusiveMaximum")?,
            multiple_of: self.factor()?,
            min_length: self.count("minLength")?,
            max_length: self.count("maxLength")?,
            min_items: self.count("minItems")?,
            max_items: self.count("maxItems")?,
            min_properties: self.count("minProperties")?,
            max_properties: self.count("maxProperties")?,
        })
    }

    fn factor(&self) -> Result<Option<f64>, SchemaError> {
        let factor = self.number("multipleOf")?;
        if factor.is_some_and(|factor| factor <= 0.0) {
            return Err(self.fault("multipleOf", "must be greater than 0"));
        }
        Ok(factor)
    }

    fn pattern(&self) -> Result<Option<Pattern>, SchemaError> {
        let Some(written) = self.text("pattern")?.filter(|written| !written.is_empty()) else {
            return Ok(None);
        };
        let expression = pattern::compile(written).map_err(|error| {
            let why = format!("must be a valid regular expression, but isn't: {error}");
            self.fault("pattern", why)
        })?;
        Ok(Some(Pattern { written: written.to_owned(), expression }))
    }

    /// A member read by one of the readers of [`Value`]; null is no member.
    fn read<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, SchemaError> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match read(value) {
                Some(value) => Ok(Some(value)),
                None => Err(self.fault(name, format!("must be {expected}"))),
            },
        }
    }

    fn truth(&self, name: &str) -> Result<bool, SchemaError> {
        Ok(self.read(name, "true or false", Value::as_bool)?.unwrap_or(false))
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, SchemaError> {
        self.read(name, "a string", Value::as_str)
    }

    fn number(&self, name: &str) -> Result<Option<f64>, SchemaError> {
        self.read(name, "a number", Value::as_f64)
    }

    fn count(&self, name: &str) -> Result<Option<u64>, SchemaError> {
        self.read(name, "a whole number that is not negative", Value::as_u64)
    }

    fn array(&self, name: &str) -> Result<&'a [Value], SchemaError> {
        let array = |value: &'a Value| value.as_array().map(Vec::as_slice);
        Ok(self.read(name, "a list", array)?.unwrap_or_default())
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, SchemaError> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let texts: Option<Vec<String>> = self.array(name)?.iter().map(text).collect();
        texts.ok_or_else(|| self.fault(name, "must be a list of strings"))
    }
}
