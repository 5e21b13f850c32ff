//! One step after the other.

use ipam_core::pool::Family;
use rtnetlink::LinkUnspec;
use rtnetlink::packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::LinkMessage;
use rustix::io::Errno;

use super::{KernelError, Netlink, decode, encode};
use crate::host_net::words::{Masquerade, Numbers, Route, Rule, Step};

/// Makes what must not be there yet.
const NEW: u16 = NLM_F_CREATE | NLM_F_EXCL;

impl Netlink {
    pub(super) async fn carry_out(
        &mut self,
        numbers: &Numbers,
        step: &Step,
    ) -> Result<(), KernelError> {
        match step {
            Step::SetMtu { device, mtu } => {
                self.change(LinkUnspec::new_with_index(*device).mtu(*mtu).build()).await
            }
            Step::SetUp { device } => {
                self.change(LinkUnspec::new_with_index(*device).up().build()).await
            }
            Step::SetReversePath { device, value } => {
                let name = self.names.get(device).ok_or(KernelError::NoDevice(*device))?;
                self.sysctl.set_reverse_path(name, *value)
            }
            Step::AddAddress { device, address } => {
                let message = encode::address(*device, *address);
                let order = RouteNetlinkMessage::NewAddress(message);
                unless(self.requests.order(order, NEW).await, &[Errno::EXIST])
            }
            Step::AddRoute(route) => self.add_route(route).await,
            Step::DeleteRoute(route) => {
                let order = RouteNetlinkMessage::DelRoute(encode::route(route));
                unless(self.requests.order(order, 0).await, &GONE)
            }
            Step::AddRule(rule) => self.add_rule(rule, numbers.protocol).await,
            Step::DeleteRule(rule) => self.delete_rule(rule, numbers.protocol).await,
            Step::SetMasquerade(masquerade) => {
                self.set_masquerade(numbers, masquerade.as_ref()).await
            }
        }
    }

    async fn change(&self, message: LinkMessage) -> Result<(), KernelError> {
        self.requests.order(RouteNetlinkMessage::NewLink(message), 0).await
    }

    /// Adds a route, in the place of another of Berth's. If it is somebody else's by now that has its place, that is an error: the next look
    /// says whose it is.
    async fn add_route(&self, route: &Route) -> Result<(), KernelError> {
        let order = RouteNetlinkMessage::NewRoute(encode::route(route));
        match self.requests.order(order.clone(), NEW).await {
            Err(error) if error.errno() == Some(Errno::EXIST) => {
                let family = Family::of(route.destination.addr());
                let question = encode::routes_of(family, route.protocol);
                let ours = self.requests.dump(&question, |it| decode::route(it, family)).await?;
                if !ours.iter().any(|it| has_place_of(it, route)) {
                    return Err(error);
                }
                self.requests.order(order, NLM_F_CREATE | NLM_F_REPLACE).await
            }
            done => done,
        }
    }

    /// Adds a rule. Older kernels take one that differs by its protocol number alone for the same and say that it exists: then it
    /// is another's, who may remove it any time, and Berth's is put beside it.
    async fn add_rule(&mut self, rule: &Rule, protocol: u8) -> Result<(), KernelError> {
        let message = encode::rule(rule, protocol).ok_or(KernelError::NoRule)?;
        let order = RouteNetlinkMessage::NewRule(message);
        match self.requests.order(order.clone(), NEW).await {
            Err(error) if error.errno() == Some(Errno::EXIST) => {
                if self.rules(protocol).await?.contains(rule) {
                    return Ok(());
                }
                self.requests.order(order, NLM_F_CREATE).await
            }
            done => done,
        }
    }

    async fn delete_rule(&self, rule: &Rule, protocol: u8) -> Result<(), KernelError> {
        let message = encode::rule(rule, protocol);
        let message = message.or_else(|| self.strange.get(rule).cloned());
        let order = RouteNetlinkMessage::DelRule(message.ok_or(KernelError::NoRule)?);
        unless(self.requests.order(order, 0).await, &GONE)
    }

    async fn set_masquerade(
        &mut self,
        numbers: &Numbers,
        masquerade: Option<&Masquerade>,
    ) -> Result<(), KernelError> {
        // If it fails it is not known how far it came.
        self.knows_masquerade = false;
        self.nft.write(numbers, masquerade).await?;
        self.masquerade = masquerade.cloned();
        self.knows_masquerade = true;
        Ok(())
    }
}

/// Whether the kernel can have only one of the two.
fn has_place_of(one: &Route, other: &Route) -> bool {
    let place = |route: &Route| (route.table, route.destination, route.metric);
    place(one) == place(other)
}

/// What the kernel says of something that is gone.
const GONE: [Errno; 3] = [Errno::NOENT, Errno::SRCH, Errno::NODEV];

/// Some errors say that it is so already.
fn unless(done: Result<(), KernelError>, already: &[Errno]) -> Result<(), KernelError> {
    match done {
        Err(error) if error.errno().is_some_and(|errno| already.contains(&errno)) => Ok(()),
        done => done,
    }
}
