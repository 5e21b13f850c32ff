//! Values of parameters, each read with the refusal that EC2 gives for it.

use std::str::FromStr;

use crate::error::ApiError;
use crate::id::InvalidId;

/// An identifier of a kind that begins with its own prefix.
pub(super) fn id<Id: FromStr<Err = InvalidId>>(_name: &str, value: &str) -> Result<Id, ApiError> {
    value.parse().map_err(|error: InvalidId| ApiError::malformed(value, error.prefix))
}

/// Any text.
#[expect(clippy::unnecessary_wraps, reason = "one of the readers of values, which may fail")]
pub(super) fn text(_name: &str, value: &str) -> Result<String, ApiError> {
    Ok(value.to_owned())
}

/// A number; what it may be is for the machine to say.
pub(super) fn integer(name: &str, value: &str) -> Result<i64, ApiError> {
    value
        .parse()
        .map_err(|_| ApiError::invalid_value_because(name, value, "An integer is expected."))
}

/// `true` or `false`.
pub(super) fn boolean(name: &str, value: &str) -> Result<bool, ApiError> {
    value
        .parse()
        .map_err(|_| ApiError::invalid_value_because(name, value, "true or false is expected."))
}

/// An address of the family that the caller wants.
pub(super) fn address<Address: FromStr>(name: &str, value: &str) -> Result<Address, ApiError> {
    value.parse().map_err(|_| {
        ApiError::invalid_value_because(name, value, "This is not a valid IP address.")
    })
}

/// A CIDR block of the family that the caller wants, without bits behind the mask.
pub(super) fn block<Net>(name: &str, value: &str) -> Result<Net, ApiError>
where
    Net: FromStr + Into<ipnet::IpNet> + Clone,
{
    let network: Option<Net> = value.parse().ok();
    let aligned = |network: &Net| {
        let network: ipnet::IpNet = network.clone().into();
        network.addr() == network.network()
    };
    network.filter(aligned).ok_or_else(|| {
        ApiError::invalid_value_because(name, value, "This is not a valid CIDR block.")
    })
}
