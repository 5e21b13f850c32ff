//! Requests on both sockets: lines of method, path, query and the header `expiration`, and then the body.
#![no_main]

use berth_agent::socket::cilium::{self, CiliumRequest, Head};
use berth_agent::socket::request::{self, Request};
use ipam_core::agent::Call;
use ipam_core::pool::Family;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(5, |byte| *byte == b'\n');
    let mut line = || std::str::from_utf8(parts.next().unwrap_or_default()).unwrap_or_default();
    let (method, path) = (line(), line());
    let [query, expiration] = [line(), line()].map(|text| (!text.is_empty()).then_some(text));
    let body = parts.next().unwrap_or_default();
    match request::decode(method, path, query, body) {
        Ok(Request::Call(Call::Add { attachment, .. } | Call::Del { attachment })) => {
            let texts = [&attachment.network, &attachment.container, &attachment.interface];
            assert!(texts.iter().all(|text| (1..=256).contains(&text.len())));
        }
        Ok(_) => {}
        Err(rejection) => assert!(rejection.to_string().len() < 4096),
    }
    match cilium::decode(Head { method, path, query, expiration }, &Family::ALL) {
        Ok(CiliumRequest::Call(_, Call::Claim { id, .. })) => {
            assert_eq!(cilium::grant_of(&cilium::uuid_of(id)), Ok(id));
        }
        Ok(_) => {}
        Err(failure) => assert!(failure.to_string().len() < 4096),
    }
});
