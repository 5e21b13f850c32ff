//! The metadata service that knows its callers by their addresses. Those of the loopback network stand for a VPC's.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::ANY;
use crate::face::imds::ImdsServer;
use crate::face::shared::Shared;
use crate::machine::Ec2;
use crate::spec::Spec;

const WORLD: &str = "
vpcs: [{id: vpc-0000000a, cidr: 127.0.0.0/16}]
subnets: [{id: subnet-0000000a, vpc: vpc-0000000a, zone: eu-west-1a, cidr: 127.0.0.0/24}]
instances:
  - {id: i-0000000a, instance_type: m5.large, subnet: subnet-0000000a, primary: {primary_ip: 127.0.0.10}}
  - id: i-0000000b
    instance_type: m5.large
    subnet: subnet-0000000a
    primary: {primary_ip: 127.0.0.11, ipv4_prefixes: [127.0.0.32/28]}
    interfaces: [{primary_ip: 127.0.0.12, ipv4_addresses: [127.0.0.13]}]
  - {id: i-0000000c, instance_type: m5.large, subnet: subnet-0000000a, state: stopped, primary: {primary_ip: 127.0.0.14}}
interfaces: [{id: eni-0000000e, subnet: subnet-0000000a, primary_ip: 127.0.0.15}]
";

/// Status line and body of the answer to a request from one of these addresses.
async fn exchange(
    from: Ipv4Addr,
    to: SocketAddr,
    method: &str,
    path: &str,
    header: &str,
) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    let request = format!(
        "{method} /latest/{path} HTTP/1.1\r\nHost: metadata\r\nConnection: close\r\nContent-Length: 0\r\n{header}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    format!("{} {body}", head.split(' ').nth(1).unwrap())
}

/// Asks from `127.0.0.HOST` with a token that is asked for from `127.0.0.TOKEN_HOST`.
async fn ask(to: SocketAddr, host: u8, token_host: u8) -> String {
    let [host, token_host] = [host, token_host].map(|host| Ipv4Addr::new(127, 0, 0, host));
    let ttl = "X-aws-ec2-metadata-token-ttl-seconds: 60";
    let answer = exchange(token_host, to, "PUT", "api/token", ttl).await;
    let Some(token) = answer.strip_prefix("200 ") else { return answer };
    let token = format!("X-aws-ec2-metadata-token: {token}");
    exchange(host, to, "GET", "meta-data/instance-id", &token).await
}

#[tokio::test]
async fn metadata_is_served_by_address() {
    let spec = Spec::parse("world", WORLD).unwrap();
    let mut ec2 = Ec2::new(spec.settings().unwrap());
    spec.populate(&mut ec2).unwrap();
    let own = ImdsServer::by_address(ANY.parse().unwrap(), Shared::new(ec2)).await.unwrap();
    let addr = own.server.addr;
    // Primary, secondary, of a second interface, and first and last of a prefix.
    for (host, instance) in [(10, "a"), (11, "b"), (12, "b"), (13, "b"), (32, "b"), (47, "b")] {
        assert_eq!(ask(addr, host, host).await, format!("200 i-0000000{instance}"), "{host}");
    }
    // Nobody's, one of a stopped instance, of an interface that is not attached, and behind the prefix.
    for host in [1, 14, 15, 48] {
        let refusal = format!("404 No running instance has the address 127.0.0.{host}.\n");
        assert_eq!(ask(addr, host, host).await, refusal);
    }
    // A token is the instance's, and good at all of its addresses.
    assert_eq!(ask(addr, 13, 11).await, "200 i-0000000b");
    assert!(ask(addr, 10, 11).await.starts_with("401 "));
    own.stop().await.unwrap();
}
