//! The form in which a client wants objects.

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Objects as they are.
    #[default]
    Whole,
    /// Only their metadata.
    Partial,
    /// Rows of a table, made from the printer columns.
    Table,
}

/// The media types that are answered with.
pub(crate) const ACCEPTED: [&str; 1] = ["application/json"];

/// The first form of an `Accept` header that can be had; `None` where there is none.
pub(crate) fn form(accept: &str) -> Option<Form> {
    if accept.trim().is_empty() {
        return Some(Form::Whole);
    }
    accept.split(',').find_map(clause)
}

fn clause(clause: &str) -> Option<Form> {
    let mut words = clause.split(';').map(str::trim);
    let media = words.next()?;
    if !matches!(media, "application/json" | "application/*" | "*/*") {
        return None;
    }
    let parameter = |name: &str| {
        let mut parameters =
            clause.split(';').skip(1).filter_map(|word| word.trim().split_once('='));
        parameters.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let own = parameter("g") == Some("meta.k8s.io") && parameter("v") == Some("v1");
    match parameter("as") {
        None => Some(Form::Whole),
        Some("Table") if own => Some(Form::Table),
        Some("PartialObjectMetadata" | "PartialObjectMetadataList") if own => Some(Form::Partial),
        Some(_) => None,
    }
}
