//! What is written is what is read.

use std::sync::Arc;

use ipam_core::agent::{Attachment, Ground, Record};
use ipam_core::pool::{GrantId, Owner};
use ipam_core::time::Tick;

use super::{read, write};

fn check(record: Record, text: &str) {
    let mut json = Vec::new();
    write(&record, true, &mut json).unwrap();
    assert_eq!(String::from_utf8(json.clone()).unwrap(), text);
    assert_eq!(read(&json).unwrap(), (record, true));
}

fn granted(owner: &str, unclaimed: bool, ground: Ground) -> Record {
    Record::Granted {
        at: Tick::from_millis(5),
        address: "10.0.0.7".parse().unwrap(),
        id: GrantId::from_u64(9),
        owner: owner.parse::<Owner>().unwrap(),
        unclaimed,
        ground,
    }
}

fn attachment(network: &str, container: &str) -> Arc<Attachment> {
    let [network, container, interface] = [network, container, "eth0"].map(ToOwned::to_owned);
    Arc::new(Attachment { container, network, interface })
}

#[test]
fn a_grant_to_an_attachment() {
    let uid = Some("1-2".to_owned());
    check(
        granted("shop/cart", false, Ground::Attachment { attachment: attachment("n", "c"), uid }),
        r#"{"granted":{"at":5,"address":"10.0.0.7","id":9,"owner":"shop/cart","ground":{"attachment":{"to":{"network":"n","container":"c","interface":"eth0"},"uid":"1-2"}}}}"#,
    );
}

#[test]
fn texts_that_need_escapes_and_texts_that_do_not() {
    let attachment = attachment("é/", "a\"b\\c\n\u{1}\t");
    check(
        granted("shop/cart", false, Ground::Attachment { attachment, uid: None }),
        r#"{"granted":{"at":5,"address":"10.0.0.7","id":9,"owner":"shop/cart","ground":{"attachment":{"to":{"network":"é/","container":"a\"b\\c\n\u0001\t","interface":"eth0"}}}}}"#,
    );
}

#[test]
fn every_owner_and_every_other_ground() {
    for owner in ["router", "health", "ingress", "unknown"] {
        check(
            granted(owner, true, Ground::Caller),
            &format!(
                r#"{{"granted":{{"at":5,"address":"10.0.0.7","id":9,"owner":"{owner}","unclaimed":true,"ground":"caller"}}}}"#
            ),
        );
    }
    check(
        granted("a/b", false, Ground::Found),
        r#"{"granted":{"at":5,"address":"10.0.0.7","id":9,"owner":"a/b","ground":"found"}}"#,
    );
}

#[test]
fn what_is_given_back_and_what_is_claimed() {
    let (at, id) = (Tick::from_millis(5), GrantId::from_u64(9));
    check(
        Record::Released { at, address: "fd00::5".parse().unwrap(), id },
        r#"{"released":{"at":5,"address":"fd00::5","id":9}}"#,
    );
    check(
        Record::Claimed { address: "10.0.0.7".parse().unwrap(), id },
        r#"{"claimed":{"address":"10.0.0.7","id":9}}"#,
    );
}
