//! Calls, from the form that a client sends to the XML that it gets.

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use ec2_sim::protocol::{Scene, decode, encode};
use ec2_sim::{Caller, Ec2, Moment, Reply};

use crate::region::{self, Measured};

/// Where calls are made: the Region and the time, which goes on by a millisecond with each.
struct Bench {
    measured: Measured,
    caller: Caller,
    now: Moment,
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut bench = Bench::new();
    let mut group = criterion.benchmark_group("ec2-sim");
    group.bench_function("page of 1000 interfaces", |bencher| {
        let form = "Action=DescribeNetworkInterfaces&Version=2016-11-15&MaxResults=1000";
        bencher.iter(|| black_box(bench.call(form)));
    });
    group.bench_function("2 mutations: an address assigned, then taken", |bencher| {
        bencher.iter(|| bench.assign_and_unassign());
    });
    group.bench_function(
        "4 mutations: an interface created, attached, detached, deleted",
        |bencher| {
            bencher.iter(|| bench.create_and_delete());
        },
    );
    group.finish();
}

impl Bench {
    fn new() -> Self {
        let caller = Caller {
            access_key: "AKIDBENCH".to_owned(),
            region: "eu-west-1".to_owned(),
            user_agent: "benches".to_owned(),
        };
        Self { measured: region::measured(), caller, now: Moment::START }
    }

    /// The XML of the answer to `form`; panics on a refusal.
    fn call(&mut self, form: &str) -> String {
        let (reply, body) = self.answer(form);
        black_box(reply);
        body
    }

    fn answer(&mut self, form: &str) -> (Reply, String) {
        self.now = self.now + Duration::from_millis(1);
        let request = decode(form).expect("a request that can be read");
        let ec2: &mut Ec2 = &mut self.measured.ec2;
        let answer = ec2.handle(self.now, &self.caller, request);
        let settings = ec2.settings();
        let scene = Scene {
            account: &settings.account,
            region: &settings.region,
            wall_clock: &|moment| ec2.wall_clock(moment),
        };
        let response = encode(scene, &answer.request_id, &answer.outcome);
        (answer.outcome.expect("no refusal"), response.body)
    }

    fn mutate(&mut self, action: &str, parameters: &str) -> Reply {
        self.answer(&format!("Action={action}&Version=2016-11-15&{parameters}")).0
    }

    fn assign_and_unassign(&mut self) {
        let interface = self.measured.interface.clone();
        let on = format!("NetworkInterfaceId={interface}");
        let assign = format!("{on}&SecondaryPrivateIpAddressCount=1");
        let Reply::AssignPrivateIpAddresses { addresses, .. } =
            self.mutate("AssignPrivateIpAddresses", &assign)
        else {
            unreachable!("the reply is that of its action")
        };
        let unassign = format!("{on}&PrivateIpAddress.1={}", addresses[0]);
        self.mutate("UnassignPrivateIpAddresses", &unassign);
    }

    fn create_and_delete(&mut self) {
        let create = format!("SubnetId={}&SecondaryPrivateIpAddressCount=14", self.measured.subnet);
        let Reply::CreateNetworkInterface { interface, .. } =
            self.mutate("CreateNetworkInterface", &create)
        else {
            unreachable!("the reply is that of its action")
        };
        let id = interface.interface.id.clone();
        let instance = &self.measured.instance;
        let attach = format!(
            "NetworkInterfaceId={id}&InstanceId={instance}&DeviceIndex=3&NetworkCardIndex=0"
        );
        let Reply::AttachNetworkInterface { attachment, .. } =
            self.mutate("AttachNetworkInterface", &attach)
        else {
            unreachable!("the reply is that of its action")
        };
        self.mutate("DetachNetworkInterface", &format!("AttachmentId={attachment}"));
        self.mutate("DeleteNetworkInterface", &format!("NetworkInterfaceId={id}"));
    }
}
