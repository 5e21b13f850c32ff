//! Which objects a list, watch or collection delete is about.

mod field;
mod label;
mod label_name;
mod lexer;
#[cfg(test)]
mod tests;

pub use field::FieldSelector;
pub use label::LabelSelector;
pub(crate) use label_name::{key_faults, value_faults};

/// A selector that cannot be read, or names a field that cannot be selected by. The message is the server's; the
/// answer is 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(String);
