//! What a path is about.

use percent_encoding::percent_decode_str;

/// Something that the API has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Path {
    /// Objects, or one of them.
    Objects(Target),
    /// A document about the API itself, by its path without slashes at its ends.
    Document(String),
}

/// A resource, an object or a subresource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
}

/// Refuses names that could be mistaken for a part of a path.
pub(crate) fn check_name(target: &Target) -> Result<(), String> {
    let name = target.name.as_deref().unwrap_or_default();
    let why = match name {
        "." => "may not be '.'",
        ".." => "may not be '..'",
        name if name.contains('%') => "may not contain '%'",
        _ => return Ok(()),
    };
    Err(format!("Name parameter invalid: {name:?}: {why}"))
}

/// Takes a path of a URL apart.
pub(crate) fn parse(path: &str) -> Path {
    let path = percent_decode_str(path).decode_utf8_lossy();
    let path = path.trim_matches('/');
    let words: Vec<&str> = path.split('/').collect();
    let (group, version, rest) = match words.as_slice() {
        ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
        ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
        _ => return Path::Document(path.to_owned()),
    };
    let target = Target { group: group.into(), version: version.into(), ..Target::default() };
    let some = |word: &str| Some(word.to_owned());
    Path::Objects(match *rest {
        ["namespaces", name, subresource @ ("status" | "finalize")] => Target {
            plural: "namespaces".into(),
            name: some(name),
            subresource: some(subresource),
            ..target
        },
        ["namespaces", namespace, plural, ref rest @ ..] => Target {
            namespace: some(namespace),
            plural: plural.into(),
            name: rest.first().and_then(|word| some(word)),
            subresource: (1 < rest.len()).then(|| rest[1..].join("/")),
            ..target
        },
        [plural, ref rest @ ..] => Target {
            plural: plural.into(),
            name: rest.first().and_then(|word| some(word)),
            subresource: (1 < rest.len()).then(|| rest[1..].join("/")),
            ..target
        },
        [] => target,
    })
}
