//! The form of an instance type's name.

/// Whether `name` has the form `family.size`, such as `m5.large` or `u-6tb1.112xlarge`.
///
/// Words of lower-case letters, digits and hyphens with dots between them. Every name of 2026 has two
/// words; more are let through, so that a new way of naming does not shut its types out. The check
/// catches a slip such as `m5large` or `M5.large`: an override of a type that no node has would
/// otherwise change nothing, in silence.
pub(crate) fn is_well_formed(name: &str) -> bool {
    let is_in_word = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    name.contains('.')
        && name.split('.').all(|word| !word.is_empty() && word.bytes().all(is_in_word))
}
