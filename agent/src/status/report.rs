//! The answer to `GET /v1/status`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipam_core::agent::{Attachment, Counts, EniStanding, Held, LastWord, Problems, Status};
use ipam_core::pool::{CidrUsage, Claim, Family, Tally};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// The whole status of an agent. Members that are not there are as in an agent that has nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Whether pods can be served.
    pub ready: bool,
    /// What is missing, if they cannot.
    pub missing: Option<String>,
    /// The instance, once it is known.
    pub instance: Option<String>,
    /// Where the addresses of each enabled family are.
    pub families: Vec<FamilyReport>,
    /// Where they are on each interface, by its id.
    pub enis: Vec<EniReport>,
    /// The addresses in use, IPv4 before IPv6, in ascending order.
    pub addresses: Vec<AddressReport>,
    /// Calls that wait for an address.
    pub waiting: usize,
    /// Interfaces of sandboxes that hold addresses.
    pub attachments: usize,
    /// The operator's last word, once there is one.
    pub operator: Option<OperatorReport>,
    /// Whether a change is being written into the `CiliumNode`.
    pub publishing: bool,
    /// Why the last record could not be written to disk, if it could not.
    pub not_durable: Option<String>,
    /// Everything else that is wrong.
    pub problems: Vec<String>,
    /// How often something has happened since the agent started.
    pub counts: CountsReport,
}

/// Where the addresses of a family are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FamilyReport {
    /// `IPv4` or `IPv6`.
    pub family: String,
    /// All that can be handed out: the sum of the next four.
    pub attached: u32,
    /// Can be handed out.
    pub free: u32,
    /// In use.
    pub used: u32,
    /// Resting between two users.
    pub cooling: u32,
    /// Promised away to the operator.
    pub promised: u32,
    /// In use, although the node has them no more.
    pub withdrawn: u32,
}

/// What is on an interface of the instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EniReport {
    /// Its id.
    pub id: String,
    /// Its CIDRs.
    pub cidrs: Vec<CidrReport>,
}

/// How much of a CIDR is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CidrReport {
    /// Which.
    pub cidr: IpNet,
    /// Whether the node has it no more, apart from what is in use.
    #[serde(default)]
    pub withdrawn: bool,
    /// Can be handed out.
    #[serde(default)]
    pub free: u32,
    /// In use.
    #[serde(default)]
    pub used: u32,
    /// Resting between two users.
    #[serde(default)]
    pub cooling: u32,
    /// Promised away to the operator.
    #[serde(default)]
    pub promised: u32,
}

/// An address in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressReport {
    /// Which.
    pub address: IpAddr,
    /// Whose: `namespace/pod`, `router`, `health`, `ingress` or `unknown`.
    pub owner: String,
    /// The interface of the instance that it is on.
    pub eni: String,
    /// The number of the grant.
    #[serde(default)]
    pub grant: u64,
    /// Whether it is given back unless it is claimed.
    #[serde(default)]
    pub unclaimed: bool,
    /// The interface of the sandbox, if one holds it.
    #[serde(default)]
    pub sandbox: Option<SandboxReport>,
}

/// An interface of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxReport {
    /// The name of the network.
    pub network: String,
    /// The id of the sandbox.
    pub container_id: String,
    /// The interface in it.
    pub interface: String,
}

/// What the operator said last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OperatorReport {
    /// How long ago, in seconds.
    pub age_seconds: u64,
    /// What keeps it from giving more.
    pub blocked: Option<String>,
}

/// How often something has happened since the agent started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CountsReport {
    /// Addresses handed out.
    pub granted: u64,
    /// Addresses given back.
    pub released: u64,
    /// Addresses handed out before they had rested, since the ledger was begun.
    pub cut_short: u64,
    /// Calls that had to wait.
    pub waited: u64,
    /// Calls that were refused.
    pub refused: u64,
    /// Changes written into the `CiliumNode`.
    pub published: u64,
    /// Changes that could not be written there.
    pub failed: u64,
}

impl From<&Status> for Report {
    fn from(status: &Status) -> Self {
        Self {
            ready: status.ready.is_ok(),
            missing: status.ready.err().map(str::to_owned),
            instance: status.instance.as_ref().map(ToString::to_string),
            families: status.families.iter().map(family).collect(),
            enis: enis(&status.cidrs),
            addresses: status.holdings.iter().map(address).collect(),
            waiting: status.waiting,
            attachments: status.attachments,
            operator: status.word.as_ref().map(operator),
            publishing: status.publishing.is_some(),
            not_durable: status.problems.not_durable.clone(),
            problems: problems(&status.problems).chain(host_problems(&status.enis)).collect(),
            counts: counts(status.counts),
        }
    }
}

fn family((family, tally): &(Family, Tally)) -> FamilyReport {
    let Tally { attached, free, used, cooling, promised, withdrawn } = *tally;
    let family = family.to_string();
    FamilyReport { family, attached, free, used, cooling, promised, withdrawn }
}

fn enis(usages: &[CidrUsage]) -> Vec<EniReport> {
    let mut enis: BTreeMap<&str, Vec<CidrReport>> = BTreeMap::new();
    for CidrUsage { listed, withdrawn, free, used, cooling, promised } in usages {
        enis.entry(listed.eni.as_str()).or_default().push(CidrReport {
            cidr: listed.cidr,
            withdrawn: *withdrawn,
            free: *free,
            used: *used,
            cooling: *cooling,
            promised: *promised,
        });
    }
    enis.into_iter().map(|(id, cidrs)| EniReport { id: id.to_owned(), cidrs }).collect()
}

fn address(held: &Held) -> AddressReport {
    let Held { address, owner, eni, id, claim, attachment } = held;
    AddressReport {
        address: *address,
        owner: owner.to_string(),
        eni: eni.to_string(),
        grant: id.as_u64(),
        unclaimed: *claim == Claim::Expected,
        sandbox: attachment.as_ref().map(sandbox),
    }
}

fn sandbox(attachment: &Attachment) -> SandboxReport {
    let Attachment { network, container, interface } = attachment.clone();
    SandboxReport { network, container_id: container, interface }
}

fn operator(word: &LastWord) -> OperatorReport {
    let LastWord { age, blocked } = word;
    OperatorReport { age_seconds: age.as_secs(), blocked: blocked.clone() }
}

fn problems(problems: &Problems) -> impl Iterator<Item = String> {
    let Problems { invalid, inconsistent, not_durable: _, not_published } = problems;
    let inconsistent = inconsistent.iter().map(|why| format!("the CiliumNode: {why}"));
    let not_published = not_published.iter().map(|why| format!("not published: {why}"));
    let invalid = invalid.iter().map(ToString::to_string);
    inconsistent.chain(not_published).chain(invalid)
}

fn host_problems(enis: &[EniStanding]) -> impl Iterator<Item = String> {
    enis.iter().filter_map(|eni| {
        let (id, problem) = (&eni.facts.id, eni.problem.as_ref()?);
        let effect = if eni.carries { "the host's network" } else { "carries no pods" };
        Some(format!("{id}: {effect}: {problem}"))
    })
}

fn counts(counts: Counts) -> CountsReport {
    let Counts { granted, released, cut_short, waited, refused, published, failed } = counts;
    CountsReport { granted, released, cut_short, waited, refused, published, failed }
}
