//! Where things stand in a file.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::spec::{Problem, SpecError};

/// A file and its text: what reads it says of everything that is wrong where it stands.
#[derive(Debug, Clone)]
pub struct Source {
    file: String,
    text: String,
}

impl Source {
    /// A file of that name with that text.
    #[must_use]
    pub fn new(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.to_owned() }
    }

    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// [`SpecError`] for what is neither YAML nor JSON, or no such value.
    pub fn read<Value: DeserializeOwned>(&self) -> Result<Value, SpecError> {
        let mut field = String::new();
        let read = serde_saphyr::with_deserializer_from_str(&self.text, |deserializer| {
            serde_path_to_error::deserialize(deserializer).map_err(|error| {
                field = error.path().to_string();
                error.into_inner()
            })
        });
        read.map_err(|error| {
            let at = error.location().map(|location| (location.line(), location.column()));
            let message = message(error.without_snippet());
            let field = field.trim_start_matches('.').trim_end_matches(".?").trim_end_matches('?');
            SpecError { file: self.file.clone(), at, field: field.to_owned(), message }
        })
    }

    /// What is wrong with the part at `part`, such as `subnets[1].cidr`, with the place where it stands.
    #[must_use]
    pub fn error(&self, part: &str, problem: &Problem) -> SpecError {
        let mut field = [part, problem.field.as_str()].join(".");
        field = field.trim_matches('.').to_owned();
        let tree = serde_saphyr::from_str::<Spanned<Node>>(&self.text).ok();
        let at = tree.map(|tree| {
            let mut found = follow(&tree, &field);
            if let Some((path, node)) = problem.value.as_ref().and_then(|value| seek(found, value))
            {
                field.push_str(&path);
                found = node;
            }
            (found.referenced.line(), found.referenced.column())
        });
        let field = field.trim_start_matches('.').to_owned();
        SpecError { file: self.file.clone(), at, field, message: problem.message.clone() }
    }
}

/// How the reader of YAML says some things, and how people do.
const WORDS: &[(&str, &str)] = &[
    ("expected mapping start", "expected fields with values"),
    ("expected sequence start", "expected a list"),
    ("unexpected end of input", "expected fields with values"),
    ("invalid i64", "expected a whole number"),
    ("invalid u16", "expected a whole number, 0 to 65535"),
    ("invalid u32", "expected a whole number, 0 or more"),
    ("invalid u64", "expected a whole number, 0 or more"),
    (
        "multiple YAML documents detected",
        "expected one document: there are several, with `---` between them",
    ),
];

/// The text of an error for people: without the place, which stands in front of it already, and without advice for programmers.
fn message(error: &serde_saphyr::Error) -> String {
    let text = error.to_string();
    let mut text = text.lines().next().unwrap_or_default();
    for end in [" at line ", "; use ", ", set DuplicateKeyPolicy"] {
        text = text.split_once(end).map_or(text, |(text, _)| text);
    }
    let plain = WORDS.iter().find(|(said, _)| *said == text).map_or(text, |(_, plain)| plain);
    plain.to_owned() + &hint(plain)
}

/// What was meant, perhaps, where an error lists all that there is.
fn hint(message: &str) -> String {
    let unknown = message.split_once(" `").and_then(|(_, rest)| rest.split_once('`'));
    let Some((said, rest)) = unknown else { return String::new() };
    let Some(known) = rest.strip_prefix(", expected one of ") else { return String::new() };
    suggestion(said, known.split(", "))
}

/// `; did you mean ...?` with the name that is most like `said`, if any is.
pub fn suggestion<'a>(said: &str, known: impl Iterator<Item = &'a str>) -> String {
    let likeness = known.map(|name| (strsim::jaro_winkler(said, name), name));
    let closest = likeness.max_by(|(one, _), (other, _)| one.total_cmp(other));
    match closest {
        Some((likeness, name)) if likeness > LIKE => format!("; did you mean `{name}`?"),
        _ => String::new(),
    }
}

/// From when on two names are alike, of 1 for the same name.
const LIKE: f64 = 0.85;

/// Anything that a file can hold.
#[derive(Debug)]
enum Node {
    Scalar(String),
    List(Vec<Spanned<Node>>),
    Map(Vec<(String, Spanned<Node>)>),
}

/// The part of `tree` at a path such as `subnets[1].cidr`, or the last part on the way that is there.
fn follow<'a>(tree: &'a Spanned<Node>, path: &str) -> &'a Spanned<Node> {
    let mut found = tree;
    for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
        let next = match &found.value {
            Node::Scalar(_) => None,
            Node::List(items) => {
                let position: Option<usize> = step.trim_end_matches(']').parse().ok();
                position.and_then(|position| items.get(position))
            }
            Node::Map(entries) => {
                entries.iter().find(|(name, _)| name == step).map(|(_, value)| value)
            }
        };
        let Some(next) = next else { break };
        found = next;
    }
    found
}

/// The first scalar of `part` that is `value`, with the path to it.
fn seek<'a>(part: &'a Spanned<Node>, value: &str) -> Option<(String, &'a Spanned<Node>)> {
    let behind = |step: String, inner: &'a Spanned<Node>| {
        let (path, found) = seek(inner, value)?;
        Some((step + &path, found))
    };
    match &part.value {
        Node::Scalar(text) => (text == value).then(|| (String::new(), part)),
        Node::List(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(position, item)| behind(format!("[{position}]"), item))
        }
        Node::Map(entries) => {
            entries.iter().find_map(|(name, inner)| behind(format!(".{name}"), inner))
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(String::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}
