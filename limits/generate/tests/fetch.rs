//! `fetch` against a server that answers as EC2 does, and as it should not.
//!
//! The server speaks HTTP on a loopback port and the program is run as a whole: the EC2 client, its paginator
//! and the reading of XML are the real ones.

// Clippy allows `unwrap` in the helpers of what is marked as tests.
#![cfg(test)]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread,
};

/// What was in the snapshot before, which only a successful fetch may change.
const BEFORE: &str = "before\n";

/// Fetches from a server that holds this dialogue, and compares what is left: the names in the snapshot, or the
/// error and an untouched file.
///
/// A line is `REGION TOKEN: NAME … -> NEXT`: what must be asked for, without a token on a first page, and the answer
/// to it. `NAME!` is described without network cards. An answer `error CODE` refuses with that code.
fn check(test: &str, dialogue: &'static [&'static str], arguments: &[&str], expected: &str) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        for line in dialogue {
            answer(&listener.accept().unwrap().0, line);
        }
    });
    let snapshot = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.json"));
    fs::write(&snapshot, BEFORE).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_limits-generate"))
        .args(["fetch", "--source", "a test", "--endpoint", &format!("http://{address}")])
        .arg("--output")
        .arg(&snapshot)
        .args(arguments)
        .output()
        .unwrap();
    // A server that still waits for a request must not wait for ever.
    let _ = TcpStream::connect(address);
    let written = fs::read_to_string(&snapshot).unwrap();
    let shown = match output.status.code() {
        Some(0) => names(&written),
        _ => format!("{}{written}", String::from_utf8_lossy(&output.stderr)),
    };
    assert_eq!(shown, expected);
    server.join().unwrap();
}

fn names(snapshot: &str) -> String {
    let names = snapshot.lines().filter_map(|line| line.strip_prefix("{\"InstanceType\":\""));
    names.filter_map(|line| line.split('"').next()).collect::<Vec<_>>().join(" ")
}

/// Answers the one request of a line of the dialogue.
fn answer(mut stream: &TcpStream, line: &str) {
    let (asked, answer) = line.split_once(": ").unwrap();
    assert_eq!(request(stream), asked);
    let (status, body) = answer
        .strip_prefix("error ")
        .map_or_else(|| ("200 OK", described(answer)), |code| ("400 Bad Request", refused(code)));
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all((head + &body).as_bytes()).unwrap();
}

/// Reads a request and renders what it asks for, as on the left of a line of the dialogue.
fn request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let lines = reader.by_ref().lines().map(Result::unwrap);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let after = |mark: &str| head.iter().find_map(|line| Some(line.split_once(mark)?.1)).unwrap();
    let mut form = vec![0; after("content-length: ").parse().unwrap()];
    reader.read_exact(&mut form).unwrap();
    let form = String::from_utf8(form).unwrap();
    assert!(form.starts_with("Action=DescribeInstanceTypes&"), "{form}");
    assert!(form.contains("&MaxResults=100"), "{form}");
    // The signature names the key, the day and then the region.
    let region = after("Credential=placeholder/").split('/').nth(1).unwrap();
    let token = form.split('&').find_map(|pair| pair.strip_prefix("NextToken="));
    token.map_or(region.to_owned(), |token| format!("{region} {token}"))
}

fn described(page: &str) -> String {
    let (names, token) = page.split_once("-> ").unwrap_or((page, ""));
    let items: String = names.split_whitespace().map(item).collect();
    format!(
        "<DescribeInstanceTypesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
         <instanceTypeSet>{items}</instanceTypeSet><nextToken>{token}</nextToken>\
         </DescribeInstanceTypesResponse>"
    )
}

fn item(name: &str) -> String {
    let (name, cards) = match name.strip_suffix('!') {
        Some(name) => (name, ""),
        None => (
            name,
            "<networkCards><item><networkCardIndex>0</networkCardIndex>\
             <maximumNetworkInterfaces>3</maximumNetworkInterfaces></item></networkCards>",
        ),
    };
    format!(
        "<item><instanceType>{name}</instanceType><hypervisor>nitro</hypervisor>\
         <bareMetal>false</bareMetal><networkInfo><enaSupport>required</enaSupport>\
         <maximumNetworkInterfaces>3</maximumNetworkInterfaces>{cards}\
         <ipv4AddressesPerInterface>10</ipv4AddressesPerInterface>\
         <ipv6AddressesPerInterface>10</ipv6AddressesPerInterface></networkInfo></item>"
    )
}

fn refused(code: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>not today</Message></Error></Errors>\
         <RequestID>1</RequestID></Response>"
    )
}

#[test]
fn every_page_is_read_and_written_in_ascending_order() {
    check(
        "pages",
        &["us-east-1: t3.nano m5.large -> one", "us-east-1 one: -> two", "us-east-1 two: a1.large"],
        &["--at-least", "3"],
        "a1.large m5.large t3.nano",
    );
}

#[test]
fn every_region_is_read() {
    let dialogue = &[
        "us-west-2: t3.nano m5.large -> one",
        "us-west-2 one: a1.large",
        "eu-north-1: a1.large b1.large",
    ];
    let regions = ["--region", "us-west-2", "--region", "eu-north-1", "--at-least"];
    check(
        "regions",
        dialogue,
        &[&regions[..], &["4"]].concat(),
        "a1.large b1.large m5.large t3.nano",
    );
    check(
        "regions-few",
        dialogue,
        &[&regions[..], &["5"]].concat(),
        "error: 4 instance types, expected at least 5: name more regions, or say --at-least\nbefore\n",
    );
}

#[test]
fn a_page_that_fails_writes_nothing() {
    check(
        "fails",
        &["us-east-1: m5.large -> one", "us-east-1 one: error UnauthorizedOperation"],
        &["--at-least", "1"],
        "error: the default region: page 2 of DescribeInstanceTypes: UnauthorizedOperation: not \
         today\nbefore\n",
    );
}

#[test]
fn a_repeated_token_writes_nothing() {
    check(
        "repeats",
        &["us-east-1: m5.large -> one", "us-east-1 one: m5.xlarge -> two", "us-east-1 two: -> one"],
        &["--at-least", "1"],
        "error: the default region: page 3 of DescribeInstanceTypes gives a next page that was already \
         read\nbefore\n",
    );
    check(
        "repeats-at-once",
        &["us-east-1: m5.large -> one", "us-east-1 one: m5.xlarge -> one"],
        &["--at-least", "1"],
        "error: the default region: page 2 of DescribeInstanceTypes gives a next page that was already \
         read\nbefore\n",
    );
}

#[test]
fn too_few_types_write_nothing() {
    check(
        "few",
        &["us-east-1: m5.large"],
        &[],
        "error: 1 instance types, expected at least 1390: name more regions, or say \
         --at-least\nbefore\n",
    );
    check(
        "none",
        &["us-east-1: "],
        &["--at-least", "0"],
        "error: the default region: DescribeInstanceTypes describes no instance types\nbefore\n",
    );
}

#[test]
fn an_incomplete_description_writes_nothing() {
    check(
        "incomplete",
        &["us-east-1: m5.large m5.xlarge!"],
        &["--at-least", "1"],
        "error: the default region: page 1 of DescribeInstanceTypes: m5.xlarge: NetworkCards is missing, \
         expected a list of [index, maximum] in whole numbers, each index once, card 0 among \
         them with 1 or more\nbefore\n",
    );
}
