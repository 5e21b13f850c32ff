//! The model of EC2 against what EC2 documents.

use ipam_core::action::{Action, CreateEni, Ipv4Ask};
use ipam_core::call::{Mutation, Reply, Request};
use ipam_core::failure::{Failure, Refusal};
use ipam_core::time::Tick;
use ipam_core::view::Tags;

use crate::cloud::{Answer, Cloud};
use crate::text::rig;

const WORLD: &str = "subnet subnet-1 10.0.0.0/26\nnode node-1 m5.large addresses 8";

fn cloud() -> Cloud {
    rig(WORLD).cloud
}

fn call(cloud: &mut Cloud, token: &str, action: Action) -> Answer {
    let mutation = Mutation {
        node: Some("node-1".parse().unwrap()),
        instance: "i-1".parse().unwrap(),
        action,
        token: token.into(),
        first_sent: Tick::default(),
    };
    cloud.execute(&Request::Mutate(mutation))
}

fn create(ipv4: Ipv4Ask) -> Action {
    Action::CreateEni(CreateEni {
        subnet: "subnet-1".parse().unwrap(),
        security_groups: vec!["sg-1".parse().unwrap()],
        ipv4,
        ipv6_prefix: false,
        device_index: 1,
        description: String::new(),
        tags: Tags::new(),
    })
}

fn refusal(answer: &Answer) -> Option<Refusal> {
    match answer {
        Err(Failure::Refused { refusal, .. }) => Some(*refusal),
        _ => None,
    }
}

#[test]
fn a_subnet_gives_what_it_has_and_no_more() {
    let mut cloud = cloud();
    // 64 addresses, of which EC2 keeps five, and the node has nine.
    assert_eq!(cloud.free(&"subnet-1".parse().unwrap()), 50);
    let too_many = create(Ipv4Ask::Addresses(51));
    assert_eq!(refusal(&call(&mut cloud, "a", too_many)), Some(Refusal::SubnetOutOfAddresses));
    // Of four blocks EC2 keeps addresses in the first and the last.
    let prefixes = create(Ipv4Ask::Prefixes(3));
    assert_eq!(refusal(&call(&mut cloud, "b", prefixes)), Some(Refusal::SubnetOutOfPrefixes));
    assert_eq!(cloud.free(&"subnet-1".parse().unwrap()), 50, "all or nothing");
    assert!(call(&mut cloud, "c", create(Ipv4Ask::Prefixes(2))).is_ok());
    assert_eq!(cloud.free(&"subnet-1".parse().unwrap()), 50 - 33);
}

#[test]
fn a_creation_with_the_same_token_makes_nothing_twice() {
    let mut cloud = cloud();
    let first = call(&mut cloud, "a", create(Ipv4Ask::Addresses(1))).unwrap();
    assert_eq!(call(&mut cloud, "a", create(Ipv4Ask::Addresses(1))), Ok(first.clone()));
    let other = call(&mut cloud, "b", create(Ipv4Ask::Addresses(1))).unwrap();
    assert_ne!(first, other);
    assert_eq!(cloud.enis.len(), 3);
}

#[test]
fn an_instance_takes_what_its_type_takes() {
    let mut cloud = cloud();
    let mut attach = |ask: Ipv4Ask, device_index: u16, token: &str| {
        let Ok(Reply::Created(eni)) = call(&mut cloud, token, create(ask)) else {
            panic!("an interface")
        };
        let attach = Action::AttachEni { eni: eni.id.clone(), device_index };
        let answer = refusal(&call(&mut cloud, "", attach));
        (eni.id, answer)
    };
    assert_eq!(attach(Ipv4Ask::Addresses(0), 0, "a").1, Some(Refusal::IndexTaken));
    assert_eq!(attach(Ipv4Ask::Addresses(10), 1, "b").1, Some(Refusal::EniHoldsTooMuch));
    let (eni, answer) = attach(Ipv4Ask::Addresses(0), 1, "c");
    assert_eq!(answer, None);
    assert_eq!(attach(Ipv4Ask::Addresses(0), 2, "d").1, None);
    assert_eq!(attach(Ipv4Ask::Addresses(0), 3, "e").1, Some(Refusal::InstanceFull));
    let again = Action::AttachEni { eni: eni.clone(), device_index: 4 };
    assert_eq!(refusal(&call(&mut cloud, "", again)), Some(Refusal::EniInUse));
    let assign = |count| Action::AssignAddresses {
        eni: eni.clone(),
        subnet: "subnet-1".parse().unwrap(),
        count,
    };
    assert_eq!(refusal(&call(&mut cloud, "", assign(10))), Some(Refusal::EniFull));
    assert!(call(&mut cloud, "", assign(9)).is_ok());
    let delete = Action::DeleteEni { eni: eni.clone() };
    assert_eq!(refusal(&call(&mut cloud, "", delete)), Some(Refusal::EniInUse));
}

#[test]
fn what_outlives_its_instance_is_left_loose() {
    let mut cloud = cloud();
    let Ok(Reply::Created(eni)) = call(&mut cloud, "a", create(Ipv4Ask::Addresses(3))) else {
        panic!("an interface")
    };
    let free = cloud.free(&"subnet-1".parse().unwrap());
    cloud.attach(&eni.id, &"i-1".parse().unwrap(), 1).unwrap();
    cloud.terminate("i-1");
    assert_eq!(cloud.enis.keys().collect::<Vec<_>>(), [&eni.id]);
    assert_eq!(cloud.free(&"subnet-1".parse().unwrap()), free + 9, "the primary interface ended");
    cloud.delete(&eni.id).unwrap();
    assert_eq!(cloud.free(&"subnet-1".parse().unwrap()), 59);
}
