//! One broken rule of an object, worded as the server does.
//!
//! Source: k8s.io/apimachinery v0.36, package `util/validation/field`.

use serde_json::Value;

/// Which kind of rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldErrorKind {
    /// A value that must be there is not.
    Required,
    /// A value appears twice among values that are unique.
    Duplicate,
    /// A value is malformed or out of bounds.
    Invalid,
    /// A value is of another JSON type than its schema says.
    TypeInvalid,
    /// A value is none of those that are allowed.
    NotSupported,
    /// A value may not be set here.
    Forbidden,
    /// A text is longer than allowed.
    TooLong,
    /// A list or map has more members than allowed.
    TooMany,
    /// A list or map has fewer members than required.
    TooFew,
    /// A text is shorter than required.
    TooShort,
}

impl FieldErrorKind {
    /// The reason of a cause.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::TooFew => "FieldValueTooFew",
            Self::TooShort => "FieldValueTooShort",
        }
    }

    /// How the message starts.
    const fn label(self) -> &'static str {
        match self {
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::TooFew => "Too few",
            Self::TooShort => "Too short",
        }
    }

    /// Whether the message shows the value.
    const fn shows_value(self) -> bool {
        !matches!(self, Self::Required | Self::Forbidden | Self::TooLong | Self::TooShort)
    }
}

/// A broken rule, with the field that breaks it.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldError {
    kind: FieldErrorKind,
    field: String,
    value: Value,
    detail: String,
}

impl FieldError {
    /// A broken rule. `field` is a path like `spec.eni.tags[0]` or `metadata.labels[a]`, `<nil>` for the whole
    /// object; `value` is what is wrong there and is shown where the kind of error shows it; `detail` ends the
    /// message and may be empty.
    #[must_use]
    pub fn new(
        kind: FieldErrorKind,
        field: impl Into<String>,
        value: impl Into<Value>,
        detail: impl Into<String>,
    ) -> Self {
        Self { kind, field: field.into(), value: value.into(), detail: detail.into() }
    }

    /// The rule.
    #[must_use]
    pub const fn kind(&self) -> FieldErrorKind {
        self.kind
    }

    /// The path of the field.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The message without the field.
    #[must_use]
    pub fn body(&self) -> String {
        let mut body = self.kind.label().to_owned();
        if self.kind.shows_value() {
            body = format!("{body}: {}", shown(&self.value));
        }
        if !self.detail.is_empty() {
            body = format!("{body}: {}", self.detail);
        }
        body
    }
}

/// A value within a message: as JSON, with the characters escaped that Go escapes for HTML.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        // Without `.0` where there is no fraction, unlike JSON.
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map(|number| number.to_string()).unwrap_or_default()
        }
        Value::Array(_) | Value::Object(_) => value
            .to_string()
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026"),
        value => value.to_string(),
    }
}

/// All messages as one: in brackets when there are several, each said once. None when there are none.
pub(super) fn joined(errors: &[FieldError]) -> Option<String> {
    let mut messages: Vec<String> = Vec::with_capacity(errors.len());
    for error in errors {
        let message = format!("{}: {}", error.field, error.body());
        if !messages.contains(&message) {
            messages.push(message);
        }
    }
    match messages.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        several => Some(format!("[{}]", several.join(", "))),
    }
}
