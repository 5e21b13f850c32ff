//! The EC2 Query protocol, version 2016-11-15: a form comes in, XML goes out.
//!
//! Names are those of the API's service model. What the model does not name is refused as EC2 refuses it, and what it names and the
//! machine does not simulate is refused as well, by name: nothing is ignored.

mod decode;
mod encode;
mod form;
mod parameters;
mod plain;
#[cfg(test)]
mod tests;
mod value;
mod xml;

pub use decode::decode;
pub(crate) use encode::{IMAGE, architecture};
pub use encode::{Response, Scene, encode};

use crate::error::ApiError;
use crate::request::Action;

/// The version of the API, which every request names.
pub const VERSION: &str = "2016-11-15";

/// A form that is no request, and the action it names as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The action; none when it is not known.
    pub action: Option<Action>,
    /// What the caller is told.
    pub error: ApiError,
}
