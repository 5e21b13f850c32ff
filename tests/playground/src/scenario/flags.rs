//! `operator` and `agent`: further flags of the programs, held to what the programs themselves take.

use super::format::Flags;
use super::{Checked, wrong};

/// What stands for the address of the API server, which nobody knows before there is one.
pub const API_SERVER: &str = "{api-server}";
/// Any address, to see whether a flag is taken.
const SOME_API_SERVER: &str = "http://127.0.0.1:1";

/// Flags of the operator that the playground gives itself, and what to say instead, if there is something.
const OF_OPERATOR: &[(&str, &str)] = &[
    ("aws-enable-prefix-delegation", "; say `prefix_delegation` of a group of nodes"),
    ("config-dir", ""),
    ("debug", "; see --log-level"),
    ("ec2-api-endpoint", ""),
    ("identity", ""),
    ("k8s-namespace", ""),
    ("kubeconfig", "; see --kubeconfig"),
    ("lease-name", ""),
    ("lease-namespace", ""),
    ("log-format", ""),
    ("log-level", "; see --log-level"),
    ("operator-prometheus-serve-addr", ""),
    ("profile", ""),
    ("region", ""),
    ("use-imds", ""),
];
/// The same of the agents.
const OF_AGENT: &[(&str, &str)] = &[
    ("cilium-socket-path", ""),
    ("config-dir", ""),
    ("contract", "; say `contract` of a group of nodes"),
    ("debug", "; see --log-level"),
    ("eni-disable-prefix-delegation", "; say `prefix_delegation` of a group of nodes"),
    ("host-networking", ""),
    ("imds-endpoint", ""),
    ("kubeconfig", "; see --kubeconfig"),
    ("log-format", ""),
    ("log-level", "; see --log-level"),
    ("node-name", ""),
    ("queue-dir", ""),
    ("read-cni-conf", "; say `cni_conf` of a group of nodes"),
    ("serve-address", ""),
    ("socket-path", ""),
    ("state-dir", ""),
];

/// Flags of `berth-operator run`.
pub(super) fn of_operator(said: &Flags) -> Checked<Vec<String>> {
    check("operator", said, OF_OPERATOR, |line| {
        let read = berth_operator::settings::Settings::from_arguments(line.iter().copied());
        read.map(|_| ()).map_err(|error| error.to_string())
    })
}

/// Flags of `berth-agent run`.
pub(super) fn of_agent(said: &Flags) -> Checked<Vec<String>> {
    check("agent", said, OF_AGENT, |line| {
        let line = line.iter().copied().chain(["--node-name=node-1"]);
        let read = berth_agent::settings::Settings::from_arguments(line);
        read.map(|_| ()).map_err(|error| error.to_string())
    })
}

/// What the operator says of flags that it takes and that do nothing, one line each.
#[must_use]
pub fn notices(operator: &[String]) -> Vec<String> {
    let line: Vec<String> = operator.iter().map(|flag| tried(flag)).collect();
    let line = line.iter().map(String::as_str);
    let read = berth_operator::settings::Settings::from_arguments(line);
    read.map(|settings| settings.notices).unwrap_or_default()
}

fn tried(flag: &str) -> String {
    flag.replace(API_SERVER, SOME_API_SERVER)
}

fn check(
    part: &str,
    said: &Flags,
    taken: &[(&str, &str)],
    read: impl Fn(&[&str]) -> Result<(), String>,
) -> Checked<Vec<String>> {
    if let Some((name, instead)) = taken.iter().find(|(name, _)| said.contains_key(*name)) {
        let message = format!("expected a flag that the playground does not give itself{instead}");
        return Err(wrong(format!("{part}.{name}"), message));
    }
    let flags: Vec<(&String, String)> =
        said.iter().map(|(name, value)| (name, format!("--{name}={value}"))).collect();
    let tried: Vec<String> = flags.iter().map(|(_, flag)| tried(flag)).collect();
    let line: Vec<&str> = tried.iter().map(String::as_str).collect();
    if let Err(error) = read(&line) {
        // The flag that is refused for the same reason when it is alone is the one; else it takes several of them.
        let alone = line.iter().position(|flag| read(&[*flag]).is_err_and(|alone| alone == error));
        let named = alone.and_then(|position| flags.get(position));
        let field = named.map_or_else(|| part.to_owned(), |(name, _)| format!("{part}.{name}"));
        return Err(wrong(field, plain(&error)));
    }
    Ok(flags.into_iter().map(|(_, flag)| flag).collect())
}

/// The first line of what a program says of its command line, with the advice behind it.
fn plain(error: &str) -> String {
    let mut lines = error.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default().trim_start_matches("error: ");
    let advice = lines.find_map(|line| match line.strip_prefix("[possible values: ") {
        Some(values) => Some(format!("expected one of {}", values.trim_end_matches(']'))),
        None => line.strip_prefix("tip: ").map(str::to_owned),
    });
    advice.map_or_else(|| first.to_owned(), |advice| format!("{first}; {advice}"))
}
