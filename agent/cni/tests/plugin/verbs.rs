//! Every verb of the program, with an agent that answers.

use serde_json::{Value, json};

use crate::agent::{Agent, GRANTED, Script};
use crate::program::Program;

fn granting() -> Agent {
    Agent::start(Script::Answer(200, GRANTED.to_owned()))
}

fn done() -> Agent {
    Agent::start(Script::Answer(200, "{}".to_owned()))
}

#[test]
fn add_asks_for_the_pod_and_prints_the_result() {
    let agent = granting();
    let ran = Program::new(&agent.socket).ipam("wait", json!("3s")).run("ADD");
    let result = r#"{"cniVersion":"1.1.0","ips":[{"address":"10.0.1.5/32","gateway":"169.254.1.1"}],"routes":[{"dst":"0.0.0.0/0","gw":"169.254.1.1"}]}"#;
    assert_eq!((ran.is_success, ran.stdout.as_str(), ran.stderr.as_str()), (true, result, ""));
    let asked = r#"/v1/cni/add {"attachment":{"network":"berth","container-id":"c1","interface":"eth0"},"pod":{"namespace":"shop","name":"web-0","uid":"u1"},"wait-ms":3000}"#;
    assert_eq!(agent.heard(), [asked]);
}

#[test]
fn add_under_ptp_gives_what_ptp_can_use() {
    let agent = granting();
    let program = Program::new(&agent.socket).member("type", json!("ptp"));
    let ran = program.member("cniVersion", json!("0.3.1")).run("ADD");
    assert_eq!(
        ran.stdout,
        r#"{"cniVersion":"0.3.1","ips":[{"version":"4","address":"10.0.1.5/16","gateway":"10.0.1.3"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.1.3"}]}"#
    );
}

#[test]
fn an_address_that_gives_no_result_is_given_back() {
    let agent = Agent::start(Script::Answer(200, GRANTED.replace(r#""gateway":"10.0.1.1","#, "")));
    let ran = Program::new(&agent.socket).ipam("gateway", json!("subnet")).run("ADD");
    assert_eq!(ran.code(), 11);
    let [_, del] = &agent.heard()[..] else { panic!("{:?}", agent.heard()) };
    assert!(del.starts_with("/v1/cni/del "), "{del}");
}

#[test]
fn del_needs_neither_a_namespace_nor_a_previous_result() {
    let agent = done();
    let program = Program::new(&agent.socket).with("CNI_NETNS", "").with("CNI_ARGS", "rubbish");
    program.run("DEL").is_done();
    let asked =
        r#"/v1/cni/del {"attachment":{"network":"berth","container-id":"c1","interface":"eth0"}}"#;
    assert_eq!(agent.heard(), [asked]);
    assert!(!program.queue().exists());
}

#[test]
fn check_asks_for_the_addresses_of_the_previous_result() {
    let agent = done();
    let previous = json!({ "cniVersion": "1.1.0", "ips": [{ "address": "10.0.1.5/32" }] });
    let program = Program::new(&agent.socket).member("prevResult", previous);
    program.run("CHECK").is_done();
    let asked = r#"/v1/cni/check {"attachment":{"network":"berth","container-id":"c1","interface":"eth0"},"addresses":["10.0.1.5"]}"#;
    assert_eq!(agent.heard(), [asked]);
    assert_eq!(program.member("cniVersion", json!("0.3.1")).run("CHECK").code(), 1);
    assert_eq!(Program::new(&agent.socket).run("CHECK").code(), 7);
}

#[test]
fn gc_says_what_stays() {
    let agent = done();
    let valid = json!([{ "containerID": "c1", "ifname": "eth0" }]);
    let program = Program::new(&agent.socket).member("cni.dev/valid-attachments", valid);
    program.run("GC").is_done();
    let asked =
        r#"/v1/cni/gc {"network":"berth","valid":[{"container-id":"c1","interface":"eth0"}]}"#;
    assert_eq!(agent.heard(), [asked]);
    assert_eq!(program.member("cniVersion", json!("1.0.0")).run("GC").code(), 1);
    assert_eq!(Program::new(&agent.socket).run("GC").code(), 7);
}

#[test]
fn status_asks_and_says_nothing() {
    let agent = done();
    let program = Program::new(&agent.socket);
    program.run("STATUS").is_done();
    assert_eq!(agent.heard(), ["/v1/cni/status {}"]);
    assert_eq!(program.member("cniVersion", json!("0.4.0")).run("STATUS").code(), 1);
}

#[test]
fn version_needs_no_configuration() {
    let versions = |asked| {
        format!(
            r#"{{"cniVersion":"{asked}","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}}"#
        )
    };
    let program = Program::alone();
    assert_eq!(program.run_with("VERSION", b"").stdout, versions("1.1.0"));
    let asked = program.run_with("VERSION", br#"{"cniVersion": "0.4.0"}"#);
    assert_eq!((asked.is_success, asked.stdout), (true, versions("0.4.0")));
}

#[test]
fn an_error_is_printed_in_the_version_of_the_configuration() {
    let ran =
        Program::alone().member("cniVersion", json!("0.4.0")).ipam("wiat", json!("1s")).run("ADD");
    let error: Value = serde_json::from_str(&ran.stdout).unwrap();
    let msg = "ipam.wiat = \"1s\" is not known; did you mean wait?";
    assert_eq!(error, json!({ "cniVersion": "0.4.0", "code": 2, "msg": msg }));
    assert!(!ran.is_success);
    let unspoken = Program::alone().member("cniVersion", json!("0.2.0")).run("ADD");
    assert!(unspoken.stdout.starts_with(r#"{"cniVersion":"1.1.0","code":1,"#), "{unspoken:?}");
}

#[test]
fn input_without_end_is_refused() {
    let ran = Program::alone().run_with("ADD", &vec![b' '; 3 << 20]);
    assert_eq!(ran.code(), 7);
}

#[test]
fn the_log_goes_where_it_is_wanted_and_never_to_stdout() {
    let agent = done();
    let program = Program::new(&agent.socket).ipam("log-level", json!("debug"));
    let ran = program.run("DEL");
    ran.is_done();
    assert!(ran.stderr.contains(" debug DEL berth/c1/eth0: /v1/cni/del: status 200"), "{ran:?}");
    let file = program.folder.path().join("berth-cni.log");
    let program = program.ipam("log-file", json!(file));
    assert_eq!(program.run("DEL").stderr, "");
    let log = std::fs::read_to_string(file).unwrap();
    assert!(log.ends_with(" info DEL berth/c1/eth0: done\n"), "{log}");
}
