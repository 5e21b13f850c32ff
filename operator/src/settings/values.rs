//! How the values of the operator's own flags are written. Each function reads one kind of value and says what it expected.

use std::ops::RangeInclusive;
use std::time::Duration;

use berth_shell::settings::values::{duration, tags};
use ipam_core::budget::Rate;
use ipam_core::call::Api;
use limits::Overrides;

use super::SettingsError;

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

/// Reads a length of time of which none means never: `0` needs no unit, as in Go.
pub(super) fn time_or_never(text: &str) -> Result<Duration, String> {
    if text == "0" { Ok(Duration::ZERO) } else { duration(text) }
}

/// A year is as good as never.
pub(super) const LONGEST: Duration = Duration::from_hours(8760);
/// The least age of an interface that is cleaned up: its creation may be sent again for some minutes, and it be attached after that.
const YOUNGEST: Duration = Duration::from_mins(5);

/// A time within `bounds`, which `expected` says in words.
pub(super) fn within(
    setting: &'static str,
    given: Duration,
    bounds: RangeInclusive<Duration>,
    expected: &'static str,
) -> Result<Duration, SettingsError> {
    if bounds.contains(&given) {
        return Ok(given);
    }
    Err(SettingsError::invalid(setting, &format!("{given:?}"), expected))
}

/// The grace period of a clean-up.
pub(super) fn grace(setting: &'static str, given: Duration) -> Result<Duration, SettingsError> {
    within(setting, given, YOUNGEST..=LONGEST, "5m to 8760h")
}

/// The name of a cluster. `default` is none.
pub(super) fn cluster(given: String) -> Option<String> {
    Some(given).filter(|name| !matches!(name.as_str(), "" | "default"))
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
