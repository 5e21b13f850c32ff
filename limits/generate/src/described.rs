//! One instance type: what somebody says of it, and what is left after checking that.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What EC2 or a snapshot says of one instance type. Nothing is checked; what is not said is `null`.
///
/// The members have the names of `DescribeInstanceTypes`, those of its `NetworkInfo` without the level
/// between.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Described {
    /// The name, such as `m5.large`.
    pub instance_type: Value,
    /// `nitro` or `xen`, and nothing for bare metal.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub hypervisor: Value,
    /// Whether the type is a whole host.
    pub bare_metal: Value,
    /// `required`, `supported` or `unsupported`: whether it has an Elastic Network Adapter.
    pub ena_support: Value,
    /// Network interfaces in total, over all network cards.
    pub maximum_network_interfaces: Value,
    /// The network card of the primary network interface.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub default_network_card_index: Value,
    /// Network cards, each as `[index, maximum of network interfaces on it]`.
    pub network_cards: Value,
    /// IPv4 addresses per network interface, the primary address included.
    pub ipv4_addresses_per_interface: Value,
    /// IPv6 addresses per network interface.
    pub ipv6_addresses_per_interface: Value,
}

/// An instance type whose description is complete and makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceType {
    /// The name, such as `m5.large`.
    pub name: String,
    /// How it is virtualised.
    pub hypervisor: Hypervisor,
    /// EC2's word for its Elastic Network Adapter. Every type on the Nitro System requires one.
    pub ena_support: String,
    /// Network interfaces in total, over all network cards.
    pub interfaces: u16,
    /// The network card of the primary network interface, where EC2 says so: card 0.
    pub default_card: Option<u16>,
    /// Network cards in ascending order, by index and maximum of network interfaces. Card 0 is the first.
    pub cards: Vec<(u16, u16)>,
    /// Network interfaces on card 0.
    pub interfaces_on_card_0: u16,
    /// IPv4 addresses per network interface, the primary address included.
    pub ipv4_per_interface: u16,
    /// IPv6 addresses per network interface.
    pub ipv6_per_interface: u16,
}

/// How an instance type is virtualised: EC2's `Hypervisor` and `BareMetal` in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hypervisor {
    /// A virtual machine on Nitro.
    Nitro,
    /// A virtual machine on Xen.
    Xen,
    /// A whole host.
    BareMetal,
}

/// A description that cannot be used, by the type and the member that is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{instance_type}: {field} is {found}, expected {expected}")]
pub struct Refused {
    /// The type's name, or `a type without a name`.
    pub instance_type: String,
    /// The member, as [`Described`] names it in JSON.
    pub field: &'static str,
    /// Its value in JSON, or `missing`.
    pub found: String,
    /// What it should have been.
    pub expected: &'static str,
}

/// One member of a description, on its way to being checked.
struct Member<'a> {
    instance_type: &'a Value,
    field: &'static str,
    value: &'a Value,
}

impl Member<'_> {
    fn refused(&self, expected: &'static str) -> Refused {
        let found = match self.value {
            Value::Null => "missing".to_owned(),
            value => value.to_string(),
        };
        let name = self.instance_type.as_str().filter(|name| !name.is_empty());
        Refused {
            instance_type: name.unwrap_or("a type without a name").to_owned(),
            field: self.field,
            found,
            expected,
        }
    }

    fn text(&self, expected: &'static str) -> Result<String, Refused> {
        let text = self.value.as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| self.refused(expected))
    }

    fn name(&self) -> Result<String, Refused> {
        let fits = |letter| matches!(letter, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
        let expected = "a name of lower-case letters, digits, dots and hyphens, such as m5.large";
        let name = self.text(expected)?;
        if name.bytes().all(fits) { Ok(name) } else { Err(self.refused(expected)) }
    }

    fn truth(&self) -> Result<bool, Refused> {
        self.value.as_bool().ok_or_else(|| self.refused("true or false"))
    }

    fn number(&self) -> Result<u16, Refused> {
        number(self.value).ok_or_else(|| self.refused("a whole number from 0 to 65535"))
    }

    /// The total over all cards, at least what card 0 has.
    fn total(&self, on_card_0: u16) -> Result<u16, Refused> {
        let total = self.number()?;
        if total < on_card_0 {
            return Err(self.refused("no fewer than on network card 0"));
        }
        Ok(total)
    }

    /// Network cards in ascending order, and the maximum of card 0: an instance cannot be without its
    /// primary network interface.
    fn cards(&self) -> Result<(Vec<(u16, u16)>, u16), Refused> {
        let expected = "a list of [index, maximum] in whole numbers, each index once, card 0 among them \
                        with 1 or more";
        let pairs = self.value.as_array().map(Vec::as_slice).unwrap_or_default();
        let cards: Option<Vec<(u16, u16)>> = pairs.iter().map(card).collect();
        let mut cards = cards.ok_or_else(|| self.refused(expected))?;
        cards.sort_unstable();
        let unique = cards.is_sorted_by(|(earlier, _), (later, _)| earlier < later);
        match cards.first() {
            Some(&(0, maximum @ 1..)) if unique => Ok((cards, maximum)),
            _ => Err(self.refused(expected)),
        }
    }
}

fn number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|number| u16::try_from(number).ok())
}

fn card(pair: &Value) -> Option<(u16, u16)> {
    match pair.as_array()?.as_slice() {
        [index, maximum] => Some((number(index)?, number(maximum)?)),
        _ => None,
    }
}

impl Described {
    /// Checks the description.
    ///
    /// # Errors
    /// The first member that is missing, of the wrong kind, or at odds with the rest: no card 0 or
    /// one that holds nothing, fewer network interfaces in total than on card 0, a primary network
    /// interface elsewhere than on card 0, or a virtual machine without a hypervisor.
    pub fn checked(&self) -> Result<InstanceType, Refused> {
        let member = |field, value| Member { instance_type: &self.instance_type, field, value };
        let cards = member("NetworkCards", &self.network_cards);
        let (cards, interfaces_on_card_0) = cards.cards()?;
        let interfaces = member("MaximumNetworkInterfaces", &self.maximum_network_interfaces);
        let ipv4 = member("Ipv4AddressesPerInterface", &self.ipv4_addresses_per_interface);
        let ipv6 = member("Ipv6AddressesPerInterface", &self.ipv6_addresses_per_interface);
        Ok(InstanceType {
            name: member("InstanceType", &self.instance_type).name()?,
            hypervisor: self.checked_hypervisor(&member("Hypervisor", &self.hypervisor))?,
            ena_support: member("EnaSupport", &self.ena_support)
                .text("required, supported or unsupported")?,
            interfaces: interfaces.total(interfaces_on_card_0)?,
            default_card: default_card(&member(
                "DefaultNetworkCardIndex",
                &self.default_network_card_index,
            ))?,
            cards,
            interfaces_on_card_0,
            ipv4_per_interface: ipv4.number()?,
            ipv6_per_interface: ipv6.number()?,
        })
    }

    fn checked_hypervisor(&self, hypervisor: &Member<'_>) -> Result<Hypervisor, Refused> {
        let bare_metal = Member { field: "BareMetal", value: &self.bare_metal, ..*hypervisor };
        match (bare_metal.truth()?, hypervisor.value.as_str()) {
            (false, Some("nitro")) => Ok(Hypervisor::Nitro),
            (false, Some("xen")) => Ok(Hypervisor::Xen),
            (true, None) if hypervisor.value.is_null() => Ok(Hypervisor::BareMetal),
            (false, _) => Err(hypervisor.refused("nitro or xen")),
            (true, _) => Err(hypervisor.refused("nothing for bare metal")),
        }
    }
}

fn default_card(index: &Member<'_>) -> Result<Option<u16>, Refused> {
    match (index.value.is_null(), number(index.value)) {
        (true, _) => Ok(None),
        (false, Some(0)) => Ok(Some(0)),
        (false, _) => Err(index.refused("0, the one card the table knows of")),
    }
}

impl From<&InstanceType> for Described {
    fn from(checked: &InstanceType) -> Self {
        let hypervisor = match checked.hypervisor {
            Hypervisor::Nitro => Some("nitro"),
            Hypervisor::Xen => Some("xen"),
            Hypervisor::BareMetal => None,
        };
        let cards = checked.cards.iter().map(|&(index, maximum)| Value::from(vec![index, maximum]));
        Self {
            instance_type: checked.name.as_str().into(),
            hypervisor: hypervisor.into(),
            bare_metal: (checked.hypervisor == Hypervisor::BareMetal).into(),
            ena_support: checked.ena_support.as_str().into(),
            maximum_network_interfaces: checked.interfaces.into(),
            default_network_card_index: checked.default_card.into(),
            network_cards: cards.collect(),
            ipv4_addresses_per_interface: checked.ipv4_per_interface.into(),
            ipv6_addresses_per_interface: checked.ipv6_per_interface.into(),
        }
    }
}
