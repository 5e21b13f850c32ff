//! The CNI plugin from start to finish, as the container runtime pays for it.
//!
//! `cargo bench -p benches --bench cni` runs the program that `BERTH_CNI` names, a release build of berth-cni, against an agent that
//! answers at once, and prints what it took beside the goals.

#![expect(clippy::expect_used, reason = "what the benches are made of is constant")]

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use benches::goals::{Goal, print};

/// Names a release build of the program.
const PROGRAM: &str = "BERTH_CNI";
/// ADD from start to finish, the median, in milliseconds.
const ADD: f64 = 5.0;
/// The program's size, in megabytes.
const SIZE: f64 = 2.0;
/// What the agent answers with.
const GRANTED: &str = r#"{"addresses":[{"address":"10.0.1.5","gateway":"10.0.1.1","eni":"eni-1","mac":"02:00:00:00:00:07","interface-number":1,"vpc-cidrs":["10.0.0.0/16"]}]}"#;

fn main() {
    let Some(program) = std::env::var_os(PROGRAM) else {
        say("the plugin: skipped, BERTH_CNI names no release build of berth-cni");
        return;
    };
    // What cargo passes when benches are only tried out.
    let is_trial = std::env::args().any(|argument| argument == "--test");
    let rounds = if is_trial { 10 } else { 1_000 };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let socket = start_agent(folder);
    let size = std::fs::metadata(&program).expect("BERTH_CNI names a program").len();
    let mut goals = vec![Goal::at_most("the plugin, MB", kilobytes(size) / 1e3, SIZE)];
    for (verb, goal) in [("ADD", Some(ADD)), ("DEL", Some(ADD)), ("VERSION", None)] {
        let mut times: Vec<Duration> = (0..rounds).map(|_| run(&program, &socket, verb)).collect();
        times.sort_unstable();
        let at = |part: usize| milliseconds(times[times.len() * part / 100]);
        let what = format!("{verb} from start to finish, median, ms");
        goals.push(Goal { what, measured: at(50), most: goal });
        goals.push(Goal::figure("  its 99th percentile, ms", at(99)));
    }
    print(&goals);
}

fn kilobytes(bytes: u64) -> f64 {
    u32::try_from(bytes / 1000).map_or(f64::INFINITY, f64::from)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// An agent in this process that grants everything at once. It ends with the process.
fn start_agent(folder: &Path) -> PathBuf {
    let socket = folder.join(format!("cni-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).expect("a socket");
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            answer(stream);
        }
    });
    socket
}

fn answer(mut stream: UnixStream) {
    let mut request = [0; 4096];
    // The program sends its request in one piece.
    let read = stream.read(&mut request).expect("a request");
    assert!(read > 0, "the program ended early");
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", GRANTED.len());
    stream.write_all([head.as_str(), GRANTED].concat().as_bytes()).expect("a client");
}

/// How long one call takes, with the start and the end of its process.
fn run(program: &OsString, socket: &Path, verb: &str) -> Duration {
    let conf = format!(
        r#"{{"cniVersion": "1.0.0", "name": "berth", "type": "ptp", "ipam": {{"type": "berth-cni", "agent-socket": "{}"}}}}"#,
        socket.display()
    );
    let mut command = Command::new(program);
    command.env_clear().env("CNI_COMMAND", verb).env("CNI_CONTAINERID", "c1");
    command.env("CNI_IFNAME", "eth0").env("CNI_NETNS", "/var/run/netns/c1");
    command.env("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let began = Instant::now();
    let mut child = command.spawn().expect("BERTH_CNI names a program");
    child.stdin.take().expect("a pipe").write_all(conf.as_bytes()).expect("the program reads");
    let output = child.wait_with_output().expect("the program ends");
    let took = began.elapsed();
    assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stdout));
    took
}

#[expect(clippy::print_stdout, reason = "what is not measured is said")]
fn say(line: &str) {
    println!("{line}");
}
