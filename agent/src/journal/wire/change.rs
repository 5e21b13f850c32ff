//! A record as JSON, member by member: while it is written, an ADD waits. What is derived takes five times as long for the same text.

use ipam_core::agent::{Attachment, Ground, Record, State};
use ipam_core::pool::Owner;
use serde::Serialize;

use super::WireState;

type Written = Result<(), serde_json::Error>;

/// Writes a record behind what is in `out`, as [`super::read`] takes it.
///
/// # Errors
/// None of values of these types; JSON has a place for it.
pub(in super::super) fn write(record: &Record, trusted: bool, out: &mut Vec<u8>) -> Written {
    match record {
        Record::Whole(state) => return write_whole(state, trusted, out),
        Record::Granted { at, address, id, owner, unclaimed, ground } => {
            put(r#"{"granted":{"at":"#, &at.as_millis(), out)?;
            put(r#","address":"#, address, out)?;
            put(r#","id":"#, &id.as_u64(), out)?;
            put_text(r#","owner":"#, owner_text(owner), out)?;
            if *unclaimed {
                out.extend_from_slice(br#","unclaimed":true"#);
            }
            put_ground(ground, out)?;
        }
        Record::Released { at, address, id } => {
            put(r#"{"released":{"at":"#, &at.as_millis(), out)?;
            put(r#","address":"#, address, out)?;
            put(r#","id":"#, &id.as_u64(), out)?;
        }
        Record::Claimed { address, id } => {
            put(r#"{"claimed":{"address":"#, address, out)?;
            put(r#","id":"#, &id.as_u64(), out)?;
        }
    }
    out.extend_from_slice(b"}}");
    Ok(())
}

/// Writes a [`Record::Whole`] without making one.
pub(in super::super) fn write_whole(state: &State, trusted: bool, out: &mut Vec<u8>) -> Written {
    put(r#"{"whole":{"trusted":"#, &trusted, out)?;
    put(r#","state":"#, &WireState::from(state), out)?;
    out.extend_from_slice(b"}}");
    Ok(())
}

fn put_ground(ground: &Ground, out: &mut Vec<u8>) -> Written {
    match ground {
        Ground::Caller => out.extend_from_slice(br#","ground":"caller""#),
        Ground::Found => out.extend_from_slice(br#","ground":"found""#),
        Ground::Attachment { attachment, uid } => {
            let Attachment { network, container, interface } = attachment.as_ref();
            put_text(r#","ground":{"attachment":{"to":{"network":"#, network, out)?;
            put_text(r#","container":"#, container, out)?;
            put_text(r#","interface":"#, interface, out)?;
            out.push(b'}');
            if let Some(uid) = uid {
                put_text(r#","uid":"#, uid, out)?;
            }
            out.extend_from_slice(b"}}");
        }
    }
    Ok(())
}

fn put(name: &str, value: &impl Serialize, out: &mut Vec<u8>) -> Written {
    out.extend_from_slice(name.as_bytes());
    serde_json::to_writer(out, value)
}

/// What needs no escapes, as nearly all texts, is copied as it is.
fn put_text(name: &str, text: &str, out: &mut Vec<u8>) -> Written {
    // Without a way out in the middle, many bytes are looked at in one step.
    let needs_escapes = |byte| byte < b' ' || byte == b'"' || byte == b'\\';
    if text.bytes().fold(false, |any, byte| any | needs_escapes(byte)) {
        return put(name, &text, out);
    }
    for part in [name, "\"", text, "\""] {
        out.extend_from_slice(part.as_bytes());
    }
    Ok(())
}

/// The owners that are no pods have names of their own.
pub(super) fn owner_text(owner: &Owner) -> &str {
    match owner {
        Owner::Pod(pod) => pod.as_str(),
        Owner::Router => "router",
        Owner::Health => "health",
        Owner::Ingress => "ingress",
        Owner::Unknown => "unknown",
    }
}
