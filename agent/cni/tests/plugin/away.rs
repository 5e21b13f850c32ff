//! Without an agent: DELs wait on disk, everything else is worth trying again.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use berth_cni::protocol::DelRequest;
use berth_cni::queue::{Drained, Queue};
use serde_json::json;

use crate::agent::{Agent, Script};
use crate::program::Program;

/// What a queue holds: container and interface, in order.
fn drain(queue: &Queue) -> Vec<String> {
    let mut deleted = Vec::new();
    let drained = queue.drain(|DelRequest { attachment }| {
        deleted.push(format!("{}/{}", attachment.container_id, attachment.interface));
        Ok(())
    });
    assert_eq!(drained.unwrap(), Drained { done: deleted.len(), ..Drained::default() });
    deleted.sort();
    deleted
}

#[test]
fn what_cannot_wait_is_worth_trying_again() {
    let program = Program::alone()
        .member("cni.dev/valid-attachments", json!([]))
        .member("prevResult", json!({ "ips": [{ "address": "10.0.1.5/32" }] }));
    for (verb, code) in [("ADD", 11), ("CHECK", 11), ("GC", 11), ("STATUS", 50)] {
        let ran = program.run(verb);
        assert_eq!(ran.code(), code, "{verb}");
        assert!(ran.stdout.contains("the agent is away"), "{ran:?}");
    }
    assert!(!program.queue().exists());
}

#[test]
fn del_is_queued_once_for_its_owner_alone() {
    let program = Program::alone();
    for _ in 0..3 {
        let ran = program.run("DEL");
        ran.is_done();
        assert!(ran.stderr.contains("warn DEL berth/c1/eth0: queued in "), "{ran:?}");
    }
    program.ipam("log-level", json!("error")).with("CNI_IFNAME", "net1").run_is_silent();
}

impl Program {
    #[track_caller]
    fn run_is_silent(&self) {
        let ran = self.run("DEL");
        ran.is_done();
        assert_eq!(ran.stderr, "");
        let mode = std::fs::metadata(self.queue()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let queue = Queue::new(self.queue());
        assert_eq!(drain(&queue), ["c1/eth0", "c1/net1"]);
        assert_eq!(drain(&queue), [""; 0]);
    }
}

#[test]
fn a_socket_that_nobody_listens_on_any_more_is_away_too() {
    let mut program = Program::alone();
    let socket = program.folder.path().join("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    program.conf["ipam"]["agent-socket"] = json!(socket);
    program.run("DEL").is_done();
    assert_eq!(drain(&Queue::new(program.queue())), ["c1/eth0"]);
}

#[test]
fn fifty_at_once_are_all_queued() {
    let program = Arc::new(Program::alone());
    let threads: Vec<_> = (0..50)
        .map(|number| {
            let program = Arc::clone(&program);
            let mut own = Program::alone().with("CNI_CONTAINERID", &format!("c{number:02}"));
            own.conf["ipam"]["queue-dir"] = json!(program.queue());
            std::thread::spawn(move || own.run("DEL").is_done())
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let expected: Vec<String> = (0..50).map(|number| format!("c{number:02}/eth0")).collect();
    assert_eq!(drain(&Queue::new(program.queue())), expected);
}

#[test]
fn a_full_queue_is_worth_trying_again() {
    let program = Program::alone();
    program.run("DEL").is_done();
    for number in 0..4096 {
        std::fs::write(program.queue().join(format!("{number}.delete.unreadable")), "").unwrap();
    }
    program.run("DEL").is_done();
    let other = program.with("CNI_CONTAINERID", "c2").run("DEL");
    assert_eq!(other.code(), 11);
    assert!(other.stdout.contains("has 4096 files already"), "{other:?}");
}

#[test]
fn a_queue_that_cannot_be_made_is_worth_trying_again() {
    let program = Program::alone();
    std::fs::write(program.queue(), "a file in its place").unwrap();
    let ran = program.run("DEL");
    assert_eq!(ran.code(), 11);
    assert!(ran.stdout.contains("cannot make "), "{ran:?}");
}

/// The agent's start as the plugin sees it: whoever comes while the queue is drained waits, and then finds the socket.
#[test]
fn a_del_that_comes_while_the_agent_drains_is_not_left_behind() {
    let mut program = Program::alone();
    program.run("DEL").is_done();
    let queue = Queue::new(program.queue());
    let (mut late, mut agent) = (None, None);
    program.environment.retain(|(name, _)| *name != "CNI_CONTAINERID");
    let mut program = Some(program.with("CNI_CONTAINERID", "c2"));
    let drained = queue.drain(|_| {
        let program = program.take().unwrap();
        let socket = program.folder.path().join("no.sock");
        let (begun, begins) = std::sync::mpsc::channel();
        late = Some(std::thread::spawn(move || {
            begun.send(()).unwrap();
            program.run("DEL").is_done();
            Queue::new(program.queue()).drain(|_| Err("left behind".to_owned())).unwrap()
        }));
        begins.recv().unwrap();
        let started = Agent::start(Script::Answer(200, "{}".to_owned()));
        std::os::unix::fs::symlink(&started.socket, socket).unwrap();
        agent = Some(started);
        Ok(())
    });
    assert_eq!(drained.unwrap().done, 1);
    assert_eq!(late.unwrap().join().unwrap(), Drained::default());
    assert_eq!(agent.unwrap().heard().len(), 1);
}

#[test]
fn agents_that_end_while_they_are_asked_are_followed_by_one_that_answers() {
    let answers = Box::new(Script::Answer(200, "{}".to_owned()));
    let agent = Agent::start(Script::CloseFirst(3, answers));
    let program = Program::new(&agent.socket);
    program.run("DEL").is_done();
    assert_eq!(agent.heard().len(), 4);
    assert!(!program.queue().exists());
}

/// An agent that starts listens before it drains. Whoever waits for its answer must not keep it from draining.
#[test]
fn nobody_who_waits_for_an_answer_holds_the_queue() {
    let agent = Agent::start(Script::CloseFirst(1, Box::new(Script::Hang)));
    let program = Program::new(&agent.socket);
    let queue = Queue::new(program.queue());
    std::fs::create_dir(program.queue()).unwrap();
    let asking = std::thread::spawn(move || program.run("DEL").code());
    while agent.heard().len() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(drain(&queue), [""; 0]);
    assert!(!asking.is_finished());
    assert_eq!(asking.join().unwrap(), 11);
}
