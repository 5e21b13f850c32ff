//! Whatever is asked, reading it ends in a call or in words.

use berth_agent::socket::cilium::{self, Head};
use berth_agent::socket::request;
use ipam_core::pool::Family;
use proptest::prelude::*;

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        "/v1/(cni/(add|del|check|gc|status)|status|healthz|ipam)",
        "/v1/ipam/[0-9a-f.:%]{0,40}(/claim)?",
        ".{0,60}",
    ]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[\\[{\":,}\\]a-z0-9. -]{0,80}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..80),
    ]
}

proptest! {
    #[test]
    fn never_panics(
        method in "GET|POST|DELETE|.{0,10}",
        path in path(),
        query in proptest::option::of("((family|owner|pool|uuid)=[a-z0-9/%-]{0,40}&?){0,4}|.{0,40}"),
        expiration in proptest::option::of("true|false|.{0,10}"),
        body in body(),
    ) {
        let (query, expiration) = (query.as_deref(), expiration.as_deref());
        if let Err(rejection) = request::decode(&method, &path, query, &body) {
            prop_assert!(rejection.status.is_client_error());
        }
        let head = Head { method: &method, path: &path, query, expiration };
        if let Err(failure) = cilium::decode(head, &Family::ALL) {
            prop_assert!(failure.status.is_client_error() || failure.text.contains("pool"));
        }
    }
}
