//! Answers over HTTP: what is whole was not whole without its last byte.

#![no_main]

use berth_cni::client::parse_response;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Some(_)) = parse_response(bytes) {
        let all_but_one = &bytes[..bytes.len() - 1];
        assert_eq!(parse_response(all_but_one), Ok(None));
    }
});
