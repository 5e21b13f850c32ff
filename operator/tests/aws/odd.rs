//! Answers that the simulated EC2 never gives: members and values that are new, missing or wrong.

use berth_operator::cloud::Cloud;

use crate::bed::call;
use crate::scripted::{Scripted, check, runtime};
use crate::show;
use crate::words;

/// An interface as EC2 describes it, with `extra` in it.
fn interface(id: &str, extra: &str) -> String {
    format!(
        "<item><networkInterfaceId>{id}</networkInterfaceId><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>\
         <interfaceType>interface</interfaceType><macAddress>02:00:00:00:00:01</macAddress>\
         <privateIpAddress>10.0.0.9</privateIpAddress>{extra}</item>"
    )
}

fn attachment(status: &str, extra: &str) -> String {
    format!(
        "<attachment><attachmentId>eni-attach-1</attachmentId><instanceId>i-1</instanceId>\
         <deviceIndex>1</deviceIndex><networkCardIndex>0</networkCardIndex><status>{status}</status>{extra}</attachment>"
    )
}

/// A page of `items`.
fn page(items: &[String]) -> String {
    let items = items.concat();
    root(
        "DescribeNetworkInterfaces",
        &format!("<networkInterfaceSet>{items}</networkInterfaceSet>"),
    )
}

fn root(action: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
         <requestId>1</requestId>{inner}</{action}Response>\n"
    )
}

/// A listing of one odd interface between two that are fine: what comes of the odd one.
#[track_caller]
fn odd(id: &str, extra: &str, expected: &str) {
    let items = [interface("eni-1", ""), interface(id, extra), interface("eni-3", "")];
    let fine = |id| format!("nobody's: {id} Ordinary in subnet-1 behind: 10.0.0.9");
    let (first, last) = (fine("eni-1"), fine("eni-3"));
    let expected = if expected.starts_with("unreadable") {
        format!("{first}\n{last}\n{expected}")
    } else {
        format!("{first}\n{expected}\n{last}")
    };
    check("enis vpc vpc-1", 200, &page(&items), &expected);
}

#[test]
fn an_interface_that_cannot_be_read_costs_nothing_but_itself() {
    odd("ENI 2", "", "unreadable: ENI 2: networkInterfaceId is \"ENI 2\": …");
    odd(
        "eni-2",
        "<ipv4PrefixSet><item><ipv4Prefix>10.0.0.0/99</ipv4Prefix></item></ipv4PrefixSet>",
        "unreadable: eni-2: ipv4Prefix is \"10.0.0.0/99\": …",
    );
    odd(
        "eni-2",
        "<privateIpAddressesSet><item><privateIpAddress>ten</privateIpAddress></item></privateIpAddressesSet>",
        "unreadable: eni-2: privateIpAddress is \"ten\": …",
    );
    odd(
        "eni-2",
        "<privateIpAddressesSet><item><primary>false</primary></item></privateIpAddressesSet>",
        "unreadable: eni-2: privateIpAddress is missing",
    );
    odd(
        "eni-2",
        "<attachment><instanceId>i-1</instanceId><status>attached</status></attachment>",
        "unreadable: eni-2: attachmentId is missing",
    );
    odd(
        "eni-2",
        "<attachment><attachmentId>eni-attach-1</attachmentId><instanceId>i-1</instanceId><status>attached</status></attachment>",
        "unreadable: eni-2: attachment.deviceIndex is missing",
    );
    odd(
        "eni-2",
        "<attachment><instanceId>i-1</instanceId></attachment>",
        "unreadable: eni-2: attachment.status is missing",
    );
}

#[test]
fn an_interface_without_what_every_interface_has() {
    let bare = "<item><networkInterfaceId>eni-2</networkInterfaceId></item>".to_owned();
    let nameless = "<item><subnetId>subnet-1</subnetId></item>".to_owned();
    check(
        "enis vpc vpc-1",
        200,
        &page(&[bare, nameless]),
        "unreadable: eni-2: subnetId is missing
         unreadable: an item without an id: networkInterfaceId is missing",
    );
}

#[test]
fn what_is_new_is_no_obstacle() {
    odd(
        "eni-2",
        &format!(
            "<quantumLink><state>up</state></quantumLink>{}",
            attachment("attached", "<lane>7</lane>")
        ),
        "i-1: eni-2 Ordinary in subnet-1 behind: 10.0.0.9, Attached at 0/1",
    );
    odd("eni-2", &attachment("attaching", ""), "i-1: eni-2 …");
    // A state that nobody knows is one on the way to another.
    odd(
        "eni-2",
        &attachment("hovering", ""),
        "i-1: eni-2 Ordinary in subnet-1 behind: 10.0.0.9, Attaching at 0/1",
    );
    odd(
        "eni-2",
        &attachment("detaching", ""),
        "i-1: eni-2 Ordinary in subnet-1 behind: 10.0.0.9, Detaching at 0/1",
    );
    odd(
        "eni-2",
        &attachment("detached", ""),
        "nobody's: eni-2 Ordinary in subnet-1 behind: 10.0.0.9",
    );
}

#[test]
fn a_kind_of_interface_that_nobody_knows_is_special() {
    for kind in ["trunk", "branch", "efa", "efa-only", "warp_drive"] {
        let item = interface("eni-2", "").replace(">interface<", &format!(">{kind}<"));
        let expected = "nobody's: eni-2 Special in subnet-1 behind: 10.0.0.9";
        check("enis vpc vpc-1", 200, &page(&[item]), expected);
    }
}

#[test]
fn addresses_inside_prefixes_and_the_primary_are_not_counted_twice() {
    odd(
        "eni-2",
        "<privateIpAddressesSet>\
           <item><privateIpAddress>10.0.0.9</privateIpAddress><primary>true</primary></item>\
           <item><privateIpAddress>10.0.0.17</privateIpAddress></item>\
           <item><privateIpAddress>10.0.0.40</privateIpAddress></item></privateIpAddressesSet>\
         <ipv4PrefixSet><item><ipv4Prefix>10.0.0.16/28</ipv4Prefix></item></ipv4PrefixSet>",
        "nobody's: eni-2 Ordinary in subnet-1 behind: 10.0.0.9 10.0.0.40 10.0.0.16/28",
    );
}

/// By a tag of the interface, in an answer that came at the start of the year 2026.
#[test]
fn how_old_an_interface_is() {
    let check = |tag: &str, age: &str| {
        let item = format!(
            "<tagSet><item><key>berth/created-at</key><value>{tag}</value></item></tagSet>"
        );
        let fine = "nobody's: eni-2 Ordinary in subnet-1 behind: 10.0.0.9";
        odd("eni-2", &item, &format!("{fine} {{berth/created-at:{tag}}}{age}"));
    };
    check("2025-12-31T23:00:00Z", ", 3600 s old");
    check("2026-01-01T00:59:30+01:00", ", 30 s old");
    check("2026-01-01T00:00:00Z", ", 0 s old");
    check("2026-01-01T09:00:00Z", ", 0 s old");
    check("9999-01-01T00:00:00Z", ", 0 s old");
    for unreadable in ["2025-12-31T23:00:00", "2025-12-31", "1767222000", "yesterday", ""] {
        check(unreadable, "");
    }
    odd("eni-2", "", "nobody's: eni-2 Ordinary in subnet-1 behind: 10.0.0.9");
}

#[test]
fn fewer_than_asked_for_is_what_there_is() {
    let two = "<assignedPrivateIpAddressesSet><item><privateIpAddress>10.0.0.5</privateIpAddress></item></assignedPrivateIpAddressesSet>";
    let answer = |inner: &str| root("AssignPrivateIpAddresses", inner);
    check("addresses eni-1 2", 200, &answer(two), "assigned 10.0.0.5");
    check("addresses eni-1 2", 200, &answer(""), "assigned");
    check("prefixes eni-1 2", 200, &answer("<assignedIpv4PrefixSet/>"), "assigned");
    check("ipv6 eni-1", 200, &root("AssignIpv6Addresses", ""), "assigned");
    let wrong = two.replace("10.0.0.5", "10.0.0");
    check(
        "addresses eni-1 2",
        200,
        &answer(&wrong),
        "no answer: eni-1: privateIpAddress is \"10.0.0\": …",
    );
}

#[test]
fn a_reply_without_what_was_made_is_no_answer() {
    let create = "create subnet-1 addresses 2";
    let root = |inner: &str| root("CreateNetworkInterface", inner);
    check(
        create,
        200,
        &root(""),
        "no answer: the interface was made and cannot be read: networkInterface is missing",
    );
    let bare =
        "<networkInterface><networkInterfaceId>eni-1</networkInterfaceId></networkInterface>";
    check(create, 200, &root(bare), "no answer: the interface was made and cannot be read: …");
    let attach = self::root("AttachNetworkInterface", "");
    check("attach eni-1 i-1 1", 200, &attach, "no answer: eni-1: attachmentId is missing");
}

#[test]
fn the_answer_to_another_request_is_no_answer() {
    check("enis vpc vpc-1", 200, &root("DescribeSubnets", ""), "no answer: …");
    check("delete eni-1", 200, &root("DescribeSubnets", ""), "no answer: …");
    check("delete eni-1", 200, "", "no answer: …");
    check("delete eni-1", 200, "{\"ok\": true}", "no answer: …");
    check("delete eni-1", 404, "not here", "no answer: status 404 without an error code");
}

#[test]
fn expired_credentials_are_not_sent_and_fetched_anew() {
    let expired = "<Response><Errors><Error><Code>RequestExpired</Code><Message>Request has expired.</Message></Error></Errors><RequestID>1</RequestID></Response>";
    check(
        "delete eni-1",
        400,
        expired,
        "not sent: the credentials have expired: RequestExpired: Request has expired.",
    );
    runtime().block_on(async {
        let aws =
            Scripted::new(&[(400, expired), (200, &root("DeleteNetworkInterface", ""))]).aws();
        let ask = async || show::answer(&aws.call(call(words::request("delete eni-1"))).await);
        assert!(ask().await.starts_with("not sent"));
        assert_eq!(ask().await, "done");
    });
}

#[test]
fn subnets_and_others_that_cannot_be_read_cost_nothing_but_themselves() {
    let subnets = "<subnetSet><item><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId></item>\
        <item><subnetId>subnet-2</subnetId><vpcId>vpc-1</vpcId><availabilityZone>eu-west-1a</availabilityZone><cidrBlock>10.0.0.0/24</cidrBlock>\
        <availableIpAddressCount>7</availableIpAddressCount></item></subnetSet><nextToken>more</nextToken>";
    check(
        "subnets vpc-1",
        200,
        &root("DescribeSubnets", subnets),
        "subnet-2 vpc-1 eu-west-1a 10.0.0.0/24, 7 free
         unreadable: subnet-1: availabilityZone is missing
         and more",
    );
    let vpc = root("DescribeVpcs", "<vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet>");
    check("vpc vpc-1", 200, &vpc, "no answer: vpc-1: cidrBlock is missing");
    let tables = "<routeTableSet><item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId><associationSet>\
        <item><subnetId>subnet-1</subnetId><associationState><state>associated</state></associationState></item>\
        <item><subnetId>subnet-2</subnetId><associationState><state>disassociating</state></associationState></item>\
        <item><gatewayId>igw-1</gatewayId><associationState><state>associated</state></associationState></item>\
        </associationSet></item></routeTableSet>";
    check("routes vpc-1", 200, &root("DescribeRouteTables", tables), "rtb-1 of vpc-1 for subnet-1");
}

/// A type as EC2 describes it.
fn kind(name: &str, network: &str) -> String {
    format!(
        "<item><instanceType>{name}</instanceType><hypervisor>nitro</hypervisor><networkInfo>{network}</networkInfo></item>"
    )
}

#[test]
fn instance_types_in_several_pages_and_with_odd_figures() {
    let cards = |cards: &str| {
        format!(
            "<maximumNetworkInterfaces>64</maximumNetworkInterfaces><ipv4AddressesPerInterface>50</ipv4AddressesPerInterface>\
             <ipv6AddressesPerInterface>50</ipv6AddressesPerInterface><networkCards>{cards}</networkCards>"
        )
    };
    let card = |index: u8, most: u8| {
        format!(
            "<item><networkCardIndex>{index}</networkCardIndex><maximumNetworkInterfaces>{most}</maximumNetworkInterfaces></item>"
        )
    };
    let body = |items: &str, next: &str| {
        root("DescribeInstanceTypes", &format!("<instanceTypeSet>{items}</instanceTypeSet>{next}"))
    };
    let first = kind("z1.large", &cards(&format!("{}{}", card(1, 9), card(0, 2))))
        + &kind("z2.large", "<maximumNetworkInterfaces>3</maximumNetworkInterfaces>")
        + &kind("z3.large", &cards(&card(1, 9)));
    let pages = [
        body(&first, "<nextToken>two</nextToken>"),
        body("", "<nextToken>three</nextToken>"),
        body(&kind("z4.large", &cards("")), ""),
    ];
    let script = Scripted::new(&pages.each_ref().map(|body| (200, body.as_str())));
    let answer = runtime().block_on(async {
        let request = words::request("types z1.large,z2.large,z3.large,z4.large");
        show::answer(&script.aws().call(call(request)).await)
    });
    assert_eq!(answer, "z1.large nitro 2: 50 + 50\nz4.large nitro 64: 50 + 50");
    assert_eq!(script.asked().len(), 3);
    assert!(script.asked()[1].contains("NextToken=two"), "{:?}", script.asked());
}

/// Whatever is on the pages that were not read: what is known is not all.
#[test]
fn instance_types_in_pages_without_end_are_no_answer() {
    let body = root("DescribeInstanceTypes", "<instanceTypeSet/><nextToken>again</nextToken>");
    let script = Scripted::new(&[(200, body.as_str())]);
    let request = words::request("types m5.large");
    let answer = runtime().block_on(script.aws().call(call(request)));
    assert_eq!(show::answer(&answer), "no answer: instance types on more than 50 pages");
    assert_eq!(script.asked().len(), 50);
}

/// What stands in the form of one request: parameters by name.
#[track_caller]
fn asked(line: &str, expected: &str) {
    let script = Scripted::new(&[(503, "busy")]);
    let request = words::request(line);
    let action = format!("Action={}", request.api().name());
    let failure = runtime().block_on(script.aws().call(call(request)));
    assert_eq!(show::answer(&failure), "no answer: status 503 without an error code");
    let asked = script.asked();
    let [form] = asked.as_slice() else { panic!("{line}: asked {} times", asked.len()) };
    let mut found: Vec<_> = form.split('&').collect();
    found.sort_unstable();
    let mut expected: Vec<_> = expected.split_whitespace().collect();
    expected.extend([action.as_str(), "Version=2016-11-15"]);
    expected.sort_unstable();
    assert_eq!(found, expected, "{line}");
}

#[test]
fn listings_are_filtered_and_paged() {
    asked("enis vpc vpc-1", "Filter.1.Name=vpc-id Filter.1.Value.1=vpc-1 MaxResults=1000");
    asked(
        "enis instances i-1,i-2 @next",
        "Filter.1.Name=attachment.instance-id Filter.1.Value.1=i-1 Filter.1.Value.2=i-2 MaxResults=1000 NextToken=next",
    );
    asked(
        "enis ids eni-1",
        "Filter.1.Name=network-interface-id Filter.1.Value.1=eni-1 MaxResults=1000",
    );
    asked(
        "enis unattached vpc-1 @next",
        "Filter.1.Name=vpc-id Filter.1.Value.1=vpc-1 Filter.2.Name=status Filter.2.Value.1=available \
         Filter.3.Name=tag%3Aberth%2Fcluster Filter.3.Value.1=test Filter.4.Name=tag%3Aberth%2Fmanaged Filter.4.Value.1=true \
         MaxResults=1000 NextToken=next",
    );
    asked("subnets vpc-1", "Filter.1.Name=vpc-id Filter.1.Value.1=vpc-1 MaxResults=1000");
    asked("vpc vpc-1", "Filter.1.Name=vpc-id Filter.1.Value.1=vpc-1");
    asked("groups vpc-1 @next", "VpcId=vpc-1 MaxResults=1000 NextToken=next");
    asked("groups-with-rules vpc-1", "Filter.1.Name=vpc-id Filter.1.Value.1=vpc-1 MaxResults=1000");
    asked("routes vpc-1", "Filter.1.Name=vpc-id Filter.1.Value.1=vpc-1 MaxResults=100");
    asked("types m5.large", "Filter.1.Name=instance-type Filter.1.Value.1=m5.large MaxResults=100");
}

#[test]
fn changes_say_everything() {
    asked("addresses eni-1 3", "NetworkInterfaceId=eni-1 SecondaryPrivateIpAddressCount=3");
    asked("prefixes eni-1 2", "NetworkInterfaceId=eni-1 Ipv4PrefixCount=2");
    asked("ipv6 eni-1", "NetworkInterfaceId=eni-1 Ipv6PrefixCount=1");
    asked(
        "attach eni-1 i-1 2",
        "NetworkInterfaceId=eni-1 InstanceId=i-1 DeviceIndex=2 NetworkCardIndex=0",
    );
    asked(
        "modify eni-1 eni-attach-1",
        "NetworkInterfaceId=eni-1 Attachment.AttachmentId=eni-attach-1 Attachment.DeleteOnTermination=true",
    );
    asked("delete eni-1", "NetworkInterfaceId=eni-1");
    // Never by force: that would pull the interface from under the host.
    asked("detach eni-1 eni-attach-1", "AttachmentId=eni-attach-1 Force=false");
    asked(
        "set-groups eni-1 sg-1,sg-2",
        "NetworkInterfaceId=eni-1 SecurityGroupId.1=sg-1 SecurityGroupId.2=sg-2",
    );
    let made = "ClientToken=berth-1 SubnetId=subnet-1 SecurityGroupId.1=sg-0000000b Description=Cilium-CNI%20%28i-0000000a%29 \
        TagSpecification.1.ResourceType=network-interface \
        TagSpecification.1.Tag.1.Key=berth%2Fcreated-at TagSpecification.1.Tag.1.Value=2026-01-01T00%3A01%3A01Z \
        TagSpecification.1.Tag.2.Key=berth%2Fmanaged TagSpecification.1.Tag.2.Value=true \
        TagSpecification.1.Tag.3.Key=team TagSpecification.1.Tag.3.Value=net";
    asked("create subnet-1 addresses 0", made);
    asked("create subnet-1 addresses 5", &format!("{made} SecondaryPrivateIpAddressCount=5"));
    asked("create subnet-1 prefixes 2", &format!("{made} Ipv4PrefixCount=2"));
    asked(
        "create subnet-1 prefixes 2 ipv6",
        &format!("{made} Ipv4PrefixCount=2 Ipv6PrefixCount=1"),
    );
}
