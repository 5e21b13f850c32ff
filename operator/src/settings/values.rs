//! How the values of flags are written. Each function reads one kind of value and says what it expected.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ipam_core::budget::Rate;
use ipam_core::call::Api;
use ipam_core::view::Tags;
use limits::Overrides;

/// A list: the members between commas or blanks, as flags and Cilium's `ConfigMap` write them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct List<T>(pub(super) BTreeSet<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

/// Reads a list of ids or of other words.
pub(super) fn list<T>(text: &str) -> Result<List<T>, String>
where
    T: FromStr<Err: fmt::Display> + Ord,
{
    let words = text.split([',', ' ', '\n']).map(str::trim).filter(|word| !word.is_empty());
    let members: Result<_, T::Err> = words.map(T::from_str).collect();
    members.map(List).map_err(|error| error.to_string())
}

/// Reads tags: `KEY=VALUE,KEY=VALUE`, or a JSON object, which is how Cilium's chart writes them. Pairs between blanks are
/// taken where there is no comma, as `subnet-tags-filter` of that chart has them.
pub(super) fn tags(text: &str) -> Result<Tags, String> {
    let text = text.trim();
    if text.starts_with('{') {
        return serde_json::from_str::<BTreeMap<String, String>>(text)
            .map_err(|error| format!("expected a JSON object of texts: {error}"));
    }
    let blanks = !text.contains(',') && text.split_whitespace().all(|word| word.contains('='));
    let pairs: Vec<&str> =
        if blanks { text.split_whitespace().collect() } else { text.split(',').collect() };
    let mut tags = Tags::new();
    for pair in pairs.into_iter().map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| format!("{pair:?}: expected KEY=VALUE,KEY=VALUE or a JSON object"))?;
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(format!("{key:?} is given twice"));
        }
    }
    Ok(tags)
}

/// Reads limits of instance types: `TYPE=ENIS,IPV4,IPV6` once or several times, with commas between, or a JSON object.
pub(super) fn overrides(text: &str) -> Result<Overrides, String> {
    let text = text.trim();
    let mut entries: Vec<String> = Vec::new();
    if text.starts_with('{') {
        entries.extend(tags(text)?.into_iter().map(|(name, figures)| format!("{name}={figures}")));
    } else {
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match entries.last_mut() {
                Some(entry) if !part.contains('=') => *entry = format!("{entry},{part}"),
                _ => entries.push(part.to_owned()),
            }
        }
    }
    Overrides::from_arguments(entries.iter().map(String::as_str)).map_err(|error| error.to_string())
}

/// Reads a length of time as Go writes it: `15s`, `1h30m`, `500ms`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let signed: jiff::SignedDuration =
        text.parse().map_err(|_| "expected a length of time such as 15s or 1h30m".to_owned())?;
    Duration::try_from(signed).map_err(|_| "expected a length of time that is not negative".into())
}

/// Reads a share: more than 0, at most 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("expected a number above 0 and up to 1, such as 0.8".into()),
    }
}

/// Reads a rate per second.
pub(super) fn per_second(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(rate),
        _ => Err("expected a number of calls above 0".into()),
    }
}

/// Reads the bucket of one action: `ACTION=CAPACITY,REFILL`.
pub(super) fn action_rate(text: &str) -> Result<(Api, Rate), String> {
    let shape = "expected ACTION=CAPACITY,REFILL, such as CreateNetworkInterface=100,5";
    let (action, figures) = text.split_once('=').ok_or(shape)?;
    let (capacity, refill) = figures.split_once(',').ok_or(shape)?;
    let known = Api::ALL.iter().find(|api| api.name().eq_ignore_ascii_case(action.trim()));
    let api = known.ok_or_else(|| {
        let names: Vec<&str> = Api::ALL.iter().map(|api| api.name()).collect();
        format!("{action:?} is no action that Berth calls: expected one of {}", names.join(", "))
    })?;
    let capacity = per_second(capacity.trim())?;
    if capacity < 1.0 {
        return Err(
            "expected a capacity of at least 1: a smaller bucket never lets a call out".into()
        );
    }
    Ok((*api, Rate { capacity, refill: per_second(refill.trim())? }))
}

/// Reads the endpoint of the EC2 API; without a scheme it is `https`, as in Cilium's operator.
pub(super) fn endpoint(text: &str) -> Result<String, String> {
    let whole = match text.split_once("://") {
        Some(_) => text.to_owned(),
        None => format!("https://{text}"),
    };
    let host = whole.strip_prefix("https://").or_else(|| whole.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(char::is_whitespace) => Ok(whole),
        _ => Err("expected a host, or a URL that starts with https:// or http://".into()),
    }
}

/// Where to listen: `HOST:PORT`, or `:PORT` for every address of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeAddress {
    /// The host; `None` for every address of the machine.
    pub host: Option<String>,
    /// The port; 0 lets the system choose.
    pub port: u16,
}

impl FromStr for ServeAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected HOST:PORT, or :PORT for all addresses".to_owned();
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Self { host: (!host.is_empty()).then(|| host.to_owned()), port })
    }
}

impl fmt::Display for ServeAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) if host.contains(':') => write!(out, "[{host}]:{}", self.port),
            Some(host) => write!(out, "{host}:{}", self.port),
            None => write!(out, ":{}", self.port),
        }
    }
}
