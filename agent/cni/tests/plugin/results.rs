//! What ADD prints, as a table: a configuration and the agent's reply in, a result out.

use berth_cni::netconf::parse;
use berth_cni::protocol::AddReply;
use berth_cni::result::result;

/// Members of the configuration: version, main plugin, section.
type Conf<'a> = (&'a str, &'a str, &'a str);

const CILIUM: &str = "cilium-cni";

/// Addresses are `address` or `address>router`.
#[track_caller]
fn check((version, main, section): Conf<'_>, addresses: &str, expected: &str) {
    let conf = format!(
        r#"{{"cniVersion": "{version}", "name": "n", "type": "{main}", "ipam": {{{section}}}}}"#
    );
    let conf = parse(conf.as_bytes()).unwrap();
    let addresses: Vec<String> = addresses.split(' ').map(address).collect();
    let reply = format!(r#"{{"addresses":[{}]}}"#, addresses.join(","));
    let reply = AddReply::decode(reply.as_bytes()).unwrap();
    let name_of = |mac: &str| (mac == "02:00:00:00:00:04").then(|| "ens6".to_owned());
    let made = match result(&conf, &reply, name_of) {
        Ok(made) => serde_json::to_string(&made).unwrap(),
        Err(error) => format!("{} {error}", error.problem().code),
    };
    assert_eq!(made, expected);
}

fn address(text: &str) -> String {
    let (address, router) = text.split_once('>').unwrap_or((text, ""));
    let gateway =
        if router.is_empty() { String::new() } else { format!(r#""gateway":"{router}","#) };
    let mac = if address.contains(':') { "02:00:00:00:00:06" } else { "02:00:00:00:00:04" };
    format!(
        r#"{{"address":"{address}",{gateway}"eni":"eni-1","mac":"{mac}","interface-number":1,"vpc-cidrs":[]}}"#
    )
}

#[test]
fn old_versions_name_the_family_of_an_address_and_new_ones_do_not() {
    let routes = r#""routes":[{"dst":"0.0.0.0/0","gw":"169.254.1.1"}]"#;
    for version in ["0.3.0", "0.3.1", "0.4.0"] {
        check(
            (version, CILIUM, ""),
            "10.0.1.5>10.0.1.1",
            &format!(
                r#"{{"cniVersion":"{version}","ips":[{{"version":"4","address":"10.0.1.5/32","gateway":"169.254.1.1"}}],{routes}}}"#
            ),
        );
    }
    for version in ["1.0.0", "1.1.0"] {
        check(
            (version, CILIUM, ""),
            "10.0.1.5",
            &format!(
                r#"{{"cniVersion":"{version}","ips":[{{"address":"10.0.1.5/32","gateway":"169.254.1.1"}}],{routes}}}"#
            ),
        );
    }
}

#[test]
fn two_families_have_a_gateway_and_a_default_route_each_ipv4_first() {
    check(
        ("0.4.0", CILIUM, ""),
        "2001:db8::5 10.0.1.5",
        r#"{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.1.5/32","gateway":"169.254.1.1"},{"version":"6","address":"2001:db8::5/128","gateway":"fe80::1"}],"routes":[{"dst":"0.0.0.0/0","gw":"169.254.1.1"},{"dst":"::/0","gw":"fe80::1"}]}"#,
    );
}

#[test]
fn the_gateway_is_the_one_that_is_asked_for() {
    check(
        ("1.0.0", CILIUM, r#""gateway": "subnet""#),
        "10.0.1.5>10.0.1.1",
        r#"{"cniVersion":"1.0.0","ips":[{"address":"10.0.1.5/32","gateway":"10.0.1.1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.1.1"}]}"#,
    );
    check(
        ("1.0.0", CILIUM, r#""gateway": "10.0.9.9""#),
        "10.0.1.5 2001:db8::5",
        r#"{"cniVersion":"1.0.0","ips":[{"address":"10.0.1.5/32","gateway":"10.0.9.9"},{"address":"2001:db8::5/128","gateway":"fe80::1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.9.9"},{"dst":"::/0","gw":"fe80::1"}]}"#,
    );
    check(
        ("1.0.0", CILIUM, r#""gateway": "subnet""#),
        "10.0.1.5",
        "11 the router of the subnet of 10.0.1.5 is not known",
    );
    check(
        ("1.0.0", CILIUM, r#""gateway": "subnet""#),
        "10.0.1.5>fe80::1",
        "11 the router of the subnet of 10.0.1.5 is not known",
    );
}

#[test]
fn cilium_gets_the_interface_of_the_host_where_it_is_asked_for() {
    check(
        ("1.0.0", CILIUM, r#""interfaces": true, "gateway": "subnet""#),
        "10.0.1.5>10.0.1.1",
        r#"{"cniVersion":"1.0.0","interfaces":[{"name":"ens6","mac":"02:00:00:00:00:04"}],"ips":[{"address":"10.0.1.5/32","gateway":"10.0.1.1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.1.1"}]}"#,
    );
    check(
        ("1.0.0", CILIUM, r#""interfaces": true"#),
        "2001:db8::5",
        r#"{"cniVersion":"1.0.0","interfaces":[{"mac":"02:00:00:00:00:06"}],"ips":[{"address":"2001:db8::5/128","gateway":"fe80::1"}],"routes":[{"dst":"::/0","gw":"fe80::1"}]}"#,
    );
}

#[test]
fn extra_routes_follow_the_default_ones_where_there_is_their_family() {
    check(
        (
            "1.0.0",
            CILIUM,
            r#""routes": [{"dst": "10.8.0.0/16"}, {"dst": "10.9.0.0/16", "gw": "10.0.0.7"}, {"dst": "2001:db8::/32"}]"#,
        ),
        "10.0.1.5",
        r#"{"cniVersion":"1.0.0","ips":[{"address":"10.0.1.5/32","gateway":"169.254.1.1"}],"routes":[{"dst":"0.0.0.0/0","gw":"169.254.1.1"},{"dst":"10.8.0.0/16","gw":"169.254.1.1"},{"dst":"10.9.0.0/16","gw":"10.0.0.7"}]}"#,
    );
}

/// The address that ptp gets, and its gateway.
#[track_caller]
fn check_ptp(address: &str, expected_address: &str, gateway: &str) {
    check(
        ("1.0.0", "ptp", ""),
        address,
        &format!(
            r#"{{"cniVersion":"1.0.0","ips":[{{"address":"{expected_address}","gateway":"{gateway}"}}],"routes":[{{"dst":"0.0.0.0/0","gw":"{gateway}"}}]}}"#
        ),
    );
}

#[test]
fn ptp_gets_a_prefix_that_covers_the_reserved_address_and_ends_where_no_pod_is() {
    check_ptp("10.0.1.5>10.0.1.1", "10.0.1.5/16", "10.0.1.3");
    check_ptp("10.0.15.254>10.0.0.1", "10.0.15.254/16", "10.0.0.3");
    // The last ones of shorter blocks, in which their neighbours are.
    check_ptp("10.0.1.15>10.0.1.1", "10.0.1.15/16", "10.0.1.3");
    check_ptp("10.0.1.255>10.0.0.1", "10.0.1.255/16", "10.0.0.3");
}

#[test]
fn ptp_gets_ipv6_as_it_is() {
    check(
        ("1.0.0", "ptp", ""),
        "10.0.1.5>10.0.1.1 2001:db8::5>2001:db8::1",
        r#"{"cniVersion":"1.0.0","ips":[{"address":"10.0.1.5/16","gateway":"10.0.1.3"},{"address":"2001:db8::5/128","gateway":"fe80::1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.1.3"},{"dst":"::/0","gw":"fe80::1"}]}"#,
    );
}

#[test]
fn a_gateway_that_no_prefix_covers_is_refused() {
    check(
        ("1.0.0", "ptp", r#""gateway": "link-local""#),
        "10.0.1.5",
        "7 no prefix covers both 10.0.1.5 and its gateway 169.254.1.1: choose another `gateway`",
    );
    check(("1.0.0", "ptp", ""), "10.0.1.5", "11 the router of the subnet of 10.0.1.5 is not known");
}

#[test]
fn the_gateway_may_be_the_pods_neighbour() {
    check(
        ("1.0.0", CILIUM, r#""gateway": "10.0.1.6", "prefix": "gateway""#),
        "10.0.1.5",
        r#"{"cniVersion":"1.0.0","ips":[{"address":"10.0.1.5/16","gateway":"10.0.1.6"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.1.6"}]}"#,
    );
}
