//! Ledgers on disk, whole and damaged.
#![no_main]

use berth_agent::journal::decode;
use ipam_core::pool::LedgerSettings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _recovered = decode(input, LedgerSettings::default());
});
