//! Nothing that comes from outside makes the plugin panic, and what it writes it reads.

use berth_cni::client::parse_response;
use berth_cni::invocation::Invocation;
use berth_cni::netconf::parse;
use berth_cni::plugin::run;
use berth_cni::protocol::{AddReply, Attachment, DelRequest, Request};
use proptest::prelude::*;

/// JSON-like texts: pieces of a configuration in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"cniVersion\"",
        "\"1.1.0\"",
        "\"name\"",
        "\"n\"",
        "\"ipam\"",
        "\"routes\"",
        "\"dst\"",
        "\"10.0.0.0/8\"",
        "\"wait\"",
        "\"9999999999h\"",
        "null",
        "1e999",
        "-0",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn bytes_are_refused_or_understood(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
        let _ = parse_response(&bytes);
        let _ = AddReply::decode(&bytes);
        let _ = Request::decode("/v1/cni/add", &bytes);
    }

    #[test]
    fn configurations_are_refused_or_understood(text in pieces()) {
        let _ = parse(text.as_bytes());
    }

    #[test]
    fn sections_are_refused_or_understood(member in "[a-z-]{0,12}", value in "[ -~]{0,20}") {
        let conf = serde_json::json!({ "cniVersion": "1.1.0", "name": "n", "ipam": { member: value } });
        let _ = parse(conf.to_string().as_bytes());
    }

    #[test]
    fn any_environment_is_answered(command in "ADD|DEL|GC|VERSION|.{0,5}", value in ".{0,40}") {
        let get = |name: &str| Some(if name == "CNI_COMMAND" { command.clone() } else { value.clone() });
        let _ = Invocation::read(get);
        let outcome = run(get, b"rubbish");
        prop_assert!(outcome.is_success == (command == "VERSION"), "{outcome:?}");
        prop_assert!(serde_json::from_str::<serde_json::Value>(&outcome.stdout).is_ok());
    }

    #[test]
    fn a_request_is_read_as_it_was_written(network in "[a-z]{1,9}", container_id in "[^\\p{C}]{1,64}") {
        let attachment = Attachment { network, container_id, interface: "eth0".to_owned() };
        let request = Request::Del(DelRequest { attachment });
        let read = Request::decode(request.path(), &request.encode().unwrap());
        prop_assert_eq!(read.unwrap(), request);
    }

    #[test]
    fn an_answer_is_read_as_it_was_written(status in 200_u16..600, body in ".{0,99}") {
        let text = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let read = parse_response(text.as_bytes()).unwrap().unwrap();
        prop_assert_eq!((read.status, read.body), (status, body.into_bytes()));
    }
}
