//! Identifiers of EC2's resources: a prefix that names the kind, and 8 or 17 hexadecimal digits, such as `eni-0123456789abcdef0`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A text that is no identifier of the kind that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no id of the form {prefix}xxxxxxxx or {prefix}xxxxxxxxxxxxxxxxx (8 or 17 hexadecimal digits)"
)]
pub struct InvalidId {
    /// What was given.
    pub text: String,
    /// How such an identifier begins, dash included.
    pub prefix: &'static str,
}

/// Whether `text` is `prefix` and 8 or 17 lower-case hexadecimal digits.
fn well_formed(text: &str, prefix: &str) -> bool {
    let digits = text.strip_prefix(prefix).unwrap_or_default();
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    matches!(digits.len(), 8 | 17) && digits.bytes().all(hexadecimal)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// How identifiers of this kind begin.
            pub const PREFIX: &'static str = $prefix;

            /// The identifier of 17 digits whose last 16 are `number`.
            #[must_use]
            pub fn from_number(number: u64) -> Self {
                Self(format!(concat!($prefix, "0{:016x}"), number).into())
            }

            /// The identifier as EC2 writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Takes 8 or 17 hexadecimal digits behind the prefix.
            ///
            /// # Errors
            ///
            /// [`InvalidId`] for anything else.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if well_formed(text, $prefix) {
                    return Ok(Self(text.into()));
                }
                Err(InvalidId { text: text.to_owned(), prefix: $prefix })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(/** A VPC. */ VpcId, "vpc-");
id!(/** A subnet. */ SubnetId, "subnet-");
id!(/** A network interface. */ InterfaceId, "eni-");
id!(/** The attachment of a network interface to an instance. */ AttachmentId, "eni-attach-");
id!(/** An instance. */ InstanceId, "i-");
id!(/** A security group. */ GroupId, "sg-");
id!(/** A route table. */ RouteTableId, "rtb-");
id!(/** The association of a route table with a subnet. */ RouteAssociationId, "rtbassoc-");
id!(/** An Elastic IP address that was allocated. */ AllocationId, "eipalloc-");
id!(/** The association of an Elastic IP address with a private one. */ AddressAssociationId, "eipassoc-");
id!(/** A CIDR reservation of a subnet. */ ReservationId, "scr-");

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let parsed = text.parse::<InterfaceId>();
        let shown = parsed.map_or_else(|error| error.to_string(), |id| id.to_string());
        assert_eq!(shown, expected);
    }

    #[test]
    fn both_lengths_are_taken() {
        check("eni-0a1b2c3d", "eni-0a1b2c3d");
        check("eni-0123456789abcdef0", "eni-0123456789abcdef0");
        assert_eq!(InterfaceId::from_number(0xab).as_str(), "eni-000000000000000ab");
    }

    #[test]
    fn anything_else_is_refused() {
        let form = "is no id of the form eni-xxxxxxxx or eni-xxxxxxxxxxxxxxxxx (8 or 17 hexadecimal digits)";
        for text in
            ["", "eni-", "eni-0a1b2c3", "eni-0A1B2C3D", "subnet-0a1b2c3d", "eni-attach-0a1b2c3d"]
        {
            check(text, &format!("`{text}` {form}"));
        }
    }
}
