//! The program itself: how it starts, what it says, how it ends.

#[cfg(test)]
mod program;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use program::{Running, check, run};

const WORLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/two-subnets.yaml");

#[test]
fn it_ends_in_good_order_when_it_is_told_to() {
    for signal in ["-INT", "-TERM"] {
        let mut running = Running::start(&["--listen", "127.0.0.1:0", "--world", WORLD]);
        // A connection that nobody closes keeps it from nothing.
        let mut idle = TcpStream::connect(running.address()).expect("is listening");
        idle.write_all(b"POST / HTTP/1.1\r\n").expect("is connected");
        running.signal(signal);
        let status = running.child.wait().expect("can be waited for");
        assert_eq!(status.code(), Some(0), "{signal}");
    }
}

#[test]
fn it_ends_by_itself_when_its_time_is_over() {
    let mut running = Running::start(&["--for", "0"]);
    let status = running.child.wait().expect("can be waited for");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn many_metadata_ports_end_together() {
    let arguments = ["--world", WORLD, "--imds-listen", "127.0.0.1"];
    let mut running = Running::start(&arguments);
    let idle: Vec<_> = (0..2).map(|_| running.metadata_address()).map(TcpStream::connect).collect();
    let idle: Vec<_> = idle.into_iter().map(|stream| stream.expect("is listening")).collect();
    running.signal("-INT");
    assert_eq!(running.child.wait().expect("can be waited for").code(), Some(0));
    drop(idle);
}

#[test]
fn each_call_is_a_line_when_asked_for() {
    let mut running = Running::start(&["-v"]);
    let mut stream = TcpStream::connect(running.address()).expect("is listening");
    let request = b"GET /?Action=DescribeVpcs&Version=2016-11-15 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    stream.write_all(request).expect("is connected");
    let line = running.said();
    assert!(line.ends_with("Z - DescribeVpcs AuthFailure 0.000s\n"), "{line}");
}

#[test]
fn what_is_no_file_is_said_to_be_none() {
    let folder = std::env::temp_dir();
    let name = folder.to_str().expect("is a text");
    check(&["--world", name], 2, &format!("cannot read {name}: "));
}

#[test]
fn a_world_file_that_is_wrong_is_said_to_be() {
    let file = std::env::temp_dir().join(format!("ec2-sim-{}.yaml", std::process::id()));
    std::fs::write(&file, "vpcs:\n  - cidr: 10.0.0.0/8\n").expect("can be written");
    let name = file.to_str().expect("is a text");
    check(&["--world", name], 2, &format!("{name}:2:11: vpcs[0].cidr: `10.0.0.0/8`: expected "));
    std::fs::remove_file(&file).expect("can be removed");
    check(&["--world", name], 2, &format!("cannot read {name}"));
}

#[test]
fn a_port_that_is_taken_is_said_to_be() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("has an address").to_string();
    check(&["--listen", &address], 1, &format!("ec2-sim: cannot listen on {address}: "));
}

#[test]
fn options_are_checked() {
    check(&["--buckets", "none"], 2, "expected unlimited or a number above 0");
    check(&["--latency", "fast"], 2, "[possible values: zero, typical, slow]");
    check(&["--time-scale", "0"], 2, "expected a number above 0");
}

#[test]
fn help_teaches_with_an_example() {
    let help = run(&["--help"]);
    let text = String::from_utf8_lossy(&help.stdout);
    assert!(text.contains("--endpoint-url http://127.0.0.1:4566 ec2 describe-subnets"), "{text}");
}

#[test]
fn every_instance_can_have_a_metadata_port() {
    let arguments = ["--world", WORLD, "--imds-listen", "127.0.0.1", "--listen", "127.0.0.1:0"];
    let running = Running::start(&arguments);
    assert!(TcpStream::connect(running.address()).is_ok());
}

#[test]
fn metadata_can_be_served_by_address() {
    let any = "127.0.0.1:0";
    let mut running = Running::start(&["--world", WORLD, "--imds-by-address", any]);
    let mut stream = TcpStream::connect(running.metadata_address()).expect("is listening");
    let request = b"GET /latest/ HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    stream.write_all(request).expect("is connected");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("is answered");
    assert!(answer.ends_with("No running instance has the address 127.0.0.1.\n"), "{answer}");
    let taken = stream.peer_addr().expect("has an address").to_string();
    let expected = format!("ec2-sim: cannot listen on {taken}: ");
    check(&["--imds-by-address", &taken], 1, &expected);
}

#[test]
fn the_readme_has_the_table_of_assumptions() {
    let printed = run(&["--print-assumptions"]);
    let table = String::from_utf8(printed.stdout).expect("is a text");
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&table), "README.md should hold, instead of its table:\n{table}");
}
