//! The program `kube-sim`: how it starts, what it says of wrong arguments, and how it ends.

#[cfg(test)]
mod process;

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::PathBuf;

use serde_json::Value;

use crate::process::{Serving, program, refused, said};

#[test]
fn it_ends_when_it_is_told_to() {
    for name in ["INT", "TERM"] {
        assert_eq!(Serving::start().signal(name), Some(0), "{name}");
    }
}

#[test]
fn an_open_watch_does_not_keep_it() {
    let serving = Serving::start();
    let mut watch = serving.send("/api/v1/namespaces?watch=true");
    assert_eq!(watch.read(&mut [0]).unwrap(), 1);
    assert_eq!(serving.signal("TERM"), Some(0));
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, error) = said(&program().args(["--listen", &address]).output().unwrap());
    assert_eq!(code, Some(1));
    assert!(error.contains(&format!("cannot listen at {address}")), "{error}");
    assert!(error.contains("in use"), "{error}");
}

#[test]
fn wrong_files_are_named_with_what_is_wrong() {
    let check = |name: &str, text: &str, expected: &str| {
        let error = refused(name, text);
        assert!(error.contains("FILE") && error.contains(expected), "{error}");
    };
    check("no-yaml", "a: [", "line 1");
    check("a-pod", "kind: Pod", "kind Pod, a CustomResourceDefinition is expected");
    check("a-text", "just text", "kind nothing");
    check("no-name", "kind: CustomResourceDefinition", "metadata.name");
    let nameless = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a.b.c}}";
    check("no-group", nameless, "spec");
    let missing = program().args(["--crd", "no/such/file"]).output().unwrap();
    let (code, error) = said(&missing);
    assert_eq!(code, Some(1));
    assert!(error.contains("cannot read no/such/file"), "{error}");
}

#[test]
fn wrong_arguments() {
    let (code, error) = said(&program().args(["--listen", "here"]).output().unwrap());
    assert_eq!(code, Some(2));
    assert!(error.contains("--listen"), "{error}");
    let (code, error) = said(&program().arg("--sees").output().unwrap());
    assert_eq!(code, Some(2));
    assert!(error.contains("--sees"), "{error}");
}

#[test]
fn help_explains() {
    let output = program().arg("--help").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    for word in ["--listen", "--crd", "--kubeconfig-out", "--seed", "/_sim/faults", "Examples:"] {
        assert!(help.contains(word), "{word} is not in\n{help}");
    }
}

#[test]
fn a_kubeconfig_names_the_server() {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("kubeconfig");
    let mut process = program().arg("--kubeconfig-out").arg(&file).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let written: Value = serde_saphyr::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    let server = written["clusters"][0]["cluster"]["server"].as_str().unwrap();
    assert_eq!(line.trim(), format!("kube-sim is listening at {server}"));
}
