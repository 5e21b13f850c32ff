//! A [`State`] as JSON.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ipam_core::agent::{Attached, Attachment, EniFacts, State};
use ipam_core::ids::InvalidId;
use ipam_core::pool::GrantId;

use super::{WireAttached, WireEni, WireError, WireState};

impl<'a> From<&'a State> for WireState<'a> {
    fn from(state: &'a State) -> Self {
        Self {
            instance: state.instance.as_ref().map(|instance| Cow::Borrowed(instance.as_str())),
            boot: Cow::Borrowed(&state.boot),
            ledger: (&state.ledger).into(),
            attachments: state.attachments.iter().map(Into::into).collect(),
            found: state.found.iter().map(|id| id.as_u64()).collect(),
            unlisted: state.unlisted.iter().copied().collect(),
            enis: state.enis.values().map(Into::into).collect(),
            listed_by_word: state.listed_by_word,
        }
    }
}

impl TryFrom<WireState<'_>> for State {
    type Error = WireError;

    fn try_from(wire: WireState<'_>) -> Result<Self, WireError> {
        let attachments = wire.attachments.into_iter().map(attached);
        let enis = wire.enis.into_iter().map(|eni| {
            let facts = EniFacts::try_from(eni)?;
            Ok((facts.id.clone(), facts))
        });
        let mut found = BTreeSet::new();
        for id in wire.found {
            if !found.insert(GrantId::from_u64(id)) {
                return Err(WireError::Twice(format!("grant {id}")));
            }
        }
        Ok(Self {
            instance: wire.instance.map(|instance| instance.parse()).transpose()?,
            boot: wire.boot.into_owned(),
            ledger: wire.ledger.try_into()?,
            attachments: once_each(attachments)?,
            found,
            unlisted: wire.unlisted.into_iter().collect(),
            enis: once_each(enis)?,
            listed_by_word: wire.listed_by_word,
        })
    }
}

/// No key twice.
fn once_each<Key: Ord + ToString, Value>(
    entries: impl Iterator<Item = Result<(Key, Value), InvalidId>>,
) -> Result<BTreeMap<Key, Value>, WireError> {
    let mut all = BTreeMap::new();
    for entry in entries {
        let (key, value) = entry?;
        if all.contains_key(&key) {
            return Err(WireError::Twice(key.to_string()));
        }
        all.insert(key, value);
    }
    Ok(all)
}

impl<'a> From<(&'a Attachment, &'a Attached)> for WireAttached<'a> {
    fn from((to, attached): (&'a Attachment, &'a Attached)) -> Self {
        Self {
            to: to.into(),
            pod: Cow::Borrowed(attached.pod.as_str()),
            uid: attached.uid.as_deref().map(Cow::Borrowed),
            addresses: attached.addresses.iter().map(|(ip, id)| (*ip, id.as_u64())).collect(),
        }
    }
}

fn attached(wire: WireAttached<'_>) -> Result<(Attachment, Attached), InvalidId> {
    let addresses = wire.addresses.into_iter().map(|(ip, id)| (ip, GrantId::from_u64(id)));
    let attached = Attached {
        pod: wire.pod.parse()?,
        uid: wire.uid.map(Cow::into_owned),
        addresses: addresses.collect(),
    };
    Ok((wire.to.into(), attached))
}

impl<'a> From<&'a EniFacts> for WireEni<'a> {
    fn from(EniFacts { id, mac, number, subnet, vpc }: &'a EniFacts) -> Self {
        Self {
            id: Cow::Borrowed(id.as_str()),
            mac: Cow::Borrowed(mac),
            number: *number,
            subnet: *subnet,
            vpc: Cow::Borrowed(vpc),
        }
    }
}

impl TryFrom<WireEni<'_>> for EniFacts {
    type Error = InvalidId;

    fn try_from(wire: WireEni<'_>) -> Result<Self, InvalidId> {
        let WireEni { id, mac, number, subnet, vpc } = wire;
        let (id, mac, vpc) = (id.parse()?, mac.into_owned(), vpc.into_owned());
        Ok(Self { id, mac, number, subnet, vpc })
    }
}
