//! Expiration UUIDs: which allocation is to be claimed.
//!
//! A grant is named by a UUID of version 8 (RFC 9562, section 5.8), whose content is its maker's own: six bytes that say that it is
//! Berth's, and the number of the grant. It can be read back, so that nothing has to be kept about it.

use ipam_core::pool::GrantId;

/// The first six bytes.
const TAG: u128 = 0x6265_7274_6800;
/// Where they begin.
const TAG_SHIFT: u32 = 80;
/// Version 8.
const VERSION: u128 = 0x8 << 76;
/// The variant of RFC 9562.
const VARIANT: u128 = 0b10 << 62;
/// The bits that are left at the end.
const NUMBER: u128 = (1 << 62) - 1;
/// Everything that is the same in all of them.
const FRAME: u128 = TAG << TAG_SHIFT | VERSION | VARIANT;
/// Hexadecimal digits in each of the five groups.
const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// A text that names no grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no UUID of an allocation: expected the one that came with it")]
pub struct InvalidUuid {
    /// The text, as far as it is not longer than a UUID.
    pub text: String,
}

/// The UUID of a grant.
#[must_use]
pub fn uuid_of(id: GrantId) -> String {
    let bits = FRAME | (u128::from(id.as_u64()) & NUMBER);
    let group = |from: u32, digits: usize| {
        let mask = (1 << (4 * digits)) - 1;
        format!("{:0digits$x}", (bits >> from) & mask)
    };
    let starts = [96, 80, 64, 48, 0];
    starts
        .into_iter()
        .zip(GROUPS)
        .map(|(from, digits)| group(from, digits))
        .collect::<Vec<_>>()
        .join("-")
}

/// The grant of a UUID.
///
/// # Errors
/// It is none, or none of Berth's.
pub fn grant_of(text: &str) -> Result<GrantId, InvalidUuid> {
    let invalid = || InvalidUuid { text: text.chars().take(36).collect() };
    let groups: Vec<&str> = text.split('-').collect();
    let fits = |(group, length): (&&str, usize)| {
        group.len() == length && group.bytes().all(|digit| digit.is_ascii_hexdigit())
    };
    if groups.len() != GROUPS.len() || !groups.iter().zip(GROUPS).all(fits) {
        return Err(invalid());
    }
    let bits = u128::from_str_radix(&groups.concat(), 16).map_err(|_| invalid())?;
    let number = u64::try_from(bits & NUMBER).map_err(|_| invalid())?;
    if bits & !NUMBER == FRAME { Ok(GrantId::from_u64(number)) } else { Err(invalid()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: u64, uuid: &str) {
        let id = GrantId::from_u64(number);
        assert_eq!(uuid_of(id), uuid);
        assert_eq!(grant_of(uuid), Ok(id));
        assert_eq!(grant_of(&uuid.to_uppercase()), Ok(id));
    }

    #[test]
    fn a_grant_is_read_back() {
        check(1, "62657274-6800-8000-8000-000000000001");
        check((1 << 53) - 1, "62657274-6800-8000-801f-ffffffffffff");
    }

    #[test]
    fn others_are_refused() {
        for text in [
            "",
            "-",
            "----",
            "62657274-6800-8000-8000-00000000000",
            "62657274-6800-8000-8000-00000000000g",
            "62657274-6800-8000-8000-0000000000001",
            "62657274-6800-8000-8000-000000000001-",
            "6265727468008000800-0000-0000-000001",
            "62657274-6800-8000-8000-+00000000001",
            "62657274-6800-4000-8000-000000000001",
            "62657274-6800-8000-c000-000000000001",
            "72657274-6800-8000-8000-000000000001",
            "e1f8b0c2-8f6b-4f0e-9d7a-3b1d1f2a4c5d",
        ] {
            assert!(grant_of(text).is_err(), "{text}");
        }
        let error = grant_of(&"é".repeat(1000)).unwrap_err().to_string();
        assert!(error.len() < 200, "{error}");
    }
}
