//! A small Region, the SDK in front of it, and scripts of calls.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::{BehaviorVersion, Config, Credentials, Intercept, Region};
use ec2_sim::build::Builder;
use ec2_sim::face::http::Server;
use ec2_sim::face::sdk::InProcess;
use ec2_sim::face::shared::Shared;
use ec2_sim::{Ec2, Settings};

use crate::calls::call;
use crate::words::Names;
use crate::world;

/// How the SDK reaches the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// As its HTTP client. Time is paused: it jumps to the next event when everybody waits.
    InProcess,
    /// Over HTTP on loopback, in real time.
    Loopback,
}

/// A Region with clients.
#[derive(Debug)]
pub(crate) struct Bed {
    /// A client that asks once and takes what it gets.
    pub(crate) client: Client,
    /// What names stand for.
    pub(crate) names: Names,
    shared: Shared,
    server: Option<Server>,
}

impl Bed {
    /// Builds the Region of [`world`] and puts `face` in front of it.
    async fn new(face: Face, settings: Settings) -> Self {
        let mut ec2 = Ec2::new(settings);
        let names = world::build(&mut ec2.build());
        let shared = Shared::new(ec2);
        let server = match face {
            Face::InProcess => None,
            Face::Loopback => {
                let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                Some(Server::start(any, shared.clone()).await.expect("a server"))
            }
        };
        let client = client(&shared, server.as_ref(), "AKIATEST", RetryConfig::disabled());
        Self { client, names, shared, server }
    }

    /// A client with another access key.
    pub(crate) fn client_of(&self, access_key: &str) -> Client {
        client(&self.shared, self.server.as_ref(), access_key, RetryConfig::disabled())
    }

    /// A client that retries as the SDK does by default, but sooner and more often.
    pub(crate) fn retrying_client(&self) -> Client {
        let retries = RetryConfig::standard().with_max_attempts(8);
        let retries = retries.with_initial_backoff(Duration::from_millis(50));
        client(&self.shared, self.server.as_ref(), "AKIATEST", retries)
    }

    /// A client that asks once, through an interceptor.
    pub(crate) fn client_with(&self, interceptor: impl Intercept + 'static) -> Client {
        let config = self.client.config().to_builder().interceptor(interceptor);
        Client::from_conf(config.build())
    }

    /// Makes the calls of `script`, each in a line of its own: `Action Name=value`, with `name = ` in front where what is made gets a
    /// name. Returns what came back, each in a line of its own.
    pub(crate) async fn run(&mut self, script: &str) -> String {
        let client = self.client.clone();
        self.run_with(&client, script).await
    }

    /// The same through another client.
    pub(crate) async fn run_with(&mut self, client: &Client, script: &str) -> String {
        let mut lines = Vec::new();
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, line) = match line.split_once(" = ") {
                Some((name, line)) => (Some(name), line),
                None => (None, line),
            };
            let outcome = call(client, &self.names, line).await;
            if let (Some(name), Ok(outcome)) = (name, &outcome) {
                let made = outcome.made.as_deref().expect("something that can have a name");
                self.names.learn(name, made);
            }
            self.audit(line);
            lines.push(outcome.map_or_else(|refusal| refusal, |outcome| outcome.text));
        }
        lines.join("\n")
    }

    /// Makes the calls of `script` and compares what came back, line by line. A line that ends in `…` stands for all that begin so.
    #[track_caller]
    pub(crate) fn check(&mut self, script: &str, expected: &str) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move {
            let answers = self.run(script).await;
            compare(&answers, expected, &format!("{at}\n{script}"));
        }
    }

    /// Makes the call again and again, at most for a minute, until what comes back is `expected`.
    #[track_caller]
    pub(crate) fn until(&mut self, line: &str, expected: &str) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move {
            let mut answer = String::new();
            for _ in 0..1_200 {
                answer = self.run(line).await;
                if is_like(&answer, expected) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            panic!("{at}: {line}\nstill answers {answer}");
        }
    }

    /// Changes the world behind the API's back.
    pub(crate) fn build<T>(&self, act: impl FnOnce(Builder<'_>) -> T) -> T {
        self.shared.with(|ec2, _| act(ec2.build()))
    }

    /// Looks into the machine.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Ec2) -> T) -> T {
        self.shared.with(|ec2, _| act(ec2))
    }

    /// What the address of the loopback face is; none in process.
    pub(crate) fn addr(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(|server| server.addr)
    }

    /// The truth holds.
    #[track_caller]
    pub(crate) fn audit(&self, after: &str) {
        let findings = self.shared.with(|ec2, _| ec2.audit());
        assert!(findings.is_empty(), "after {after}: {findings:?}");
    }
}

/// Whether every line is the expected one, or begins like it where that ends in `…`.
fn is_like(answers: &str, expected: &str) -> bool {
    let expected: Vec<_> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let alike = |(answer, expected): (&str, &&str)| match expected.strip_suffix('…') {
        Some(start) => answer.starts_with(start),
        None => answer == *expected,
    };
    answers.lines().count() == expected.len() && answers.lines().zip(&expected).all(alike)
}

fn compare(answers: &str, expected: &str, context: &str) {
    if !is_like(answers, expected) {
        let expected: Vec<_> =
            expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(answers, expected.join("\n"), "{context}");
    }
}

fn client(shared: &Shared, server: Option<&Server>, key: &str, retries: RetryConfig) -> Client {
    let credentials = Credentials::new(key, "secret", None, None, "test");
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(credentials)
        .retry_config(retries);
    let config = match server {
        Some(server) => config.endpoint_url(format!("http://{}", server.addr)),
        None => {
            config.endpoint_url("http://ec2.invalid").http_client(InProcess::new(shared.clone()))
        }
    };
    Client::from_conf(config.build())
}

/// Runs `scenario` in a Region of its own, in a runtime of its own.
pub(crate) fn run(face: Face, settings: Settings, scenario: impl AsyncFnOnce(Bed)) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(face == Face::InProcess);
    let runtime = runtime.build().expect("a runtime");
    runtime.block_on(async { scenario(Bed::new(face, settings).await).await });
}

/// Makes a test of each scenario for each face: an `async fn(Bed)`, in a Region with the settings of the function behind `with`.
macro_rules! through_both_faces {
    ($($scenario:ident $(with $settings:ident)?,)+) => {
        mod in_process {
            $(#[test]
            fn $scenario() {
                let settings = $crate::bed::pick!($($settings)?);
                $crate::bed::run($crate::bed::Face::InProcess, settings, super::$scenario);
            })+
        }
        mod loopback {
            $(#[test]
            fn $scenario() {
                let settings = $crate::bed::pick!($($settings)?);
                $crate::bed::run($crate::bed::Face::Loopback, settings, super::$scenario);
            })+
        }
    };
}

/// The settings of that function, or the plain ones.
macro_rules! pick {
    () => {
        $crate::world::settings()
    };
    ($settings:ident) => {
        super::$settings()
    };
}

pub(crate) use {pick, through_both_faces};
