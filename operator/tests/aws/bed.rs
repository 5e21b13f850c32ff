//! A small Region, `Aws` in front of it, and scripts of calls.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_credential_types::provider::ProvideCredentials;
use berth_operator::aws::{Attempt, Aws, AwsSettings, Observer, static_credentials};
use berth_operator::cloud::Cloud;
use ec2_sim::Ec2;
use ec2_sim::build::Builder;
use ec2_sim::face::http::Server;
use ec2_sim::face::sdk::InProcess;
use ec2_sim::face::shared::Shared;
use ec2_sim::fault::{Effect, Rule};
use ec2_sim::spec::Spec;
use ipam_core::call::{Call, CallId, Reply, Request};
use ipam_core::failure::Failure;

use crate::show;
use crate::words;

/// How `Aws` reaches the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// As the SDK's HTTP client, with time paused.
    InProcess,
    /// Over HTTP on loopback, in real time.
    Loopback,
}

/// What was told of requests: `operation: status` each.
pub(crate) type Told = Arc<Mutex<Vec<String>>>;

/// A Region and who asks it.
#[derive(Debug)]
pub(crate) struct Bed {
    pub(crate) aws: Aws,
    pub(crate) told: Told,
    shared: Shared,
    server: Option<Server>,
    /// What was made last: an interface and an attachment, as `$eni` and `$attachment` in scripts.
    made: Vec<(&'static str, String)>,
}

/// Settings of tests: everything said, a time-out of 30 s, and the year 2026 at tick 0.
pub(crate) fn settings(told: &Told) -> AwsSettings {
    let epoch = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
    let told = Arc::clone(told);
    let tell = move |attempt: &Attempt| {
        let text = format!("{}: {}", attempt.operation, attempt.response);
        told.lock().expect("no panic").push(text);
    };
    AwsSettings {
        region: Some("eu-west-1".to_owned()),
        observer: Observer::new(tell),
        ..AwsSettings::new(epoch)
    }
}

impl Bed {
    async fn new(face: Face) -> Self {
        let spec = Spec::parse("world.yaml", include_str!("world.yaml")).expect("a world");
        let mut ec2 = Ec2::new(spec.settings().expect("settings"));
        spec.populate(&mut ec2).expect("things that fit");
        let (shared, told) = (Shared::new(ec2), Told::default());
        let mut settings = settings(&told);
        let credentials = static_credentials("AKIATEST");
        let (aws, server) = match face {
            Face::InProcess => {
                let http = InProcess::new(shared.clone());
                (Aws::over(http, credentials, &settings), None)
            }
            Face::Loopback => {
                let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let server = Server::start(any, shared.clone()).await.expect("a server");
                settings.endpoint = Some(format!("http://{}", server.addr));
                settings.timeout = Duration::from_secs(5);
                (Aws::with_credentials(credentials, &settings), Some(server))
            }
        };
        Self { aws: aws.expect("settings that fit"), told, shared, server, made: Vec::new() }
    }

    /// An `Aws` with another access key.
    pub(crate) fn as_caller(&self, access_key: &str) -> Aws {
        let http = InProcess::new(self.shared.clone());
        let settings = settings(&self.told);
        Aws::over(http, static_credentials(access_key), &settings).expect("settings that fit")
    }

    /// From now on, `Aws` has these credentials.
    pub(crate) fn replace_credentials(&mut self, credentials: impl ProvideCredentials + 'static) {
        let http = InProcess::new(self.shared.clone());
        let aws = Aws::over(http, credentials, &settings(&self.told));
        self.aws = aws.expect("settings that fit");
    }

    /// From now on, `Aws` asks for pages of that size.
    pub(crate) fn take_pages_of(&mut self, max_results: u16) {
        let http = InProcess::new(self.shared.clone());
        let settings = AwsSettings { max_results, ..settings(&self.told) };
        let aws = Aws::over(http, static_credentials("AKIATEST"), &settings);
        self.aws = aws.expect("settings that fit");
    }

    /// Makes the call that `line` describes.
    pub(crate) async fn call(&mut self, line: &str) -> Result<Reply, Failure> {
        let line =
            self.made.iter().fold(line.to_owned(), |line, (name, id)| line.replace(name, id));
        let answer = self.aws.call(call(words::request(&line))).await;
        match &answer {
            Ok(Reply::Created(eni)) => self.made.push(("$eni", eni.id.to_string())),
            Ok(Reply::Attached(id)) => self.made.push(("$attachment", id.to_string())),
            _ => {}
        }
        answer
    }

    /// Makes the calls of `script`, one a line, and compares what came back.
    #[track_caller]
    pub(crate) fn check(&mut self, script: &str, expected: &str) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move {
            let mut lines = Vec::new();
            for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
                let text = show::answer(&self.call(line).await);
                let named = self.made.iter().fold(text, |text, (name, id)| text.replace(id, name));
                lines.extend(named.lines().map(str::to_owned));
            }
            compare(&lines, expected, &format!("{at}\n{script}"));
        }
    }

    /// Where the server listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.as_ref().expect("a server").addr
    }

    /// Changes the world behind the API's back.
    pub(crate) fn build<T>(&self, act: impl FnOnce(Builder<'_>) -> T) -> T {
        self.shared.with(|ec2, _| act(ec2.build()))
    }

    /// Looks into the machine.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Ec2) -> T) -> T {
        self.shared.with(|ec2, _| act(ec2))
    }

    /// Lets the next call go wrong.
    pub(crate) fn once(&self, effect: Effect) {
        let rule = Rule { times: Some(1), ..Rule::always(effect) };
        self.build(|mut builder| builder.faults().add(rule));
    }

    /// What was told of requests since the last time.
    pub(crate) fn told(&self) -> String {
        self.told.lock().expect("no panic").drain(..).collect::<Vec<_>>().join("\n")
    }

    /// Ends the server, if there is one.
    pub(crate) async fn stop(self) {
        if let Some(server) = self.server {
            server.stop().await.expect("a server that ends");
        }
    }
}

/// A call with a number that does not matter.
pub(crate) fn call(request: Request) -> Call {
    Call { id: CallId(1), request }
}

/// Compares line by line. `…` stands for any text.
#[track_caller]
pub(crate) fn compare(lines: &[String], expected: &str, context: &str) {
    let expected: Vec<_> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let alike = lines.iter().zip(&expected).all(|(line, expected)| is_like(line, expected));
    let equal = lines.len() == expected.len() && alike;
    assert!(equal, "{context}\nexpected:\n{}\nfound:\n{}", expected.join("\n"), lines.join("\n"));
}

fn is_like(line: &str, expected: &str) -> bool {
    let Some((start, rest)) = expected.split_once('…') else { return line == expected };
    let Some(line) = line.strip_prefix(start) else { return false };
    (0..=line.len())
        .filter(|from| line.is_char_boundary(*from))
        .any(|from| is_like(&line[from..], rest))
}

/// Runs `scenario` in a Region of its own, in a runtime of its own.
pub(crate) fn run(face: Face, scenario: impl AsyncFnOnce(&mut Bed)) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(face == Face::InProcess);
    let runtime = runtime.build().expect("a runtime");
    runtime.block_on(async {
        let mut bed = Bed::new(face).await;
        scenario(&mut bed).await;
        let findings = bed.with(|ec2| ec2.audit());
        assert!(findings.is_empty(), "{findings:?}");
        bed.stop().await;
    });
}
