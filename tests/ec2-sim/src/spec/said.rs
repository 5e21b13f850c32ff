//! Values that are written as text.

use std::borrow::Cow;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::de::{Deserialize, Deserializer, Error};

/// What is expected where a text is no value of this type.
pub trait Expected: FromStr {
    /// Such as `an IPv4 block, such as 10.0.0.0/16`.
    const EXPECTED: &'static str;
}

impl Expected for Ipv4Net {
    const EXPECTED: &'static str = "an IPv4 block, such as 10.0.0.0/16";
}

impl Expected for Ipv6Net {
    const EXPECTED: &'static str = "an IPv6 block, such as 2001:db8::/64";
}

impl Expected for IpNet {
    const EXPECTED: &'static str = "a block, such as 10.0.0.0/16 or 2001:db8::/56";
}

impl Expected for jiff::Timestamp {
    const EXPECTED: &'static str = "a moment, such as 2026-01-01T00:00:00Z";
}

/// A value of a type that knows nothing of serde.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said<Value>(pub Value);

impl<'de, Value: Expected> Deserialize<'de> for Said<Value> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let value = text.parse();
        let refused = |_| D::Error::custom(format!("`{text}`: expected {}", Value::EXPECTED));
        value.map(Self).map_err(refused)
    }
}

/// The values themselves.
pub(super) fn values<Value: Copy>(said: &[Said<Value>]) -> Vec<Value> {
    said.iter().map(|said| said.0).collect()
}
