//! Records that do not fit, and states that are none.

use ipam_core::agent::{Agent, Attachment, Ground, Record, Replay, Start, State};
use ipam_core::pool::{GrantId, Owner, UsedAddress};
use ipam_core::time::Tick;

use crate::rig::Rig;

/// A state with 10.0.0.5 held by `c1` of pod `a/x`, and 10.0.0.6 and 10.0.0.7 free.
fn state() -> (Rig, State) {
    let mut rig = Rig::default();
    rig.metadata(&["eni-1#0=10.0.0.5,10.0.0.6,10.0.0.7"]);
    rig.call(&["add", "c1", "a/x"]);
    rig.outcome();
    let state = rig.on_disk();
    (rig, state)
}

fn attachment(container: &str) -> Attachment {
    Attachment {
        network: "net".to_string(),
        container: container.to_string(),
        interface: "eth0".to_string(),
    }
}

fn granted(address: &str, id: u64, owner: &str, ground: Ground) -> Record {
    Record::Granted {
        at: Tick::default(),
        address: address.parse().unwrap(),
        id: GrantId::from_u64(id),
        owner: owner.parse().unwrap(),
        unclaimed: false,
        ground,
    }
}

/// Applies a record behind those of [`state`], and compares what is said of it. A refused one changes nothing.
#[track_caller]
fn check(record: &Record, expected: &str) {
    let (rig, state) = state();
    let mut replay = Replay::new(state.clone(), rig.settings.ledger).unwrap();
    let outcome = replay.apply(record);
    assert_eq!(outcome.err().map_or("applied".to_string(), |error| error.to_string()), expected);
    if expected != "applied" {
        assert_eq!(replay.finish(), state);
    }
}

#[test]
fn a_record_that_cannot_be_the_next_one_is_refused() {
    let released = |address: &str, id| Record::Released {
        at: Tick::default(),
        address: address.parse().unwrap(),
        id: GrantId::from_u64(id),
    };
    let claimed =
        |id| Record::Claimed { address: "10.0.0.5".parse().unwrap(), id: GrantId::from_u64(id) };
    let to = |container| Ground::Attachment { attachment: attachment(container).into(), uid: None };
    check(&granted("10.0.0.6", 2, "a/y", Ground::Caller), "applied");
    check(&granted("10.0.0.6", 2, "a/x", to("c1")), "applied");
    check(&granted("10.0.0.6", 2, "unknown", Ground::Found), "applied");
    check(&released("10.0.0.5", 1), "applied");
    check(
        &granted("10.0.0.6", 3, "a/y", Ground::Caller),
        "10.0.0.6 is granted by 2, the record says 3",
    );
    check(
        &granted("10.0.0.6", 1, "a/y", Ground::Caller),
        "10.0.0.6 is granted by 2, the record says 1",
    );
    check(&granted("10.0.0.5", 2, "a/y", Ground::Caller), "10.0.0.5 is used by a/x");
    check(
        &granted("10.0.0.9", 2, "a/y", Ground::Caller),
        "10.0.0.9 is not an address of this node",
    );
    check(&granted("10.0.0.6", 2, "a/y", to("c1")), "net/c1/eth0 does not belong to a/y");
    check(&granted("10.0.0.6", 2, "router", to("c2")), "net/c2/eth0 does not belong to router");
    check(&released("10.0.0.6", 1), "10.0.0.6 is not used by anybody");
    check(&released("10.0.0.5", 2), "10.0.0.5 is used by grant 1, not by grant 2");
    check(&claimed(1), "10.0.0.5 does not wait for a claim");
}

/// Changes a good state, and compares what an agent says of it.
#[track_caller]
fn check_state(change: impl FnOnce(&mut State), expected: &str) {
    let (rig, mut state) = state();
    change(&mut state);
    let start = Start {
        state: Some(state.clone()),
        trusted: true,
        instance: state.instance.clone(),
        boot: state.boot.clone(),
    };
    let replay = Replay::new(state, rig.settings.ledger);
    assert_eq!(replay.err().map_or("fine".to_string(), |error| error.to_string()), expected);
    let agent = Agent::new(rig.settings, start, Tick::default());
    assert_eq!(agent.err().map_or("fine".to_string(), |error| error.to_string()), expected);
}

#[test]
fn a_state_that_makes_no_sense_is_refused() {
    check_state(|_| (), "fine");
    check_state(|state| state.ledger.used.clear(), "net/c1/eth0 does not hold 10.0.0.5 by grant 1");
    check_state(
        |state| {
            let attached = state.attachments[&attachment("c1")].clone();
            state.attachments.insert(attachment("c2"), attached);
        },
        "net/c2/eth0 does not hold 10.0.0.5 by grant 1",
    );
    check_state(
        |state| state.ledger.used[0].owner = Owner::Router,
        "net/c1/eth0 does not hold 10.0.0.5 by grant 1",
    );
    check_state(|state| state.enis.clear(), "nothing is known of eni-1, which has addresses");
    check_state(
        |state| state.found.extend([GrantId::from_u64(1)]),
        "grant 1 is not one of an address that was found in use",
    );
    check_state(
        |state| state.found.extend([GrantId::from_u64(7)]),
        "grant 7 is not one of an address that was found in use",
    );
    check_state(
        |state| {
            let UsedAddress { id, owner, unclaimed_since, .. } = state.ledger.used[0].clone();
            let address = "10.0.9.9".parse().unwrap();
            state.ledger.used.push(UsedAddress { address, id, owner, unclaimed_since });
        },
        "10.0.9.9: grant 1 does not fit to the other grants",
    );
}
