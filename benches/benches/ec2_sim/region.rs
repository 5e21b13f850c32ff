//! The world that is measured.

use ec2_sim::build::{NewAttachment, NewInstance, NewInterface, NewSubnet, NewVpc};
use ec2_sim::id::{InstanceId, InterfaceId, SubnetId};
use ec2_sim::{Ec2, Settings, throttle};

/// How many instances there are.
pub(crate) const INSTANCES: usize = 5_000;
/// How many interfaces each has, the primary one among them.
pub(crate) const INTERFACES_EACH: usize = 3;
/// How many single addresses there are beside the primary ones.
pub(crate) const SECONDARY: usize = 485_000;

/// A Region whose instances are spread over subnets of 65,531 addresses each, with everything that costs time switched off.
pub(crate) struct Measured {
    /// The Region.
    pub(crate) ec2: Ec2,
    /// One subnet, with free addresses.
    pub(crate) subnet: SubnetId,
    /// An instance with a free slot.
    pub(crate) instance: InstanceId,
    /// Its last interface.
    pub(crate) interface: InterfaceId,
}

/// Builds it.
pub(crate) fn measured() -> Measured {
    let mut settings = Settings { buckets: throttle::Settings::unlimited(), ..Settings::default() };
    settings.quotas.interfaces = 100_000;
    settings.quotas.address_usage_per_vpc = 1_000_000;
    settings.journal = Some(1_000);
    let mut ec2 = Ec2::new(settings);
    let subnets = subnets(&mut ec2);
    let mut last = None;
    for number in 0..INSTANCES {
        last = Some(instance(&mut ec2, &subnets[number % subnets.len()], number));
    }
    let (instance, interface) = last.expect("there are instances");
    Measured { ec2, subnet: subnets[0].clone(), instance, interface }
}

fn subnets(ec2: &mut Ec2) -> Vec<SubnetId> {
    let cidr = |number: usize| format!("10.{number}.0.0/16").parse().expect("a CIDR");
    let mut vpc = NewVpc::new(cidr(0));
    vpc.secondary_cidrs = (1..10).map(cidr).collect();
    let vpc = ec2.build().vpc(vpc).expect("a VPC");
    let subnet = |number: usize| {
        let new = NewSubnet::new(vpc.clone(), "eu-west-1a", cidr(number));
        ec2.build().subnet(new).expect("a subnet")
    };
    (0..10).map(subnet).collect()
}

/// An instance with its share of the addresses.
fn instance(ec2: &mut Ec2, subnet: &SubnetId, number: usize) -> (InstanceId, InterfaceId) {
    let share = |index: usize| {
        let all = INSTANCES * INTERFACES_EACH;
        let position = number * INTERFACES_EACH + index;
        SECONDARY * (position + 1) / all - SECONDARY * position / all
    };
    let mut new = NewInstance::new("m5.24xlarge", subnet.clone());
    new.primary.ipv4.address_count = share(0);
    let instance = ec2.build().instance(new).expect("an instance");
    let mut last = None;
    for index in 1..INTERFACES_EACH {
        let mut new = NewInterface::new(subnet.clone());
        new.ipv4.address_count = share(index);
        new.attachment = Some(NewAttachment {
            instance: Some(instance.clone()),
            instance_owner: None,
            device_index: u32::try_from(index).expect("an index"),
            network_card: 0,
            delete_on_termination: true,
        });
        last = Some(ec2.build().interface(new).expect("an interface"));
    }
    (instance, last.expect("there is more than one interface"))
}
