//! What holds for every form and every text.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use crate::model::mac;
use crate::protocol::plain::{Mac, Octets};
use crate::protocol::{decode, xml::Xml};
use crate::request::Action;

/// Names and values as they appear in forms, and others.
fn parameter() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("Filter"),
        Just("Value"),
        Just("Name"),
        Just("NetworkInterfaceId"),
        Just("TagSpecification"),
        Just("Tag"),
        Just("Key"),
        Just("PrivateIpAddresses"),
        Just("Primary"),
        Just("Ipv4Prefix"),
        Just("MaxResults"),
        Just("DryRun"),
        Just("SubnetId"),
        Just("1"),
        Just("2"),
        Just("0"),
        Just("99999999999"),
        Just(""),
        Just("\u{e9}"),
    ];
    let name = prop::collection::vec(word, 1..5).prop_map(|words| words.join("."));
    let value = prop_oneof![
        Just("true".to_owned()),
        Just("eni-0000000a".to_owned()),
        Just("subnet-0000000a".to_owned()),
        Just("10.0.0.16/28".to_owned()),
        Just("-1".to_owned()),
        any::<String>(),
    ];
    let encoded = |(name, value): (String, String)| {
        form_urlencoded::Serializer::new(String::new()).append_pair(&name, &value).finish()
    };
    prop_oneof![(name, value).prop_map(encoded), any::<String>()]
}

proptest! {
    #[test]
    fn every_form_is_a_request_or_is_refused_with_400(
        action in prop::sample::select(Action::ALL.to_vec()),
        parameters in prop::collection::vec(parameter(), 0..8),
    ) {
        let form = format!("Action={}&Version=2016-11-15&{}", action.name(), parameters.join("&"));
        match decode(&form) {
            Ok(request) => prop_assert_eq!(request.operation.action(), action),
            Err(refused) => prop_assert_eq!(refused.error.status, 400),
        }
    }

    #[test]
    fn any_bytes_are_a_request_or_are_refused(form: String) {
        prop_assert!(decode(&form).is_err());
    }

    #[test]
    fn addresses_are_written_as_fmt_writes_them(octets: [u8; 4], hardware: [u8; 6]) {
        let address = Ipv4Addr::from(octets);
        let mut xml = Xml::default();
        xml.raw(address);
        xml.raw(" ");
        xml.raw(Octets::of(address, b'-'));
        xml.raw(" ");
        xml.raw(Mac(hardware));
        let dashes = address.to_string().replace('.', "-");
        prop_assert_eq!(xml.finish(), format!("{address} {dashes} {}", mac(hardware)));
    }

    #[test]
    fn every_text_comes_back_from_xml_but_for_what_no_document_can_hold(text: String) {
        let mut xml = Xml::default();
        xml.text("value", &text);
        let document = xml.finish();
        let content = document.strip_prefix("<value>").unwrap().strip_suffix("</value>").unwrap();
        prop_assert!(!content.contains(['<', '>']));
        let read = quick_xml::escape::unescape(content).unwrap();
        let held = |character: char| {
            let control = character < ' ' && !matches!(character, '\t' | '\n' | '\r');
            if control || matches!(character, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { character }
        };
        prop_assert_eq!(read, text.chars().map(held).collect::<String>());
    }
}
