//! What a test starts ends with it, however it ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use real::Options;

use observed::{port, processes, running, skipped, start};

#[test]
fn nothing_is_left_after_the_test() {
    let kubernetes = start(Options { controllers: true, ..Options::default() });
    let Some(kubeup) = kubernetes.process_id() else {
        skipped("BERTH_KUBECONFIG names a cluster that is not ours to end");
        return;
    };
    let (processes, port) = (processes(kubeup), port(kubernetes.kubeconfig()));
    let folder = kubernetes.kubeconfig().parent().unwrap().to_owned();
    assert!(TcpListener::bind(("127.0.0.1", port)).is_err(), "nobody listens");
    drop(kubernetes);
    assert_eq!(running(&processes), Vec::<u32>::new());
    TcpListener::bind(("127.0.0.1", port)).unwrap();
    assert!(!folder.exists());
}

#[test]
fn nothing_is_left_after_a_killed_test() {
    // `cargo run -p real` stands for the test. It is not let off by somebody else's cluster.
    let mut command = Command::new(env!("CARGO_BIN_EXE_real"));
    command.env_remove("BERTH_KUBECONFIG").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut test = command.spawn().unwrap();
    let mut lines = BufReader::new(test.stdout.take().unwrap()).lines().map(Result::unwrap);
    let kubeconfig = lines.next().unwrap();
    let kubeconfig = Path::new(kubeconfig.strip_prefix("export KUBECONFIG=").unwrap());
    let line = lines.next().unwrap();
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    let (processes, port) = (processes(digits.parse().unwrap()), port(kubeconfig));
    test.kill().unwrap();
    test.wait().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    // A killed process no longer runs and still has its sockets until the last of its threads has ended.
    let is_free = || TcpListener::bind(("127.0.0.1", port)).is_ok();
    while !(running(&processes).is_empty() && is_free()) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(running(&processes), Vec::<u32>::new());
    TcpListener::bind(("127.0.0.1", port)).unwrap();
    fs::remove_dir_all(kubeconfig.parent().unwrap()).unwrap();
}

#[test]
fn several_run_side_by_side() {
    let (one, other) = (start(Options::default()), start(Options::default()));
    for kubernetes in [&one, &other] {
        let namespaces = kubernetes.kubectl().run(["get", "namespaces", "-o", "name"]).unwrap();
        assert!(namespaces.contains("namespace/default"), "{namespaces}");
    }
}

#[test]
fn every_write_is_recorded() {
    let kubernetes = start(Options::default());
    let Some(log) = kubernetes.audit_log() else {
        skipped("BERTH_KUBECONFIG names a cluster whose audit log is not ours to read");
        return;
    };
    kubernetes.kubectl().run(["create", "namespace", "recorded"]).unwrap();
    let log = fs::read_to_string(log).unwrap();
    let written = |line: &&str| line.contains(r#""verb":"create""#) && line.contains("recorded");
    assert_eq!(log.lines().filter(written).count(), 1);
}

#[cfg(test)]
mod observed {
    //! What the system says about processes.

    use std::collections::BTreeSet;
    use std::fs;
    use std::io::{self, Write};
    use std::path::Path;

    use real::{Kubernetes, Options};

    /// A control plane; what is missing is said in words.
    pub(crate) fn start(options: Options) -> Kubernetes {
        Kubernetes::start(options).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Says why a test does not look at anything.
    pub(crate) fn skipped(reason: &str) {
        writeln!(io::stderr(), "skipped: {reason}").unwrap();
    }

    /// The port of the API server that a kubeconfig names.
    pub(crate) fn port(kubeconfig: &Path) -> u16 {
        let text = fs::read_to_string(kubeconfig).unwrap();
        let (_, rest) = text.split_once("https://127.0.0.1:").unwrap();
        let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next();
        digits.unwrap().parse().unwrap()
    }

    /// `kubeup` and its components.
    pub(crate) fn processes(kubeup: u32) -> BTreeSet<u32> {
        let children =
            fs::read_to_string(format!("/proc/{kubeup}/task/{kubeup}/children")).unwrap();
        let children = children.split_whitespace().map(|id| id.parse::<u32>().unwrap());
        let all: BTreeSet<u32> = children.chain([kubeup]).collect();
        assert!(all.len() > 1, "kubeup has no components");
        all
    }

    pub(crate) fn running(processes: &BTreeSet<u32>) -> Vec<u32> {
        let alive = |id: &u32| {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            // One that has ended and that nobody has asked for yet is a zombie.
            stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
        };
        processes.iter().copied().filter(alive).collect()
    }
}
