//! Network configurations: refused or understood, and the same in every reading.

#![no_main]

use berth_cni::netconf::{parse, version_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    if let Ok(conf) = parse(text) {
        assert_eq!(version_of(text), Some(conf.version));
        let _ = conf.previous_addresses();
        let _ = conf.valid_attachments();
    }
});
