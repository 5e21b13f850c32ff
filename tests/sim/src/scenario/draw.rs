//! Drawing a scenario.

use std::time::Duration;

use ec2_sim::fault::{Drop, Effect};
use ec2_sim::request::Action;
use ec2_sim::staleness::Mode;
use fastrand::Rng;
use ipam_core::view::Contract;

use super::{Fault, FaultKind, Keep, NodePlan, OPERATORS, PodPlan, Region, Scenario};

/// Small types, which are full soon; the last one takes no prefixes.
const TYPES: [&str; 6] =
    ["t3.small", "t3.medium", "m5.large", "c5.xlarge", "m5.2xlarge", "m4.large"];

/// How long a scenario's faulty phase is unless something else is asked for.
const BUSY: Duration = Duration::from_mins(30);

/// Long enough for every pause that Berth makes: two rolling audits, and a subnet that was refused eight times.
const CALM: Duration = Duration::from_hours(1);

impl Scenario {
    /// The scenario of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self::lasting(seed, BUSY)
    }

    /// The same with a faulty phase of another length, and as many more pods and faults.
    #[must_use]
    pub fn lasting(seed: u64, busy: Duration) -> Self {
        let mut draw = Draw { rng: Rng::with_seed(seed), busy, untimely: Vec::new() };
        let region = draw.region();
        let nodes: Vec<NodePlan> = (0..draw.rng.usize(1..=4)).map(|_| draw.node()).collect();
        let pods = draw.pods(nodes.len());
        let faults = draw.faults(nodes.len(), region.subnets.len());
        Self { seed, busy, calm: CALM, region, nodes, pods, faults, keep: Keep::default() }
    }
}

struct Draw {
    rng: Rng,
    busy: Duration,
    /// What goes wrong just when something is about to be given back.
    untimely: Vec<Fault>,
}

impl Draw {
    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.rng.usize(0..of.len())].clone()
    }

    fn seconds(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.rng.u64(from * 1_000..to * 1_000))
    }

    fn moment(&mut self) -> Duration {
        let busy = u64::try_from(self.busy.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.rng.u64(0..busy))
    }

    /// How much longer than usual it lasts.
    fn times(&self) -> usize {
        usize::try_from(self.busy.as_secs().div_ceil(BUSY.as_secs())).unwrap_or(1)
    }

    fn region(&mut self) -> Region {
        Region {
            subnets: (0..self.rng.usize(1..=3)).map(|_| self.rng.u8(23..=27)).collect(),
            prefixes: self.rng.bool(),
            page: self.one(&[5, 20, 1_000]),
            staleness: self.one(&[Mode::Strong, Mode::Typical, Mode::Adversarial]),
            generosity: self.one(&[1.0, 1.0, 1.0, 0.1, 0.04]),
            fast: self.one(&[Duration::ZERO, Duration::from_secs(2), Duration::from_secs(90)]),
            per_hour: self.one(&[None, None, None, None, None, None, None, Some(40)]),
        }
    }

    fn node(&mut self) -> NodePlan {
        NodePlan {
            instance_type: self.one(&TYPES),
            contract: self.one(&[Contract::PerIp, Contract::Cidr]),
            pre_allocate: self.one(&[1, 2, 4, 8, 16]),
            min_allocate: self.one(&[0, 0, 0, 6, 12]),
            max_above_watermark: self.one(&[0, 0, 0, 0, 3, 8]),
            disable_prefix_delegation: self.rng.u8(0..4) == 0,
            first_interface_index: self.one(&[0, 0, 0, 1]),
            joins: if self.rng.bool() { self.moment() / 2 } else { Duration::ZERO },
        }
    }

    fn pods(&mut self, nodes: usize) -> Vec<PodPlan> {
        let count = self.rng.usize(2..24) * nodes * self.times();
        let mut pods = Vec::new();
        while pods.len() < count {
            let (node, begins) = (self.rng.usize(0..nodes), self.moment());
            let burst = if self.rng.u8(0..6) == 0 { self.rng.usize(2..16) } else { 1 };
            // Half of the bursts end as they came, and come again when what they used is about to be given back.
            if burst > 1 && self.rng.bool() {
                self.waves(&mut pods, node, begins, burst);
                continue;
            }
            for _ in 0..burst {
                let runs = match self.rng.u8(0..8) {
                    0 if self.times() == 1 => None,
                    1 | 2 => Some(self.seconds(1, 20)),
                    _ => Some(self.seconds(20, 1_200)),
                };
                pods.push(PodPlan { node, begins, runs });
            }
        }
        pods
    }

    fn waves(&mut self, pods: &mut Vec<PodPlan>, node: usize, mut begins: Duration, burst: usize) {
        for _ in 0..self.rng.usize(1..4) {
            let runs = self.seconds(20, 200);
            for _ in 0..burst {
                pods.push(PodPlan { node, begins, runs: Some(runs) });
            }
            begins += runs + self.seconds(175, 260);
            if begins >= self.busy {
                break;
            }
            let kind = match self.rng.u8(0..6) {
                0 => FaultKind::NodeWithoutApi(node),
                1 => FaultKind::ApiSlow,
                2 => FaultKind::AnswersLost,
                3 => FaultKind::AgentAlone(node),
                4 => {
                    // Killed while the disk has not yet written what comes now.
                    let (begins, lasts) = (begins + self.seconds(0, 4), self.seconds(1, 20));
                    self.untimely.push(Fault { begins, lasts, kind: FaultKind::AgentCrash(node) });
                    FaultKind::DiskSlow(node)
                }
                _ => continue,
            };
            let before = self.seconds(10, 90);
            let lasts = before + self.seconds(5, 60);
            self.untimely.push(Fault { begins: begins.saturating_sub(before), lasts, kind });
        }
    }

    fn faults(&mut self, nodes: usize, subnets: usize) -> Vec<Fault> {
        let count = match self.rng.u8(0..8) {
            0 => 0,
            1..=4 => self.rng.usize(1..6),
            _ => self.rng.usize(6..20),
        };
        let count = count * self.times();
        let mut faults: Vec<Fault> = (0..count).map(|_| self.fault(nodes, subnets)).collect();
        faults.append(&mut self.untimely);
        faults.sort_by_key(|fault| fault.begins);
        faults
    }

    fn fault(&mut self, nodes: usize, subnets: usize) -> Fault {
        let kind = match self.rng.u8(0..11) {
            0..=2 => self.of_operators(),
            3..=5 => self.of_nodes(nodes),
            6 | 10 => self.of_api(),
            7 | 8 => self.of_cloud(),
            _ => self.of_others(nodes, subnets),
        };
        let is_of_cloud =
            matches!(kind, FaultKind::Cloud(..) | FaultKind::CloudSlow | FaultKind::DiskFull(_))
                || matches!(kind, FaultKind::ApiSlow | FaultKind::AnswersLost);
        let lasts = match self.rng.u8(0..4) {
            _ if is_of_cloud => self.seconds(30, 600),
            // Until it grows.
            _ if matches!(kind, FaultKind::GoesWhileGrowing(_)) => self.busy,
            // As long as it takes to give something back.
            _ if matches!(kind, FaultKind::OthersRelease) => self.seconds(200, 400),
            _ if matches!(kind, FaultKind::AgentCannotWrite(_)) => self.seconds(200, 700),
            0 => self.seconds(0, 2),
            1 | 2 => self.seconds(2, 40),
            _ => self.seconds(40, 300),
        };
        Fault { begins: self.moment(), lasts, kind }
    }

    fn of_operators(&mut self) -> FaultKind {
        let operator = self.rng.usize(0..OPERATORS);
        match self.rng.u8(0..7) {
            0 => FaultKind::OperatorStops(operator),
            1 => FaultKind::OperatorCrash(operator),
            2 | 3 => FaultKind::OperatorPause(operator),
            4 => FaultKind::OperatorWithoutApi(operator),
            5 => FaultKind::OtherPolicy,
            _ => FaultKind::OperatorWithoutEc2(operator),
        }
    }

    fn of_nodes(&mut self, nodes: usize) -> FaultKind {
        let node = self.rng.usize(0..nodes);
        match self.rng.u8(0..16) {
            0..=3 => FaultKind::AgentCrash(node),
            12.. => FaultKind::AgentAlone(node),
            4 => FaultKind::Reboot(node),
            5 => FaultKind::LedgerLost(node),
            6 => FaultKind::DiskFull(node),
            7 => FaultKind::DiskSlow(node),
            8 => FaultKind::NodeWithoutApi(node),
            9 => FaultKind::AgentCannotWrite(node),
            10 => FaultKind::ClockLeap(node),
            _ => FaultKind::ObjectDeleted(node),
        }
    }

    fn of_api(&mut self) -> FaultKind {
        self.one(&[
            FaultKind::ApiAway,
            FaultKind::ApiLossy,
            FaultKind::ApiLossy,
            FaultKind::ApiSlow,
            FaultKind::ApiSlow,
            FaultKind::WatchLag,
            FaultKind::WatchesBreak,
        ])
    }

    fn of_cloud(&mut self) -> FaultKind {
        let mutation = self.one(&[
            None,
            Some(Action::AssignPrivateIpAddresses),
            Some(Action::AssignPrivateIpAddresses),
            Some(Action::UnassignPrivateIpAddresses),
            Some(Action::UnassignPrivateIpAddresses),
            Some(Action::UnassignPrivateIpAddresses),
            Some(Action::CreateNetworkInterface),
            Some(Action::CreateNetworkInterface),
            Some(Action::AttachNetworkInterface),
            Some(Action::DetachNetworkInterface),
            Some(Action::DeleteNetworkInterface),
            Some(Action::ModifyNetworkInterfaceAttribute),
        ]);
        let how = self.one(&[Drop::Cut, Drop::InternalError, Drop::Unavailable]);
        let reading = Action::DescribeNetworkInterfaces;
        let lag = self.rng.u64(500..10_000);
        let delay = self.rng.u64(1_000..40_000);
        let jump = if self.rng.bool() { 7_200 } else { -7_200 };
        self.one(&[
            FaultKind::Cloud(mutation, Effect::CommitThenDrop(how)),
            FaultKind::Cloud(mutation, Effect::CommitThenDrop(how)),
            FaultKind::Cloud(mutation, Effect::DropBeforeCommit(how)),
            FaultKind::Cloud(None, Effect::ThrottleBurst),
            FaultKind::Cloud(Some(reading), Effect::StaleRead(lag)),
            FaultKind::Cloud(Some(reading), Effect::TokenExpired),
            FaultKind::Cloud(Some(reading), Effect::RepeatedPage),
            FaultKind::Cloud(None, Effect::MalformedXml(20)),
            FaultKind::Cloud(None, Effect::Delay(delay)),
            FaultKind::AnswersLost,
            FaultKind::CloudSlow,
            FaultKind::WallClock(jump),
        ])
    }

    fn of_others(&mut self, nodes: usize, subnets: usize) -> FaultKind {
        let (node, subnet) = (self.rng.usize(0..nodes), self.rng.usize(0..subnets));
        match self.rng.u8(0..20) {
            11 | 12 => FaultKind::GroupsDrift(node),
            13 => FaultKind::NodeGoes(node),
            14..=18 => FaultKind::GoesWhileGrowing(node),
            8.. => FaultKind::OthersRelease,
            0 | 1 => FaultKind::TakeAddresses(subnet, self.rng.usize(1..200)),
            2 => FaultKind::Fragment(subnet),
            3 => FaultKind::TakeIndex(node, self.rng.u32(1..4)),
            4 => FaultKind::TakeBack(node),
            5 => FaultKind::InstanceStops(node),
            _ => FaultKind::InstanceReplaced(node),
        }
    }
}
