//! The metadata service over plain HTTP, as anything on an instance would ask it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bed::{Bed, Face, run};
use crate::world;

/// Asks for `path` of node-1's service. Returns the status and the body.
async fn ask(
    addr: SocketAddr,
    instance: &str,
    method: &str,
    path: &str,
    header: &str,
) -> (u16, String) {
    let request = format!(
        "{method} /_imds/{instance}/latest/{path} HTTP/1.1\r\nHost: metadata\r\nConnection: close\r\nContent-Length: 0\r\n{header}\r\n\r\n"
    );
    let exchange = async {
        let mut stream = TcpStream::connect(addr).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(Duration::from_secs(10), exchange).await;
    let answer = answer.expect("an answer in time").expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

struct Service {
    addr: SocketAddr,
    instance: String,
    token: String,
}

impl Service {
    async fn of(bed: &Bed, name: &str) -> Self {
        let (addr, instance) = (bed.addr().expect("loopback"), bed.names.id(name));
        let lifetime = "X-aws-ec2-metadata-token-ttl-seconds: 60";
        let (status, token) = ask(addr, &instance, "PUT", "api/token", lifetime).await;
        assert_eq!(status, 200, "{token}");
        Self { addr, instance, token }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let token = format!("X-aws-ec2-metadata-token: {}", self.token);
        ask(self.addr, &self.instance, "GET", path, &token).await
    }
}

#[test]
fn an_instance_learns_who_it_is() {
    run(Face::Loopback, world::settings(), async |bed: Bed| {
        let service = Service::of(&bed, "node-1").await;
        for (path, expected) in [
            ("meta-data/instance-id", bed.names.id("node-1")),
            ("meta-data/instance-type", "m5.large".to_owned()),
            ("meta-data/placement/availability-zone", "eu-west-1a".to_owned()),
            ("meta-data/placement/region", "eu-west-1".to_owned()),
        ] {
            assert_eq!(service.get(path).await, (200, expected), "{path}");
        }
        let (status, document) = service.get("dynamic/instance-identity/document").await;
        assert_eq!(status, 200);
        let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
        assert_eq!(document["accountId"], "123456789012");
        assert_eq!(document["region"], "eu-west-1");
        assert_eq!(document["instanceId"], bed.names.id("node-1").as_str());
    });
}

#[test]
fn a_token_is_needed() {
    run(Face::Loopback, world::settings(), async |bed: Bed| {
        let service = Service::of(&bed, "node-1").await;
        let (addr, instance) = (service.addr, &service.instance);
        let path = "meta-data/instance-id";
        for (method, path, header, expected) in [
            ("GET", path, "X-nothing: 1", 401),
            ("GET", path, "X-aws-ec2-metadata-token: made-up", 401),
            ("PUT", "api/token", "X-nothing: 1", 400),
            ("PUT", "api/token", "X-aws-ec2-metadata-token-ttl-seconds: 0", 400),
            ("PUT", "api/token", "X-aws-ec2-metadata-token-ttl-seconds: 21601", 400),
        ] {
            let (status, body) = ask(addr, instance, method, path, header).await;
            assert_eq!(status, expected, "{method} {path} {header}: {body}");
        }
        assert_eq!(service.get("meta-data/nothing").await.0, 404);
        let other = Service::of(&bed, "node-2").await;
        let foreign = format!("X-aws-ec2-metadata-token: {}", service.token);
        assert_eq!(
            ask(addr, &other.instance, "GET", path, &foreign).await.0,
            401,
            "a token is one instance's"
        );
    });
}

#[test]
fn interfaces_are_listed_by_their_hardware_address() {
    run(Face::Loopback, world::settings(), async |mut bed: Bed| {
        bed.run(
            "a = CreateNetworkInterface SubnetId=pods-a Ipv4PrefixCount=1
             at = AttachNetworkInterface NetworkInterfaceId=a InstanceId=big DeviceIndex=1 NetworkCardIndex=1",
        )
        .await;
        let service = Service::of(&bed, "big").await;
        let macs = "meta-data/network/interfaces/macs/";
        let (status, list) = service.get(macs).await;
        assert_eq!((status, list.lines().count()), (200, 2), "{list}");
        let mut seen = Vec::new();
        for mac in list.lines() {
            let leaf = |name: &str| format!("{macs}{mac}{name}");
            let id = service.get(&leaf("interface-id")).await.1;
            let number = service.get(&leaf("device-number")).await.1;
            let card = service.get(&leaf("network-card")).await.1;
            let addresses = service.get(&leaf("local-ipv4s")).await.1;
            seen.push(bed.names.replace(&format!("{id} {card}/{number} {addresses}")));
        }
        seen.sort();
        assert_eq!(seen, ["a 1/1 10.0.2.4", "big-eth0 0/0 10.0.0.11"]);
    });
}
