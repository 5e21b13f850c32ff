//! Which addresses or prefixes a call asks for.

use std::fmt::Display;

use crate::error::ApiError;
use crate::request::Wanted;

/// What is asked for of one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask<Address, Prefix> {
    /// Nothing.
    Nothing,
    /// These addresses.
    Addresses(Vec<Address>),
    /// That many addresses.
    AddressCount(usize),
    /// These prefixes.
    Prefixes(Vec<Prefix>),
    /// That many prefixes.
    PrefixCount(usize),
}

impl<Address, Prefix> Ask<Address, Prefix> {
    /// How many slots it takes.
    pub(crate) const fn slots(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Addresses(addresses) => addresses.len(),
            Self::Prefixes(prefixes) => prefixes.len(),
            Self::AddressCount(count) | Self::PrefixCount(count) => *count,
        }
    }

    /// Whether prefixes are asked for.
    pub(crate) const fn is_prefixes(&self) -> bool {
        matches!(self, Self::Prefixes(_) | Self::PrefixCount(_))
    }
}

/// What the parameters of a family are called, in the order of [`Wanted`], and how their exclusion is refused.
pub(crate) struct Family {
    names: [&'static str; 4],
    combination: fn() -> ApiError,
}

/// The parameters for IPv4.
pub(crate) const IPV4: Family = Family {
    names: ["privateIpAddress", "secondaryPrivateIpAddressCount", "ipv4Prefix", "ipv4PrefixCount"],
    combination: ApiError::ipv4_combination,
};

/// The parameters for IPv6.
pub(crate) const IPV6: Family = Family {
    names: ["ipv6Addresses", "ipv6AddressCount", "ipv6Prefix", "ipv6PrefixCount"],
    combination: ApiError::ipv6_combination,
};

impl Family {
    /// Reads what is asked for, at most one of the four, none of them more than `ceiling`.
    ///
    /// # Errors
    ///
    /// `InvalidParameterCombination` (for IPv6 `InvalidParameterValue`) when several were said; `InvalidParameterValue` for counts out of
    /// range and for what was said twice.
    pub(crate) fn ask<Address: Clone + Display + Ord, Prefix: Clone + Display + Ord>(
        &self,
        wanted: &Wanted<Address, Prefix>,
        ceiling: usize,
    ) -> Result<Ask<Address, Prefix>, ApiError> {
        let Wanted { addresses, address_count, prefixes, prefix_count } = wanted;
        let [addresses_name, address_count_name, prefixes_name, prefix_count_name] = self.names;
        let listed = (!addresses.is_empty(), !prefixes.is_empty());
        match (listed, address_count, prefix_count) {
            ((false, false), None, None) => Ok(Ask::Nothing),
            ((true, false), None, None) => {
                Ok(Ask::Addresses(list(addresses, addresses_name, ceiling)?))
            }
            ((false, true), None, None) => {
                Ok(Ask::Prefixes(list(prefixes, prefixes_name, ceiling)?))
            }
            ((false, false), Some(asked), None) => {
                Ok(Ask::AddressCount(count(*asked, address_count_name, ceiling)?))
            }
            ((false, false), None, Some(asked)) => {
                Ok(Ask::PrefixCount(count(*asked, prefix_count_name, ceiling)?))
            }
            _ => Err((self.combination)()),
        }
    }

    /// The refusal of a call that must ask for something and does not.
    pub(crate) fn nothing(&self) -> ApiError {
        ApiError::nothing_wanted(&self.names.join(", "))
    }
}

fn list<Item: Clone + Display + Ord>(
    items: &[Item],
    name: &str,
    ceiling: usize,
) -> Result<Vec<Item>, ApiError> {
    let mut sorted: Vec<&Item> = items.iter().collect();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair.first() == pair.last()) {
        return Err(ApiError::duplicate(
            &twice.first().map(ToString::to_string).unwrap_or_default(),
        ));
    }
    if ceiling < items.len() {
        return Err(too_large(items.len(), name, ceiling));
    }
    Ok(items.to_vec())
}

fn count(asked: i64, name: &str, ceiling: usize) -> Result<usize, ApiError> {
    match usize::try_from(asked) {
        Err(_) | Ok(0) => Err(ApiError::count_not_positive(name, asked)),
        Ok(asked) if ceiling < asked => Err(too_large(asked, name, ceiling)),
        Ok(asked) => Ok(asked),
    }
}

fn too_large(asked: usize, name: &str, ceiling: usize) -> ApiError {
    let asked = i64::try_from(asked).unwrap_or(i64::MAX);
    ApiError::count_too_large(name, asked, u32::try_from(ceiling).unwrap_or(u32::MAX))
}
