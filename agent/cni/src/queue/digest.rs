//! A digest that makes a file's name of a key.

/// FNV-1a with 128 bits (draft-eastlake-fnv, "FNV-1a alternate algorithm"): offset and prime.
const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// The digest of texts, each told from the next by a byte that is in no text.
pub(super) fn of<const N: usize>(texts: [&[u8]; N]) -> u128 {
    let bytes = texts.into_iter().flat_map(|text| text.iter().copied().chain([0xff]));
    bytes.fold(OFFSET, |digest, byte| (digest ^ u128::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn keys_that_join_to_the_same_text_differ() {
        assert_ne!(of([b"ab", b"c"]), of([b"a", b"bc"]));
        assert_ne!(of([b"", b"a"]), of([b"a", b""]));
    }

    #[test]
    fn it_is_the_same_for_plugins_and_agents_of_all_releases() {
        assert_eq!(of([b"berth", b"c1", b"eth0"]), 0x28eb_2e0d_3b90_6e75_b61e_fe65_bf7f_f5da);
    }
}
