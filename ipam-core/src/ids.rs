//! Identifiers, each with a type of its own, parsed once at the edge.
//!
//! Holding one is proof that its text was accepted: an empty instance id, which would list the
//! interfaces of a whole account (cilium/cilium#15682), cannot exist. A clone costs no allocation.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::str::FromStr;

/// Why a text is not an identifier of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {kind}: expected {expected}")]
pub struct InvalidId {
    /// The kind that was asked for, with its article: `an ENI id`.
    pub kind: &'static str,
    /// The text as it was given.
    pub text: String,
    /// What such an identifier looks like.
    pub expected: &'static str,
}

/// No identifier of EC2 or Kubernetes is longer: a DNS subdomain has at most 253 characters (RFC 1123).
const LENGTH_MAX: usize = 253;

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident: $kind:literal, $expected:literal, $accepts:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text as it was parsed.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let accepts: fn(&str) -> bool = $accepts;
                if text.len() <= LENGTH_MAX && accepts(text) {
                    return Ok(Self(Arc::from(text)));
                }
                Err(InvalidId { kind: $kind, text: text.into(), expected: $expected })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )*};
}

identifiers! {
    /// An elastic network interface: `eni-0a1b2c3d4e5f60718`.
    EniId: "an ENI id", "`eni-` and lower-case letters or digits", |text| ec2_id(text, "eni-");
    /// The attachment of an interface to an instance: `eni-attach-0a1b2c3d`.
    AttachmentId: "an attachment id", "`eni-attach-` and lower-case letters or digits", |text| ec2_id(text, "eni-attach-");
    /// An instance: `i-0a1b2c3d4e5f60718`.
    InstanceId: "an instance id", "`i-` and lower-case letters or digits", |text| ec2_id(text, "i-");
    /// A subnet: `subnet-0a1b2c3d4e5f60718`.
    SubnetId: "a subnet id", "`subnet-` and lower-case letters or digits", |text| ec2_id(text, "subnet-");
    /// A VPC: `vpc-0a1b2c3d4e5f60718`.
    VpcId: "a VPC id", "`vpc-` and lower-case letters or digits", |text| ec2_id(text, "vpc-");
    /// A security group: `sg-0a1b2c3d4e5f60718`.
    SecurityGroupId: "a security group id", "`sg-` and lower-case letters or digits", |text| ec2_id(text, "sg-");
    /// A route table: `rtb-0a1b2c3d4e5f60718`.
    RouteTableId: "a route table id", "`rtb-` and lower-case letters or digits", |text| ec2_id(text, "rtb-");
    /// The name of an availability zone: `eu-west-1a`.
    ZoneName: "an availability zone", "lower-case letters, digits and `-`", |text| made_of(text, "-");
    /// The name of an instance type: `m5.large`. Whether the type exists is for the limits to say.
    InstanceType: "an instance type", "lower-case letters, digits, `-` and `.`", |text| made_of(text, "-.");
    /// The name of a Kubernetes Node, which is also that of its `CiliumNode`.
    NodeName: "a node name", "a DNS subdomain: lower-case letters, digits, `-` and `.`", is_dns_subdomain;
}

fn ec2_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| made_of(rest, ""))
}

/// Whether `text` is not empty and has nothing but lower-case letters, digits and `also`.
fn made_of(text: &str, also: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(c);
    !text.is_empty() && text.chars().all(allowed)
}

/// Labels between dots, each of which starts and ends with a letter or digit (RFC 1123).
fn is_dns_subdomain(text: &str) -> bool {
    text.split('.').all(is_dns_label)
}

fn is_dns_label(text: &str) -> bool {
    made_of(text, "-") && !text.starts_with('-') && !text.ends_with('-')
}

/// A pod: `namespace/name`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodKey {
    text: Arc<str>,
    /// Where the slash is in `text`.
    slash: usize,
}

impl PodKey {
    /// The namespace of the pod.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.text[..self.slash]
    }

    /// The name of the pod in its namespace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.text[self.slash + 1..]
    }

    /// `namespace/name`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for PodKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId {
            kind: "a pod",
            text: text.into(),
            expected: "`namespace/name` in lower-case letters, digits, `-` and `.`",
        };
        let (namespace, name) = text.split_once('/').ok_or_else(invalid)?;
        let fits = namespace.len() <= LENGTH_MAX && name.len() <= LENGTH_MAX;
        if !(fits && is_dns_label(namespace) && is_dns_subdomain(name)) {
            return Err(invalid());
        }
        Ok(Self { slash: namespace.len(), text: Arc::from(text) })
    }
}

impl fmt::Display for PodKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for PodKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// The hardware address of an interface, written `02:00:00:ad:eb:66`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress([u8; 6]);

impl FromStr for MacAddress {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId {
            kind: "a MAC address",
            text: text.into(),
            expected: "six pairs of hexadecimal digits between colons",
        };
        let mut octets = [0; 6];
        let mut pairs = text.split(':');
        for octet in &mut octets {
            let pair = pairs.next().ok_or_else(invalid)?;
            if pair.len() != 2 || !pair.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(invalid());
            }
            *octet = u8::from_str_radix(pair, 16).map_err(|_| invalid())?;
        }
        if pairs.next().is_some() {
            return Err(invalid());
        }
        Ok(Self(octets))
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(formatter, "{first:02x}")?;
        rest.iter().try_for_each(|octet| write!(formatter, ":{octet:02x}"))
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
