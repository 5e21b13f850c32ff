use super::{host, router};

const LOOPBACK: &str = r#"[{"ifname":"lo","flags":["LOOPBACK","UP"],"address":"00:00:00:00:00:00","addr_info":[
  {"family":"inet","local":"127.0.0.1","prefixlen":8},{"family":"inet","local":"10.0.0.1","prefixlen":32},
  {"family":"inet6","local":"::1","prefixlen":128}]},{},{}]"#;
const LINKS: &str = r#"[{"ifname":"lo","flags":["UP"]},{"ifname":"f-a","flags":["BROADCAST","UP"]},
  {"ifname":"f-b","flags":["BROADCAST"]},{"ifname":"eth0","flags":["UP"]}]"#;
const ROUTES: &str = r#"[{"type":"blackhole","dst":"default","flags":[]},{"dst":"10.0.0.10","dev":"f-a","scope":"link","flags":[]},
  {"dst":"10.0.0.32/28","gateway":"10.0.0.10","dev":"f-a","flags":["onlink"]},{"dst":"default","gateway":"10.0.0.10","dev":"f-b"},
  {"dst":"172.16.0.0/16","dev":"eth0"}]"#;
const NEIGHBOURS: &str = r#"[{"dst":"10.0.0.10","dev":"f-a","lladdr":"02:00:00:00:00:0a","state":["PERMANENT"]},
  {"dst":"fe80::1","dev":"f-a","lladdr":"02:00:00:00:00:0c"},{"dst":"10.0.0.12","dev":"f-a"},
  {"dst":"172.16.0.1","dev":"eth0","lladdr":"02:00:00:00:00:0d"}]"#;

#[test]
fn the_router_is_read() {
    let found = router(&[LOOPBACK, LINKS, ROUTES, NEIGHBOURS].join("\n")).unwrap();
    let text = format!("{:?}", found.addresses);
    assert_eq!(text, "{10.0.0.1}");
    assert_eq!(format!("{:?}", found.ends), r#"{"f-a": true, "f-b": false}"#);
    let routes: Vec<String> = found
        .routes
        .iter()
        .map(|route| format!("{} {:?} {}", route.to, route.via, route.device))
        .collect();
    assert_eq!(
        routes,
        [
            "0.0.0.0/0 Some(10.0.0.10) f-b",
            "10.0.0.10/32 None f-a",
            "10.0.0.32/28 Some(10.0.0.10) f-a"
        ]
    );
    let neighbours = format!("{:?}", found.neighbours);
    assert_eq!(neighbours, r#"{("f-a", 10.0.0.10, "02:00:00:00:00:0a")}"#);
}

#[test]
fn a_host_is_read() {
    let devices = r#"[{"ifname":"ens5","flags":["UP"],"address":"02:00:00:00:00:0a","addr_info":[
        {"family":"inet","local":"10.0.0.10","prefixlen":24},{"family":"inet6","local":"fe80::1","prefixlen":64}]},
      {"ifname":"eth1","flags":[],"address":"02:00:00:00:00:0b","addr_info":[]},
      {"ifname":"child","flags":["UP"],"address":"02:00:00:00:00:0a","addr_info":[]}]"#;
    let routes = r#"[{"dst":"default","gateway":"10.0.0.1","dev":"ens5"},{"dst":"default","gateway":"10.0.1.1","dev":"eth1","metric":512}]"#;
    let found = host(&[devices, routes].join("\n")).unwrap();
    let text: Vec<String> = found
        .iter()
        .map(|(mac, it)| {
            format!("{mac} {} {} {:?} {:?}", it.name, it.up, it.addresses, it.gateways)
        })
        .collect();
    assert_eq!(
        text,
        [
            "02:00:00:00:00:0a ens5 true {10.0.0.10/24} {10.0.0.1}",
            "02:00:00:00:00:0b eth1 false {} {10.0.1.1}"
        ]
    );
}

#[test]
fn nothing_is_guessed() {
    let problem = |text: &str| router(text).unwrap_err().to_string();
    assert_eq!(problem("[]\n[]\n[]\n"), "expected 4 answers of ip, found 3");
    assert_eq!(problem("[]\n[]\n[]\n[{\"dst\":1}]"), "ip's answer cannot be read");
    assert_eq!(problem("[]\n[\n"), "ip's answer cannot be read");
    assert_eq!(host("[ ]\n[ ]\n").unwrap().len(), 0);
}
