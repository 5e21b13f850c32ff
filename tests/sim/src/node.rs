//! A node: its machine, its disk, and the process of the agent.
//!
//! The process is `agent/src/keeper` on plain values: everything that has come is handed in, all records are made durable by one write, and only then answers
//! leave. While the disk writes, what comes waits.

mod disk;
mod process;

use std::time::Duration;

use ipam_core::agent::AgentSettings;
use ipam_core::ids::NodeName;
use ipam_core::policy::{InvalidPolicy, Watermarks};
use ipam_core::time::Tick;
use ipam_core::view::{NodeIdentity, NodeSettings};

pub(crate) use self::disk::Disk;
pub(crate) use self::process::{Caller, Input, Process, Publishing};
use crate::scenario::NodePlan;

/// A node.
#[derive(Debug)]
pub(crate) struct Node {
    /// Its number.
    pub(crate) index: usize,
    /// Which instance it is and where.
    pub(crate) identity: NodeIdentity,
    /// What its owner asks for.
    pub(crate) settings: NodeSettings,
    /// How its agent behaves.
    pub(crate) agent: AgentSettings,
    /// How many instances there were under this name, and how often this one was booted.
    pub(crate) instances: u64,
    pub(crate) boots: u64,
    /// Whether the machine runs, and when it was booted, by the clock of the world.
    pub(crate) is_up: bool,
    pub(crate) booted: Tick,
    /// By how much its clock has leapt since then.
    pub(crate) leapt: Duration,
    /// Its disk.
    pub(crate) disk: Disk,
    /// How many processes of the agent there were. What is for another one is for nobody.
    pub(crate) life: u64,
    /// The process, while it runs.
    pub(crate) process: Option<Box<Process>>,
    /// The turn of the process that is to come, by the clock of the world.
    pub(crate) turn_at: Option<Tick>,
    /// Until when it does not reach the API server, can write nothing there, its disk is full, and its disk is slow.
    pub(crate) without_api: Tick,
    pub(crate) without_writes: Tick,
    pub(crate) disk_full: Tick,
    pub(crate) disk_slow: Tick,
}

impl Node {
    /// A node whose machine does not run yet.
    ///
    /// # Errors
    /// The plan asks for what no node can have.
    pub(crate) fn new(
        index: usize,
        identity: NodeIdentity,
        plan: &NodePlan,
    ) -> Result<Self, InvalidPolicy> {
        let watermarks = Watermarks::new(
            plan.pre_allocate.into(),
            plan.min_allocate.into(),
            0,
            plan.max_above_watermark.into(),
        )?;
        let first = Some(u16::from(plan.first_interface_index)).filter(|first| *first > 0);
        Ok(Self {
            index,
            identity,
            settings: NodeSettings {
                watermarks,
                first_interface_index: first,
                disable_prefix_delegation: plan.disable_prefix_delegation,
                ..NodeSettings::default()
            },
            agent: AgentSettings {
                contract: plan.contract,
                pre_allocate: plan.pre_allocate.into(),
                min_allocate: plan.min_allocate.into(),
                max_above_watermark: plan.max_above_watermark.into(),
                first_interface_index: plan.first_interface_index.into(),
                ..AgentSettings::default()
            },
            instances: 1,
            boots: 0,
            is_up: false,
            booted: Tick::default(),
            leapt: Duration::ZERO,
            disk: Disk::default(),
            life: 0,
            process: None,
            turn_at: None,
            without_api: Tick::default(),
            without_writes: Tick::default(),
            disk_full: Tick::default(),
            disk_slow: Tick::default(),
        })
    }

    /// Its name.
    pub(crate) const fn name(&self) -> &NodeName {
        &self.identity.name
    }

    /// Its clock: milliseconds since it was booted.
    pub(crate) fn clock(&self, now: Tick) -> Tick {
        Tick::from_millis(now.as_millis().saturating_sub(self.booted.as_millis())) + self.leapt
    }

    /// What tells this boot from all others.
    pub(crate) fn boot(&self) -> String {
        format!("{}-{}", self.instances, self.boots)
    }
}
