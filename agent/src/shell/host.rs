//! Answers leave when the host's network carries the addresses in them.

use std::sync::Arc;
use std::time::Duration;

use ipam_core::agent::{Answer, Call, HostView, Lease, Refused, Status};
use ipam_core::pool::GrantId;
use tracing::warn;

use super::{Parts, add};
use crate::host_net::{self, Handle, Observer, Options};
use crate::keeper::Keeper;
use crate::metrics::Metrics;
use crate::socket::Desk;

/// The keeper, and the host's network if it is the agent's to set up.
#[derive(Debug, Clone)]
pub(super) struct HostDesk {
    keeper: Keeper,
    host: Option<Handle>,
}

impl HostDesk {
    /// Begins to look after the host's network, if that is wanted.
    pub(super) fn start(
        keeper: Keeper,
        metrics: Metrics,
        options: Option<Options>,
        parts: &mut Parts,
    ) -> Self {
        let host = options.map(|options| {
            let listener = Arc::new(Listener { keeper: keeper.clone(), metrics });
            let (handle, task) = host_net::start(options, keeper.watch(), listener);
            add(parts, "the care of the host's network", task);
            handle
        });
        Self { keeper, host }
    }

    /// By which grant an address that is asked for is held already, by whoever asks: that one uses it.
    fn held(&self, call: &Call) -> Option<GrantId> {
        let Call::AllocateExact { address, .. } = call else { return None };
        let address = address.to_canonical();
        self.keeper.status().holdings.iter().find(|held| held.address == address).map(|it| it.id)
    }

    /// What is allocated by name has no DEL: it is given back here, unless it was `held` before.
    async fn give_back(&self, leases: &[Lease], held: Option<GrantId>) {
        for lease in leases.iter().filter(|lease| Some(lease.id) != held) {
            let _unknown_by_now = self.keeper.call(Call::Release { address: lease.address }).await;
        }
    }
}

impl Desk for HostDesk {
    async fn call(&self, call: Call) -> Answer {
        let ends_by_del = matches!(call, Call::Add { .. });
        let held = self.held(&call);
        let answer = self.keeper.call(call).await;
        let (Answer::Granted(leases), Some(host)) = (&answer, &self.host) else {
            return answer;
        };
        let Err(problem) = host.ensure(leases).await else {
            return answer;
        };
        warn!(%problem, "an address is not answered: the host's network is not ready for it");
        if !ends_by_del {
            self.give_back(leases, held).await;
        }
        Answer::Refused(Refused::HostNetwork { problem: problem.to_string() })
    }

    fn status(&self) -> Arc<Status> {
        self.keeper.status()
    }
}

/// Whoever is told of the host's network.
struct Listener {
    keeper: Keeper,
    metrics: Metrics,
}

impl Observer for Listener {
    fn on_view(&self, view: HostView) {
        self.keeper.on_host(view);
    }

    fn on_changes(&self, cause: &'static str, count: usize) {
        self.metrics.on_host_changes(cause, count);
    }

    fn on_ensured(&self, result: &'static str, took: Duration) {
        self.metrics.on_host_ensured(result, took);
    }
}

#[cfg(test)]
mod tests;
