//! What the timeline says, carried out.

use std::sync::Arc;
use std::time::Duration;

use berth_shell::problem::chain;
use futures::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use super::launch::{Blueprint, Made};
use super::world::Launched;
use super::{Scene, StageError};
use crate::book::Book;
use crate::plan::{Left, What};

/// How long a new node may take to serve before the old one goes all the same.
const NEW_SERVES: Duration = Duration::from_secs(30);
/// How long the pods of a node may take to go.
const PODS_GO: Duration = Duration::from_secs(10);
/// How long an agent may take to end.
const AGENT_ENDS: Duration = Duration::from_secs(6);
/// Between two looks whether pods are gone.
const LOOK: Duration = Duration::from_millis(200);

/// Who can let the pods of a node go.
pub trait Evict: Send + Sync + 'static {
    /// Ends the pods of a node that is about to go, which come anew elsewhere. Returns when they are gone, or earlier.
    fn evict(&self, node: &str) -> impl Future<Output = ()> + Send;
}

impl Scene {
    /// Carries it out. What lasts is waited for.
    pub(super) async fn happen<E: Evict>(self: Arc<Self>, what: What, book: Book, pods: Arc<E>) {
        match what {
            // Those who make pods do.
            What::Burst { .. } => {}
            What::Drain { group, pause } => {
                self.drain(group.as_deref(), pause, &book, &*pods).await;
            }
            What::Ec2Outage { length } => self.ec2_outage(length).await,
            What::ApiOutage { length } => self.api_outage(length).await,
            What::OperatorAway { length } => self.operator_away(length).await,
            What::AgentsAway { length, group } => self.agents_away(length, group.as_deref()).await,
            What::SubnetTaken { subnet, left } => self.subnet_taken(&subnet, left),
            What::Buckets { multiplier } => {
                self.world.scale_buckets(multiplier);
                self.news.tell(format!(
                    "the token buckets of the account are {multiplier} times as large as published"
                ));
            }
        }
    }

    async fn ec2_outage(&self, length: Duration) {
        self.news.warn(format!("EC2 is out for {length:?}: every call fails"));
        let rule = self.world.begin_outage();
        sleep(length).await;
        self.world.end_outage(rule);
        self.news.tell("EC2 is back");
    }

    async fn api_outage(&self, length: Duration) {
        let Some(rule) = self.cluster.begin_outage() else {
            self.news.warn("a real API server is not put out of service");
            return;
        };
        self.news.warn(format!("the API server is out for {length:?}: it answers nobody"));
        sleep(length).await;
        self.cluster.end_outage(rule);
        self.news.tell("the API server is back");
    }

    async fn operator_away(&self, length: Duration) {
        self.news.warn(format!("the operator is killed, and away for {length:?}"));
        self.operator.keep_away().await;
        sleep(length).await;
        match self.operator.back().await {
            Ok(()) => self.news.tell("the operator is started again"),
            Err(error) => self.broken("the operator does not start again", &error),
        }
    }

    async fn agents_away(&self, length: Duration, group: Option<&str>) {
        let agents: Vec<_> =
            self.crew.of_group(group).into_iter().filter_map(|it| it.agent).collect();
        let count = agents.len();
        self.news.warn(format!("{count} agents are killed, and away for {length:?}"));
        join_all(agents.iter().map(|agent| agent.keep_away())).await;
        sleep(length).await;
        for started in join_all(agents.iter().map(|agent| agent.back())).await {
            if let Err(error) = started {
                self.broken("an agent does not start again", &error);
            }
        }
        self.news.tell(format!("{count} agents are started again"));
    }

    fn subnet_taken(&self, subnet: &str, left: Left) {
        let what = match left {
            Left::Addresses(left) => format!("{left} addresses are left"),
            Left::Blocks(left) => format!("{left} whole blocks of 16 are left"),
        };
        match self.world.leave(subnet, left) {
            Ok(()) => self.news.warn(format!("others take addresses of subnet {subnet}: {what}")),
            Err(error) => self.broken("a subnet is not taken", &error),
        }
    }

    /// Replaces the nodes that Berth serves, one after the other.
    async fn drain(&self, group: Option<&str>, pause: Duration, book: &Book, pods: &impl Evict) {
        let nodes = self.crew.of_group(group);
        let whose = group.map_or_else(String::new, |name| format!(" of {name}"));
        self.news
            .tell(format!("the {} nodes{whose} are replaced, one after the other", nodes.len()));
        for (number, old) in nodes.iter().enumerate() {
            if number > 0 {
                sleep(pause).await;
            }
            if let Err(error) = self.replace(old, book, pods).await {
                let name = &old.blueprint.name;
                self.broken(&format!("the node {name} is not replaced"), &error);
            }
        }
        self.news.tell(format!("the nodes{whose} are replaced"));
    }

    async fn replace(&self, old: &Made, book: &Book, pods: &impl Evict) -> Result<(), StageError> {
        let new = self.crew.in_place_of(&old.blueprint);
        let (name, new_name) = (&old.blueprint.name, new.name.clone());
        self.news.tell(format!("{new_name} is launched in the place of {name}"));
        match self.launch(&new) {
            Ok(launched) => self.join_in_place(new, launched).await?,
            Err(error) => {
                // A subnet that is full is something that happens.
                let why = chain(&error);
                self.news.warn(format!("{new_name} is not launched, and {name} stays: {why}"));
                return Ok(());
            }
        }
        self.nodes.change(name, |node| node.is_draining = true);
        self.cluster.cordon(name).await?;
        self.empty(name, pods).await;
        self.take_away(old, book, AGENT_ENDS).await?;
        self.news.tell(format!("{name} is gone"));
        Ok(())
    }

    /// Lets an instance join, and waits until pods can be placed there.
    async fn join_in_place(&self, new: Blueprint, launched: Launched) -> Result<(), StageError> {
        let (name, instance) = (new.name.clone(), launched.instance.clone());
        if let Err(error) = self.join(new, launched).await {
            self.world.terminate(&instance)?;
            return Err(error);
        }
        let made = self.crew.of_group(None).into_iter().find(|made| made.blueprint.name == name);
        if let Some(agent) = made.and_then(|made| made.agent)
            && !agent.serves(NEW_SERVES).await
        {
            self.news.warn(format!("{name} does not serve pods after {NEW_SERVES:?}"));
        }
        Ok(())
    }

    /// Lets the pods of a node go. What does not go in time goes with the node.
    async fn empty(&self, name: &str, pods: &impl Evict) {
        let start = Instant::now();
        let gone = async {
            pods.evict(name).await;
            while !self.cluster.is_empty(name).await {
                sleep(LOOK).await;
            }
        };
        if timeout(PODS_GO, gone).await.is_err() {
            let waited = start.elapsed();
            self.news.warn(format!("{name} still has pods after {waited:.0?}: they go with it"));
        }
    }

    /// Something of the stage itself went wrong.
    pub(super) fn broken(&self, what: &str, error: &StageError) {
        self.troubles.add(format!("{what}: {}", chain(error)));
    }
}
