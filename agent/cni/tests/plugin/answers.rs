//! Agents that refuse, talk rubbish, fall silent or go away in the middle.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::agent::{Agent, Script, response};
use crate::program::Program;

#[test]
fn what_the_agent_refuses_is_told_as_it_says_it() {
    let body = r#"{"code":11,"msg":"no free address","details":"subnet-0ab has no free address"}"#;
    let agent = Agent::start(Script::Answer(503, body.to_owned()));
    let ran = Program::new(&agent.socket).run("ADD");
    let error: Value = serde_json::from_str(&ran.stdout).unwrap();
    let expected = json!({
        "cniVersion": "1.1.0",
        "code": 11,
        "msg": "no free address",
        "details": "subnet-0ab has no free address",
    });
    assert_eq!((ran.is_success, error), (false, expected));
    assert_eq!(agent.heard().len(), 1, "nothing was granted, so nothing is given back");
}

#[test]
fn status_that_may_be_better_later_is_unavailable() {
    for (code, expected) in [(11, 50), (50, 50), (51, 51)] {
        let agent =
            Agent::start(Script::Answer(503, json!({ "code": code, "msg": "m" }).to_string()));
        assert_eq!(Program::new(&agent.socket).run("STATUS").code(), expected);
    }
}

/// The code that every verb ends with when the agent answers with these bytes.
#[track_caller]
fn check(bytes: &[u8], expected: u64) {
    let agent = Agent::start(Script::Bytes(bytes.to_vec()));
    for verb in ["ADD", "DEL"] {
        let program = Program::new(&agent.socket);
        assert_eq!(program.run(verb).code(), expected, "{verb}");
        assert!(
            !program.queue().join("lock").exists(),
            "{verb}: it is there, so nothing is queued"
        );
    }
}

#[test]
fn rubbish_is_no_answer() {
    check(b"rubbish", 6);
    check(&vec![0xff; 100_000], 6);
    check(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 6);
    check(b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n", 6);
    check(&response(404, "not found"), 6);
    check(&response(500, ""), 11);
}

#[test]
fn a_reply_to_add_must_be_one() {
    for body in ["", "{}", r#"{"addresses":[]}"#, "[]"] {
        let agent = Agent::start(Script::Answer(200, body.to_owned()));
        assert_eq!(Program::new(&agent.socket).run("ADD").code(), 6, "{body}");
        let heard = agent.heard();
        assert_eq!(heard.len(), 2, "what was granted is given back: {heard:?}");
    }
}

/// DEL asks again for as long as it may take, since agents that end are followed by others.
#[test]
fn an_agent_that_ends_the_connection_is_worth_trying_again() {
    let scripts =
        [Script::Close, Script::CloseUnread, Script::Bytes(b"HTTP/1.1 200 OK\r\n".to_vec())];
    let checks = scripts.map(|script| {
        std::thread::spawn(move || {
            let agent = Agent::start(script);
            let program = Program::new(&agent.socket);
            assert_eq!(program.run("ADD").code(), 11);
            assert_eq!(program.run("STATUS").code(), 50);
            assert_eq!(program.run("DEL").code(), 11);
            assert!(!program.queue().exists(), "an agent that is there reads no queue");
        })
    });
    for check in checks {
        check.join().unwrap();
    }
}

#[test]
fn an_agent_that_says_nothing_holds_nobody_up() {
    let agent = Agent::start(Script::Hang);
    let verbs: Vec<_> = ["ADD", "DEL", "STATUS"]
        .map(|verb| {
            let program = Program::new(&agent.socket).ipam("wait", json!("1s"));
            std::thread::spawn(move || {
                let began = Instant::now();
                (program.run(verb).code(), began.elapsed())
            })
        })
        .into();
    let ended: Vec<_> = verbs.into_iter().map(|verb| verb.join().unwrap()).collect();
    assert_eq!([ended[0].0, ended[1].0, ended[2].0], [11, 11, 50]);
    let bound = Duration::from_mins(1);
    assert!(ended.iter().all(|(_, took)| *took < bound), "it hung: {ended:?}");
}

#[test]
fn a_socket_whose_backlog_is_full_holds_nobody_up() {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, connect, listen, socket};
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("full.sock");
    let address = SocketAddrUnix::new(&path).unwrap();
    let stream = || socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    let listener = stream();
    bind(&listener, &address).unwrap();
    listen(&listener, 0).unwrap();
    let first = stream();
    connect(&first, &address).unwrap();
    let program = Program::new(&path).ipam("wait", json!("0s"));
    assert_eq!(program.run("ADD").code(), 11);
    let ran = program.run("STATUS");
    assert!(ran.stdout.contains("no answer from the agent within 10 s"), "{ran:?}");
}
