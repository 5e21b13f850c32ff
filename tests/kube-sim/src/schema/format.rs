//! Formats of strings and numbers.
//!
//! Source: Kubernetes, `CustomResourceDefinitions`, list of formats; k8s.io/kube-openapi, package `validation/strfmt`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A format that is checked. Formats that the server does not know are ignored, as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Byte,
    Cidr,
    Date,
    DateTime,
    Double,
    Float,
    Int32,
    Int64,
    Ipv4,
    Ipv6,
    LongName,
    Mac,
    Password,
    ShortName,
    Uuid,
}

/// Formats that the server checks and that are not checked here.
const NOT_IMPLEMENTED: [&str; 15] = [
    "bsonobjectid",
    "creditcard",
    "duration",
    "email",
    "hexcolor",
    "hostname",
    "isbn",
    "isbn10",
    "isbn13",
    "rgbcolor",
    "ssn",
    "uri",
    "uuid3",
    "uuid4",
    "uuid5",
];

impl Format {
    /// Reads the keyword `format` of a schema of the types.
    ///
    /// # Errors
    ///
    /// The format is one that cannot be checked here.
    pub(super) fn read(written: &str, types: &[&str]) -> Result<Option<Self>, String> {
        Ok(match types {
            ["integer"] => match written {
                "int32" => Some(Self::Int32),
                "int64" => Some(Self::Int64),
                _ => None,
            },
            ["number"] => match written {
                "float" => Some(Self::Float),
                "double" => Some(Self::Double),
                _ => None,
            },
            ["string"] => Self::of_strings(&written.replace('-', ""))?,
            [] | [_, _] => return Err("is implemented only beside one of the types".into()),
            _ => None,
        })
    }

    fn of_strings(written: &str) -> Result<Option<Self>, String> {
        Ok(Some(match written {
            "byte" => Self::Byte,
            "cidr" => Self::Cidr,
            "date" => Self::Date,
            "datetime" => Self::DateTime,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "k8slongname" => Self::LongName,
            "k8sshortname" => Self::ShortName,
            "mac" => Self::Mac,
            "password" => Self::Password,
            "uuid" => Self::Uuid,
            other if NOT_IMPLEMENTED.contains(&other) => {
                return Err(format!("{other} is not implemented"));
            }
            _ => return Ok(None),
        }))
    }

    /// How messages name it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Byte => "byte",
            Self::Cidr => "cidr",
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Double => "double",
            Self::Float => "float",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::LongName => "k8s-long-name",
            Self::Mac => "mac",
            Self::Password => "password",
            Self::ShortName => "k8s-short-name",
            Self::Uuid => "uuid",
        }
    }

    /// Whether the text is of the format. The formats of numbers say nothing about texts.
    pub(super) fn holds(self, text: &str) -> bool {
        match self {
            Self::Byte => is_base64(text),
            Self::Cidr => is_cidr(text),
            Self::Date => is_date(text),
            Self::DateTime => is_date_time(text),
            Self::Ipv4 => text.contains('.') && address(text).is_some(),
            Self::Ipv6 => text.contains(':') && address(text).is_some(),
            Self::LongName => text.len() <= 253 && text.split('.').all(is_label),
            Self::ShortName => text.len() <= 63 && is_label(text),
            Self::Mac => is_mac(text),
            Self::Uuid => is_uuid(text),
            Self::Password | Self::Double | Self::Float | Self::Int32 | Self::Int64 => true,
        }
    }
}

/// An address as the server reads it: with zeros before the numbers of an IPv4 address.
fn address(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    let number = |part: &str| (!part.is_empty()).then(|| digits(part)).flatten()?.try_into().ok();
    let numbers: Option<Vec<u8>> = text.split('.').map(number).collect();
    let numbers: [u8; 4] = numbers?.try_into().ok()?;
    Some(IpAddr::V4(Ipv4Addr::from(numbers)))
}

/// A number of digits alone.
fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn is_cidr(text: &str) -> bool {
    let Some((text, length)) = text.split_once('/') else { return false };
    match (address(text), digits(length)) {
        (Some(IpAddr::V4(_)), Some(length)) => length <= 32,
        (Some(IpAddr::V6(_)), Some(length)) => length <= 128,
        _ => false,
    }
}

fn is_date(text: &str) -> bool {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shaped && text.parse::<jiff::civil::Date>().is_ok()
}

/// A date, `T`, a time with or without a fraction, and `Z` or an offset. The server takes no leap second.
fn is_date_time(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let Some((date, time)) = text.split_once('t') else { return false };
    let (Some(clock), Some(rest)) = (time.get(..8), time.get(8..)) else { return false };
    let Some(zone) = rest.rfind(['z', '+', '-']) else { return false };
    let (fraction, zone) = rest.split_at(zone);
    is_date(date) && is_clock(clock) && is_fraction(fraction) && is_zone(zone)
}

fn is_clock(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let [hour, minute, second] = parts[..] else { return false };
    let below =
        |part: &str, end: u32| part.len() == 2 && digits(part).is_some_and(|number| number < end);
    below(hour, 24) && below(minute, 60) && below(second, 60)
}

/// Nothing, or any one character and digits.
fn is_fraction(text: &str) -> bool {
    let mut characters = text.chars();
    if characters.next().is_none() {
        return true;
    }
    let digits = characters.as_str();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_zone(text: &str) -> bool {
    let pair = |part: &str| part.len() == 2 && digits(part).is_some();
    let Some(offset) = text.strip_prefix(['+', '-']) else { return text == "z" };
    offset.split_once(':').is_some_and(|(hours, minutes)| pair(hours) && pair(minutes))
}

fn is_base64(text: &str) -> bool {
    let content = text.trim_end_matches('=');
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && text.len() - content.len() <= 2
        && content.bytes().all(inside)
}

/// Six, eight or twenty bytes, in pairs of digits between `:` or `-` or in fours between `.`.
fn is_mac(text: &str) -> bool {
    let groups = |separator: char, digits: usize| {
        let mut groups = text.split(separator);
        let all = groups.all(|group| {
            group.len() == digits && group.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let bytes = text.split(separator).count() * digits / 2;
        all && matches!(bytes, 6 | 8 | 20)
    };
    groups(':', 2) || groups('-', 2) || groups('.', 4)
}

/// 32 digits, with or without a dash after the 8th, 12th, 16th and 20th.
fn is_uuid(text: &str) -> bool {
    let mut rest = text;
    for (index, count) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        let Some((group, after)) = rest.split_at_checked(count) else { return false };
        if !group.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}

fn is_label(text: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bounded = |byte: Option<u8>| byte.is_some_and(alphanumeric);
    bounded(text.bytes().next())
        && bounded(text.bytes().last())
        && text.bytes().all(|byte| alphanumeric(byte) || byte == b'-')
}
