use super::*;
use crate::build::{
    NewAttachment, NewElasticIp, NewInstance, NewInterface, NewRouteTable, NewSecurityGroup,
    NewSubnet, NewVpc,
};
use crate::fault::{Call, Effect, Rule, Rules, Subjects};
use crate::id::{GroupId, InstanceId, InterfaceId, RouteTableId, SubnetId, VpcId};
use crate::machine::Ec2;
use crate::model::Tags;
use crate::request::{
    DescribeAddresses, DescribeInstanceTypes, DescribeInstances, DescribeNetworkInterfaces,
    DescribeRouteTables, DescribeSecurityGroups, DescribeSubnets, DescribeTags, DescribeVpcs,
    GetSecurityGroupsForVpc,
};
use crate::settings::Settings;

/// Who asks when, and what goes wrong.
struct Asker {
    ec2: Ec2,
    now: Moment,
    account: &'static str,
    fired: Fired,
    /// The latest token.
    token: Option<String>,
}

fn tags(text: &str) -> Tags {
    let pairs = text.split(' ').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// A VPC, two subnets, an instance with two interfaces, ten free interfaces, and the first address that is public.
fn world() -> Ec2 {
    let mut ec2 = Ec2::new(Settings::default());
    let mut build = ec2.build();
    let vpc = NewVpc {
        id: Some(VpcId::from_number(1)),
        default_group: Some(GroupId::from_number(1)),
        main_route_table: Some(RouteTableId::from_number(1)),
        tags: tags("Name=main"),
        ..NewVpc::new("10.0.0.0/16".parse().unwrap())
    };
    let vpc = build.vpc(vpc).unwrap();
    let web = NewSecurityGroup {
        id: Some(GroupId::from_number(2)),
        ..NewSecurityGroup::new(vpc.clone(), "web")
    };
    build.security_group(web).unwrap();
    let subnets =
        [(1, "eu-west-1a", "10.0.1.0/24", "team=a"), (2, "eu-west-1b", "10.0.2.0/24", "team=b")];
    for (number, zone, cidr, marks) in subnets {
        let subnet = NewSubnet::new(vpc.clone(), zone, cidr.parse().unwrap());
        build
            .subnet(NewSubnet {
                id: Some(SubnetId::from_number(number)),
                tags: tags(marks),
                ..subnet
            })
            .unwrap();
    }
    let table = NewRouteTable {
        id: Some(RouteTableId::from_number(2)),
        subnets: vec![SubnetId::from_number(2)],
        routes: vec![("0.0.0.0/0".to_owned(), "igw-1".to_owned())],
        ..NewRouteTable::new(vpc)
    };
    build.route_table(table).unwrap();
    let node = NewInstance::new("m5.large", SubnetId::from_number(1));
    let primary = interface(100, 1, "");
    build.instance(NewInstance { id: Some(InstanceId::from_number(1)), primary, ..node }).unwrap();
    for number in 1..=10 {
        build
            .interface(interface(number, 1 + number % 2, if number == 7 { "team=*" } else { "" }))
            .unwrap();
    }
    let attachment = NewAttachment {
        instance: Some(InstanceId::from_number(1)),
        instance_owner: None,
        device_index: 1,
        network_card: 0,
        delete_on_termination: true,
    };
    build
        .interface(NewInterface { attachment: Some(attachment), ..interface(101, 1, "") })
        .unwrap();
    let address = NewElasticIp {
        allocation: Some(crate::id::AllocationId::from_number(1)),
        public_ip: "203.0.113.9".parse().unwrap(),
        target: Some((InterfaceId::from_number(101), "10.0.1.101".parse().unwrap())),
        tags: Tags::new(),
    };
    build.elastic_ip(address).unwrap();
    ec2
}

fn interface(number: u64, subnet: u64, marks: &str) -> NewInterface {
    NewInterface {
        id: Some(InterfaceId::from_number(number)),
        description: format!("number {number}"),
        primary_ip: Some(
            format!("10.0.{subnet}.{}", number + u64::from(number < 100) * 10).parse().unwrap(),
        ),
        groups: vec![GroupId::from_number(1 + u64::from(number >= 100))],
        tags: tags(marks),
        ..NewInterface::new(SubnetId::from_number(subnet))
    }
}

impl Asker {
    fn new() -> Self {
        Self {
            ec2: world(),
            now: Moment::START,
            account: "1",
            fired: Fired::default(),
            token: None,
        }
    }

    /// Asks `what`, then filters `name=value|value`, ids `#7`, `max=N` and `next`; says the last digits of what came, and `+` for more.
    fn ask(&mut self, question: &str) -> String {
        let operation = self.operation(question);
        let settings = self.ec2.settings();
        let context = Context {
            reader: self.ec2.world().truth(),
            now: self.now,
            caller_account: self.account,
            owner: &settings.account,
            region: &settings.region,
            assumptions: &settings.assumptions,
            interface_count: self.ec2.world().interface_count(),
            fired: &self.fired,
        };
        match answer(&operation, &context).unwrap() {
            Err(error) => error.to_string(),
            Ok(reply) => {
                let (found, token) = told(reply);
                self.token = token;
                format!("{found}{}", if self.token.is_some() { " +" } else { "" })
            }
        }
    }

    fn operation(&self, question: &str) -> Operation {
        let mut words = question.split(' ');
        let what = words.next().unwrap();
        let (mut filters, mut ids, mut page) = (Vec::new(), Vec::new(), Page::default());
        for word in words {
            match word.split_once('=') {
                Some(("max", size)) => page.max_results = Some(size.parse().unwrap()),
                Some((name, values)) => {
                    let values = values.split('|').map(|value| value.replace('_', " ")).collect();
                    filters.push(Filter { name: name.to_owned(), values });
                }
                None if word == "next" => page.next_token = self.token.clone(),
                None => ids.push(word.trim_start_matches('#').to_owned()),
            }
        }
        operation(what, &ids, filters, page)
    }
}

fn operation(what: &str, ids: &[String], filters: Vec<Filter>, page: Page) -> Operation {
    fn listing<Id>(
        ids: &[String],
        filters: Vec<Filter>,
        page: Page,
        id: fn(u64) -> Id,
    ) -> Listing<Id> {
        let ids = ids.iter().map(|text| id(text.parse().unwrap())).collect();
        Listing { ids, filters, page }
    }
    match what {
        "interfaces" => Operation::DescribeNetworkInterfaces(DescribeNetworkInterfaces(listing(
            ids,
            filters,
            page,
            InterfaceId::from_number,
        ))),
        "instances" => Operation::DescribeInstances(DescribeInstances(listing(
            ids,
            filters,
            page,
            InstanceId::from_number,
        ))),
        "subnets" => Operation::DescribeSubnets(DescribeSubnets(listing(
            ids,
            filters,
            page,
            SubnetId::from_number,
        ))),
        "vpcs" => {
            Operation::DescribeVpcs(DescribeVpcs(listing(ids, filters, page, VpcId::from_number)))
        }
        "route-tables" => Operation::DescribeRouteTables(DescribeRouteTables(listing(
            ids,
            filters,
            page,
            RouteTableId::from_number,
        ))),
        "groups" => Operation::DescribeSecurityGroups(DescribeSecurityGroups {
            listing: listing(ids, filters, page, GroupId::from_number),
            names: vec![],
        }),
        "groups-for-vpc" => {
            let vpc = VpcId::from_number(ids[0].parse().unwrap());
            Operation::GetSecurityGroupsForVpc(GetSecurityGroupsForVpc { vpc, filters, page })
        }
        "types" => {
            let ids = ids.to_vec();
            Operation::DescribeInstanceTypes(DescribeInstanceTypes(Listing { ids, filters, page }))
        }
        "tags" => Operation::DescribeTags(DescribeTags { filters, page }),
        "addresses" => {
            let (allocations, public_ips) = (vec![], vec![]);
            Operation::DescribeAddresses(DescribeAddresses { allocations, public_ips, filters })
        }
        other => panic!("{other} cannot be asked"),
    }
}

fn told(reply: Reply) -> (String, Option<String>) {
    fn all<Item>(items: &[Item], text: impl Fn(&Item) -> String) -> String {
        items.iter().map(text).collect::<Vec<_>>().join(" ")
    }
    let tail = |id: &str| id[id.len() - 2..].trim_start_matches('0').to_owned();
    match reply {
        Reply::DescribeNetworkInterfaces(page) => {
            (all(&page.items, |view| tail(view.interface.id.as_str())), page.next_token)
        }
        Reply::DescribeInstances(page) => {
            let interfaces = |items: &[_]| {
                all(items, |view: &crate::reply::InterfaceView| tail(view.interface.id.as_str()))
            };
            let told = |view: &crate::reply::InstanceView| {
                let groups = all(&view.groups, |group| group.name.clone());
                format!(
                    "{}({} {groups})",
                    tail(view.instance.id.as_str()),
                    interfaces(&view.interfaces)
                )
            };
            (all(&page.items, told), page.next_token)
        }
        Reply::DescribeSubnets(page) => {
            (all(&page.items, |subnet| tail(subnet.id.as_str())), page.next_token)
        }
        Reply::DescribeVpcs(page) => {
            (all(&page.items, |vpc| tail(vpc.id.as_str())), page.next_token)
        }
        Reply::DescribeRouteTables(page) => {
            (all(&page.items, |table| tail(table.id.as_str())), page.next_token)
        }
        Reply::DescribeSecurityGroups(page) | Reply::GetSecurityGroupsForVpc(page) => {
            (all(&page.items, |group| group.name.clone()), page.next_token)
        }
        Reply::DescribeInstanceTypes(page) => {
            (all(&page.items, |kind| kind.name.clone()), page.next_token)
        }
        Reply::DescribeTags(page) => (
            all(&page.items, |tag| format!("{}:{}={}", tag.resource_type, tag.key, tag.value)),
            page.next_token,
        ),
        Reply::DescribeAddresses(items) => {
            (all(&items, |address| address.public_ip.to_string()), None)
        }
        other => panic!("{other:?} is no listing"),
    }
}

#[track_caller]
fn check(question: &str, expected: &str) {
    assert_eq!(Asker::new().ask(question), expected, "{question}");
}

#[test]
fn interfaces_are_filtered_by_what_they_are() {
    check("interfaces", "1 2 3 4 5 6 7 8 9 a 64 65");
    check("interfaces attachment.instance-id=i-00000000000000001", "64 65");
    check("interfaces attachment.instance-id=i-00000000000000001 attachment.device-index=1", "65");
    check("interfaces attachment.instance-id=i-*", "64 65");
    check("interfaces attachment.instance-id=nonsense", "");
    check("interfaces status=in-use attachment.delete-on-termination=true|false", "64 65");
    check("interfaces subnet-id=subnet-00000000000000001 status=available", "2 4 6 8 a");
    check("interfaces group-id=sg-00000000000000002", "64 65");
    check("interfaces group-name=web", "64 65");
    check("interfaces description=number_?", "1 2 3 4 5 6 7 8 9");
    check("interfaces description=*_1*", "1 a 64 65");
    check("interfaces private-ip-address=10.0.2.11|10.0.1.12", "1 2");
    check("interfaces addresses.private-ip-address=10.0.1.101", "65");
    check("interfaces private-dns-name=ip-10-0-1-12.eu-west-1.compute.internal", "2");
    check("interfaces association.public-ip=203.0.113.9", "65");
    check("interfaces network-interface-id=eni-0000000000000000?", "1 2 3 4 5 6 7 8 9 a");
    check("interfaces availability-zone=eu-west-1b vpc-id=vpc-00000000000000001", "1 3 5 7 9");
    check("interfaces requester-managed=true", "");
    check("interfaces owner-id=123456789012 interface-type=interface #1 #3", "1 3");
}

#[test]
fn wildcards_can_be_escaped() {
    check(r"interfaces tag:team=\*", "7");
    check(r"interfaces tag:team=\?", "");
    check("interfaces tag-key=te?m", "7");
    check("interfaces tag-value=*", "7");
}

#[test]
fn patterns_match_whole_texts() {
    let matches = |pattern: &str, text: &str| super::filter::Pattern::read(pattern).matches(text);
    let yes = [
        ("*", ""),
        ("a*b*c", "aXbXbc"),
        ("**a", "ba"),
        (r"\\", r"\"),
        ("?*", "ä"),
        ("*aab", "aaaab"),
    ];
    assert_eq!(yes.map(|(pattern, text)| matches(pattern, text)), [true; 6]);
    let no = [("?", ""), ("a*b", "abc"), (r"\*", "x"), ("A", "a"), ("a?", "a"), ("*aab", "aaaa")];
    assert_eq!(no.map(|(pattern, text)| matches(pattern, text)), [false; 6]);
}

#[test]
fn instances_come_with_their_interfaces() {
    check("instances", "1(64 65 web)");
    check("instances instance-state-name=running instance-type=m5.*", "1(64 65 web)");
    check("instances network-interface.network-interface-id=eni-00000000000000065", "1(64 65 web)");
    check("instances private-ip-address=10.0.2.11", "");
    check("instances instance.group-name=default", "");
    check("instances instance-state-code=16 ip-address=203.0.113.9", "1(64 65 web)");
    check(
        "instances #2",
        "InvalidInstanceID.NotFound: The instance ID 'i-00000000000000002' does not exist",
    );
}

#[test]
fn networks_are_filtered() {
    check("subnets tag:team=a|b availability-zone=eu-west-1b", "2");
    check("subnets cidr-block=10.0.1.0/24", "1");
    check("subnets available-ip-address-count=246", "2");
    check("vpcs cidr=10.0.0.0/16 tag:Name=main", "1");
    check("vpcs is-default=true", "");
    check("route-tables association.main=true", "1");
    check(
        "route-tables association.subnet-id=subnet-00000000000000002 route.gateway-id=igw-1",
        "2",
    );
    check("groups", "default web");
    check("groups group-name=w*", "web");
    check("groups-for-vpc #1", "default web");
    check("groups-for-vpc #1 group-name=web", "web");
    check(
        "groups-for-vpc #2",
        "InvalidVpcID.NotFound: The vpc ID 'vpc-00000000000000002' does not exist",
    );
    check("addresses instance-id=i-00000000000000001 domain=vpc", "203.0.113.9");
    check("addresses public-ip=203.0.113.8", "");
    check("tags key=team", "network-interface:team=* subnet:team=a subnet:team=b");
    check("tags resource-type=vpc resource-id=vpc-*", "vpc:Name=main");
}

#[test]
fn types_are_filtered_and_come_by_the_hundred() {
    check("types instance-type=c5.large|c5.xlarge", "c5.large c5.xlarge");
    check("types #c5.large #t2.micro hypervisor=xen", "t2.micro");
    check(
        "types instance-type=p5.48xlarge network-info.maximum-network-interfaces=64",
        "p5.48xlarge",
    );
    check(
        "types #z9.nano",
        "InvalidInstanceType: The following supplied instance types do not exist: [z9.nano]",
    );
    let mut asker = Asker::new();
    let mut pages = vec![asker.ask("types")];
    while asker.token.is_some() {
        pages.push(asker.ask("types next"));
    }
    let counts: Vec<_> =
        pages.iter().map(|page| page.split(' ').filter(|name| *name != "+").count()).collect();
    assert!(counts.iter().rev().skip(1).all(|count| *count == 100), "{counts:?}");
    assert_eq!(counts.iter().sum::<usize>(), crate::instance_types::all().len());
}

#[test]
fn unsound_questions_are_refused() {
    check("interfaces nonsense=1", "InvalidParameterValue: The filter 'nonsense' is invalid");
    check("types tag:a=b", "InvalidParameterValue: The filter 'tag:a' is invalid");
    let many = format!("interfaces description={}", vec!["x"; 201].join("|"));
    check(
        &many,
        "FilterLimitExceeded: The maximum number of filter values specified on a single call is 200.",
    );
    let range = "InvalidParameterValue: Value ( 4 ) for parameter maxResults is invalid. Expecting a value between 5 and";
    check("interfaces max=4", &format!("{range} 1000."));
    check("types max=4", &format!("{range} 100."));
    check(
        "interfaces #1 max=5",
        "InvalidParameterCombination: The parameter ids cannot be used with the parameter maxResults",
    );
    check(
        "interfaces #1 #77 #78",
        "InvalidNetworkInterfaceID.NotFound: The networkInterface IDs 'eni-0000000000000004d, eni-0000000000000004e' do not exist",
    );
}

#[test]
fn every_listing_has_its_range_of_page_sizes() {
    let listings = [
        ("interfaces", 1_000),
        ("instances", 1_000),
        ("subnets", 1_000),
        ("vpcs", 1_000),
        ("groups", 1_000),
        ("groups-for-vpc #1", 1_000),
        ("tags", 1_000),
        ("route-tables", 100),
        ("types", 100),
    ];
    for (listing, largest) in listings {
        let allowed = |size: i64| {
            let said = Asker::new().ask(&format!("{listing} max={size}"));
            let refused = format!(
                "InvalidParameterValue: Value ( {size} ) for parameter maxResults is invalid. Expecting a value between 5 and {largest}."
            );
            said != refused
        };
        let sizes = [i64::MIN, 0, 4, 5, largest, largest + 1, i64::MAX];
        assert_eq!(
            sizes.map(allowed),
            [false, false, false, true, true, false, false],
            "{listing}"
        );
    }
    for listing in ["interfaces", "instances"] {
        let said = Asker::new().ask(&format!("{listing} #1 max=5"));
        assert!(said.starts_with("InvalidParameterCombination"), "{said}");
    }
}

#[test]
fn a_call_names_a_thousand_ids_at_most() {
    let ids = |count: usize| format!("interfaces{}", " #1".repeat(count));
    check(&ids(1_000), "1");
    check(&ids(1_001), "InvalidParameterValue: The parameter ids takes at most 1000 values.");
}

#[test]
fn values_of_filters_may_be_odd() {
    check("interfaces description=", "");
    check("interfaces description=**", "1 2 3 4 5 6 7 8 9 a 64 65");
    check(r"interfaces description=number\", "");
    check("interfaces description=number_1|", "1");
    check("interfaces tag:=x", "");
    check("interfaces =x", "InvalidParameterValue: The filter '' is invalid");
    let most = format!("interfaces description={}", vec!["*"; 200].join("|"));
    check(&most, "1 2 3 4 5 6 7 8 9 a 64 65");
}

#[test]
fn pages_follow_one_another_while_the_world_changes() {
    let mut asker = Asker::new();
    assert_eq!(asker.ask("interfaces max=5"), "1 2 3 4 5 +");
    let mut build = asker.ec2.build();
    build.delete_interface(&InterfaceId::from_number(5)).unwrap();
    build.delete_interface(&InterfaceId::from_number(6)).unwrap();
    build.interface(interface(11, 1, "")).unwrap();
    assert_eq!(asker.ask("interfaces max=5 next"), "7 8 9 a b +");
    assert_eq!(asker.ask("interfaces next"), "64 65");
    assert_eq!(asker.ask("interfaces max=5 status=available"), "1 2 3 4 7 +");
    assert_eq!(asker.ask("interfaces max=5 status=available next"), "8 9 a b");
}

#[test]
fn tokens_are_good_for_their_query_and_account_alone_and_not_forever() {
    let invalid = "InvalidNextToken: The token is invalid. It was not issued for this request.";
    let mut asker = Asker::new();
    assert_eq!(asker.ask("interfaces max=5"), "1 2 3 4 5 +");
    assert_eq!(asker.ask("interfaces max=5 status=available next"), invalid);
    assert_eq!(asker.ask("instances next"), invalid);
    asker.account = "2";
    assert_eq!(asker.ask("interfaces max=5 next"), invalid);
    asker.account = "1";
    asker.now = Moment::from_micros(3_600_000_000);
    assert!(asker.ask("interfaces max=5 next").ends_with('+'));
    asker.now = Moment::from_micros(7_200_000_001);
    assert_eq!(
        asker.ask("interfaces max=5 next"),
        "InvalidPaginationToken: The pagination token has expired."
    );
    for token in ["", "x", "ä", "000000000000000000000000000000000000000000000000zz"] {
        asker.token = Some(token.to_owned());
        assert_eq!(asker.ask("interfaces next"), invalid, "{token}");
    }
}

fn firing(effect: Effect) -> Fired {
    let mut rules = Rules::new(fastrand::Rng::with_seed(1));
    rules.add(Rule::always(effect));
    let subjects = Subjects::default();
    rules.fire(Moment::START, &Call { action: None, access_key: "", subjects: &subjects })
}

#[test]
fn faults_cut_and_repeat_pages_and_end_tokens() {
    let mut asker = Asker::new();
    asker.fired = firing(Effect::TruncatedPage(2));
    assert_eq!(asker.ask("interfaces max=5"), "1 2 +");
    asker.fired = firing(Effect::RepeatedPage);
    assert_eq!(asker.ask("interfaces max=5 next"), "6 7 8 9 a +");
    asker.fired = Fired::default();
    assert_eq!(asker.ask("interfaces max=5 next"), "6 7 8 9 a +");
    asker.fired = firing(Effect::TokenExpired);
    assert!(asker.ask("interfaces max=5 next").starts_with("InvalidPaginationToken"));
}

#[test]
fn too_many_interfaces_must_be_paged_or_filtered() {
    let mut asker = Asker::new();
    asker.ec2.build().assumptions().set("unpaginated-limit", "11").unwrap();
    assert!(asker.ask("interfaces").starts_with("OperationNotPermitted"));
    assert!(asker.ask("interfaces description=x").starts_with("OperationNotPermitted"));
    assert_eq!(asker.ask("interfaces group-id=sg-00000000000000002"), "64 65");
    assert_eq!(asker.ask("interfaces #1"), "1");
    assert_eq!(asker.ask("interfaces max=1000"), "1 2 3 4 5 6 7 8 9 a 64 65");
}

#[test]
fn listing_everything_takes_from_the_smaller_bucket() {
    let asker = Asker::new();
    let name = |question: &str| bucket(&asker.operation(question)).to_string();
    assert_eq!(name("interfaces"), "DescribeNetworkInterfaces:unfiltered");
    assert_eq!(name("interfaces max=5"), "DescribeNetworkInterfaces");
    assert_eq!(name("interfaces #1"), "DescribeNetworkInterfaces");
    assert_eq!(name("instances"), "DescribeInstances:unfiltered");
    assert_eq!(name("instances vpc-id=x"), "DescribeInstances");
    assert_eq!(name("groups max=5"), "DescribeSecurityGroups");
    assert_eq!(name("groups"), "DescribeSecurityGroups:unfiltered");
    assert_eq!(name("subnets"), "DescribeSubnets");
}
