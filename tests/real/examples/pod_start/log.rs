//! When things happened, as logs have it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use serde_json::Value;

/// How long each pod took from its binding until the API server was told that it runs, from the API server's log of writes: a kubelet
/// writes a pod's status last when it runs, before somebody deletes it.
pub(crate) fn starts(audit_log: &str, named: &str) -> anyhow::Result<Vec<Duration>> {
    let mut pods: BTreeMap<String, Life> = BTreeMap::new();
    for line in audit_log.lines() {
        let event: Value = serde_json::from_str(line)?;
        let object = &event["objectRef"];
        let is_done = event["responseStatus"]["code"].as_u64().is_some_and(|code| code < 300);
        let Some(name) = object["name"].as_str().filter(|name| name.starts_with(named)) else {
            continue;
        };
        if object["resource"] == "pods" && is_done {
            let life = pods.entry(name.to_owned()).or_default();
            life.note(&event).with_context(|| line.to_owned())?;
        }
    }
    pods.iter().map(|(name, life)| life.start().with_context(|| name.clone())).collect()
}

/// What became of a pod, and when.
#[derive(Default)]
struct Life {
    bound: Option<Timestamp>,
    last_status: Option<Timestamp>,
    is_deleted: bool,
}

impl Life {
    fn note(&mut self, event: &Value) -> anyhow::Result<()> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let at: Timestamp = text(&event["stageTimestamp"]).parse()?;
        let object = &event["objectRef"];
        match (text(&event["verb"]).as_str(), text(&object["subresource"]).as_str()) {
            ("create", "binding") => self.bound = Some(at),
            ("patch", "status") if !self.is_deleted => self.last_status = Some(at),
            ("delete", "") => self.is_deleted = true,
            _ => {}
        }
        Ok(())
    }

    fn start(&self) -> anyhow::Result<Duration> {
        let bound = self.bound.context("it was not bound")?;
        let told = self.last_status.context("nobody said that it runs")?;
        Ok(Duration::try_from(told.duration_since(bound))?)
    }
}

/// How long each ADD took, of lines such as `1700000000.000001 1700000000.250001 0 IgnoreUnknown=1;K8S_POD_NAME=a`: begin, end, exit
/// code and whose it was.
pub(crate) fn adds(noted: &str, named: &str) -> anyhow::Result<Vec<Duration>> {
    let named = format!("K8S_POD_NAME={named}-");
    let of_them = noted.lines().filter(|line| line.contains(&named));
    of_them.map(|line| add(line).with_context(|| line.to_owned())).collect()
}

fn add(line: &str) -> anyhow::Result<Duration> {
    let [begin, end, status, ..] = line.split(' ').collect::<Vec<_>>()[..] else {
        anyhow::bail!("expected begin, end and exit code");
    };
    anyhow::ensure!(status == "0", "this ADD failed");
    let at = |seconds: &str| Ok::<_, anyhow::Error>(Duration::try_from_secs_f64(seconds.parse()?)?);
    at(end)?.checked_sub(at(begin)?).context("it ended before it began")
}
