//! Masquerading, as the kernel does it: which table there is, and which packets leave by which device.

use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use berth_agent::host_net::masquerade::{Nft, NftError};
use berth_agent::host_net::words::{Masquerade, Numbers};
use ipnet::IpNet;

use real::Namespace;

/// Longer than any connection between two namespaces of a machine takes.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);

/// A host with a pod on its secondary interface, and the VPC around it, which drops what does not leave by the device that
/// its source belongs to. `198.51.100.1` is on the internet, `10.0.9.9` in the VPC, `172.20.0.1` a service in front of it,
/// port 80 of the host is that of the pod.
struct Machine {
    host: Namespace,
    pod: Namespace,
    vpc: Namespace,
}

const HOST: &str = "
    ip link add eth0 type veth peer name vpc0 netns VPC
    ip link add eth1 type veth peer name vpc1 netns VPC
    ip link add pod type veth peer name eth0 netns POD
    echo 1 > /proc/sys/net/ipv4/ip_forward
    echo 2 > /proc/sys/net/ipv4/conf/eth0/rp_filter
    echo 0 > /proc/sys/net/ipv4/conf/eth1/rp_filter
    ip address add 10.0.1.4/24 dev eth0
    ip address add 10.0.1.5/24 dev eth1 noprefixroute
    for device in eth0 eth1 pod; do ip link set $device up; done
    ip route add default via 10.0.1.1
    ip route add 10.0.1.20 dev pod
    ip route add 10.0.1.1 dev eth1 table 11
    ip route add default via 10.0.1.1 dev eth1 table 11
    ip rule add to 10.0.1.20 table 254 priority 20
    ip rule add fwmark 0x100/0x100 table 254 priority 110
    ip rule add from 10.0.1.20 table 11 priority 111
    nft add table ip services
    nft 'add chain ip services in { type nat hook prerouting priority -100; }'
    nft add rule ip services in ip daddr 172.20.0.1 dnat to 10.0.9.9
    nft add rule ip services in ip daddr 10.0.1.4 tcp dport 80 dnat to 10.0.1.20:80
";

const POD: &str = "
    ip link set eth0 up
    ip address add 10.0.1.20/32 dev eth0
    ip route add 10.0.1.4 dev eth0
    ip route add default via 10.0.1.4 dev eth0
";

const VPC: &str = "
    echo 1 > /proc/sys/net/ipv4/ip_forward
    for device in all vpc0 vpc1; do echo 1 > /proc/sys/net/ipv4/conf/$device/rp_filter; done
    for address in 10.0.1.1 10.0.9.9 198.51.100.1; do ip address add $address/32 dev lo; done
    for device in vpc0 vpc1; do ip link set $device up; done
    ip route add 10.0.1.4 dev vpc0
    ip route add 10.0.1.5 dev vpc1
    ip route add 10.0.1.20 via 10.0.1.5 dev vpc1 onlink
";

impl Machine {
    fn new() -> Self {
        let [host, pod, vpc] = [(), (), ()].map(|()| Namespace::new());
        let paths = HOST.replace("VPC", &vpc.path()).replace("POD", &pod.path());
        run(&host, &paths);
        run(&pod, POD);
        run(&vpc, VPC);
        Self { host, pod, vpc }
    }
}

fn run(namespace: &Namespace, script: &str) -> String {
    let mut shell = Command::new("sh");
    shell.args(["-ec", script]);
    let output = namespace.inside(|| shell.output()).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The address from which a connection arrives, or that it does not.
fn seen(from: &Namespace, by: &Namespace, to: &str) -> Option<IpAddr> {
    let to: SocketAddr = to.parse().unwrap();
    let at = SocketAddr::from(([0, 0, 0, 0], to.port()));
    let listener = by.inside(|| TcpListener::bind(at)).unwrap();
    let connected = from.inside(|| TcpStream::connect_timeout(&to, CONNECTED_WITHIN));
    // What is established waits in the listener's queue.
    connected.ok().map(|_| listener.accept().unwrap().1.ip())
}

fn masquerade(from: &[&str], except: &[&str]) -> Masquerade {
    let [from, except] = [from, except]
        .map(|cidrs| cidrs.iter().map(|cidr| cidr.parse().unwrap()).collect::<Vec<IpNet>>());
    Masquerade::new(&from, &except)
}

fn write(namespace: &Namespace, masquerade: Option<&Masquerade>) {
    wait(namespace, Nft::default().write(&Numbers::default(), masquerade)).unwrap();
}

fn read(namespace: &Namespace) -> Option<Masquerade> {
    wait(namespace, Nft::default().read(&Numbers::default())).unwrap()
}

fn wait<T: Send>(
    namespace: &Namespace,
    act: impl Future<Output = Result<T, NftError>> + Send,
) -> Result<T, NftError> {
    namespace.inside(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(act)
    })
}

#[test]
fn what_is_masqueraded_is_read_back_and_replaced_and_removed() {
    let host = Namespace::new();
    run(&host, "nft add table inet other; nft add chain inet other input; nft add table ip berth");
    let others = "nft list table inet other; nft list table ip berth";
    let before = run(&host, others);
    assert_eq!(read(&host), None);
    write(&host, None);
    for wanted in [
        masquerade(&["10.0.1.20/32"], &["10.0.0.0/16"]),
        masquerade(
            &[
                "10.0.1.5/32",
                "10.0.1.6/32",
                "10.0.1.7/32",
                "10.0.1.16/28",
                "10.0.1.20/32",
                "fd00:1::/80",
            ],
            &["10.0.0.0/16", "10.1.0.0/16", "100.64.0.0/10", "fd00:1::/56"],
        ),
        masquerade(&["fd00:1::7/128"], &["fd00:1::/56"]),
    ] {
        for _ in 0..2 {
            write(&host, Some(&wanted));
            assert_eq!(read(&host), Some(wanted.clone()));
        }
    }
    write(&host, None);
    assert_eq!(read(&host), None);
    assert_eq!(run(&host, others), before);
}

#[test]
fn a_table_that_somebody_changed_masquerades_nothing_until_it_is_written_again() {
    let host = Namespace::new();
    let wanted = masquerade(&["10.0.1.20/32"], &["10.0.0.0/16"]);
    for damage in [
        "nft flush chain inet berth prerouting",
        "nft flush table inet berth",
        "nft add rule inet berth postrouting accept",
        "nft add chain inet berth other",
        "nft delete table inet berth; nft add table inet berth",
    ] {
        write(&host, Some(&wanted));
        run(&host, damage);
        assert_eq!(read(&host), Some(Masquerade::default()), "{damage}");
    }
    write(&host, Some(&wanted));
    run(&host, "nft flush set inet berth pods4");
    assert_eq!(read(&host), Some(masquerade(&[], &["10.0.0.0/16"])));
    write(&host, Some(&wanted));
    assert_eq!(read(&host), Some(wanted));
}

#[test]
fn what_leaves_the_vpc_leaves_by_the_primary_interface_and_nothing_else_does() {
    let Machine { host, pod, vpc } = Machine::new();
    let [of_pod, of_host, of_vpc] =
        ["10.0.1.20", "10.0.1.4", "10.0.1.1"].map(|text| Some(text.parse().unwrap()));
    // Without masquerading, a pod is itself everywhere.
    assert_eq!(seen(&pod, &vpc, "198.51.100.1:7"), of_pod);
    write(&host, Some(&masquerade(&["10.0.1.20/32"], &["10.0.0.0/16"])));
    assert_eq!(seen(&pod, &vpc, "198.51.100.1:7"), of_host);
    assert_eq!(seen(&pod, &vpc, "10.0.9.9:7"), of_pod, "in the VPC");
    assert_eq!(seen(&pod, &vpc, "172.20.0.1:7"), of_pod, "in the VPC, behind a service");
    assert_eq!(seen(&vpc, &pod, "10.0.1.20:7"), of_vpc, "from outside, to the pod");
    assert_eq!(seen(&vpc, &pod, "10.0.1.4:80"), of_vpc, "from outside, to a port of the host");
}

#[test]
fn a_connection_outlives_changes() {
    let Machine { host, pod, vpc } = Machine::new();
    let [one, two] =
        ["10.0.1.20/32", "10.0.1.16/28"].map(|from| masquerade(&[from], &["10.0.0.0/16"]));
    write(&host, Some(&one));
    let listener = vpc.inside(|| TcpListener::bind("198.51.100.1:7")).unwrap();
    let to = "198.51.100.1:7".parse().unwrap();
    let sender = pod.inside(|| TcpStream::connect_timeout(&to, CONNECTED_WITHIN)).unwrap();
    let (mut receiver, from) = listener.accept().unwrap();
    assert_eq!(from.ip().to_string(), "10.0.1.4");
    receiver.set_read_timeout(Some(CONNECTED_WITHIN)).unwrap();
    for wanted in [&two, &one, &two] {
        write(&host, Some(wanted));
        std::io::Write::write_all(&mut &sender, b"x").unwrap();
        receiver.read_exact(&mut [0]).unwrap();
    }
}
