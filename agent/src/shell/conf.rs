//! The CNI configuration, waited for.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::sleep;
use tracing::{info, warn};

use crate::cni_conf::{CniConf, CniConfError, merge, read as read_file};
use crate::imds::InstanceFacts;
use crate::kubernetes::OwnNode;
use crate::settings::TuningSettings;

/// How often a file that is not there is looked for.
const LOOK: Duration = Duration::from_secs(1);

/// What flags and the CNI configuration say.
#[derive(Debug)]
pub(super) struct Conf {
    flags: OwnNode,
    conf: Option<CniConf>,
}

/// Reads the CNI configuration that the settings name. While there is none it is waited for: without it pods could get addresses of
/// interfaces that are meant for something else.
pub(super) async fn read(settings: &TuningSettings) -> Result<Conf, CniConfError> {
    let flags = settings.flags.clone();
    let Some(path) = &settings.cni_conf else {
        return Ok(Conf { flags, conf: None });
    };
    let mut said = false;
    loop {
        if let Some(conf) = read_file(path)? {
            info!(path = %path.display(), "the CNI configuration was read");
            return Ok(Conf { flags, conf: Some(conf) });
        }
        if !said {
            warn!(path = %path.display(), "waiting for the CNI configuration: there is no such file");
            said = true;
        }
        sleep(LOOK).await;
    }
}

impl Conf {
    /// What counts. Says what somebody should know about it.
    pub(super) fn say(&self, facts: Option<&InstanceFacts>) -> OwnNode {
        let (tuning, warnings) = merge(&self.flags, self.conf.as_ref(), facts);
        for warning in warnings {
            warn!("{warning}");
        }
        tuning
    }

    /// The same, once facts are known that were not when it was said: what was said then is not said again.
    pub(super) fn say_facts(&self, facts: &InstanceFacts) -> OwnNode {
        let (_, said) = merge(&self.flags, self.conf.as_ref(), None);
        let said: BTreeSet<String> = said.iter().map(ToString::to_string).collect();
        let (tuning, warnings) = merge(&self.flags, self.conf.as_ref(), Some(facts));
        for warning in warnings.iter().map(ToString::to_string).filter(|it| !said.contains(it)) {
            warn!("{warning}");
        }
        tuning
    }
}
