//! The real EC2, by the AWS SDK. This module and those below it are the only ones of the operator that name the SDK.
//!
//! One [`Call`] is one request (`InstanceTypes` may be a few: see `read.rs`). The SDK's own retries are off, since the machine decides what is
//! tried again; each request is bounded in time; and an answer that is cut off, or that something else than EC2 gave, is
//! [`Failure::NoAnswer`], never an empty list. Credentials that EC2 calls expired are forgotten, so that the next request fetches new ones.

mod attempt;
mod connect;
mod eni;
mod mutate;
mod network;
mod probe;
mod read;
mod refused;
mod text;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::IdentityCache;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use ipam_core::call::{Call, Reply, Request};
use ipam_core::failure::Failure;
use jiff::Timestamp;
use tokio::time::Instant;

use self::attempt::Watch;
pub use self::attempt::{Attempt, Observer};
pub use self::connect::{AwsSettings, ConnectError, static_credentials};
pub use self::eni::CREATED_AT_TAG;
use crate::cloud::Cloud;
use crate::cloud::refusal;

/// EC2 through the SDK. A clone is another handle to the same client.
#[derive(Debug, Clone)]
pub struct Aws {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    current: RwLock<Current>,
    /// The wall clock at tick 0.
    epoch: Timestamp,
    /// When that was.
    started: Instant,
    observer: Observer,
    /// How many items a page of a listing may have.
    max_results: u16,
}

/// The client in use, and how many there were before it.
#[derive(Debug, Clone)]
struct Current {
    client: Client,
    generation: u64,
}

/// One request: the client that sends it, and who watches it.
struct Line {
    current: Current,
    watch: Watch,
}

impl Cloud for Aws {
    async fn call(&self, call: Call) -> Result<Reply, Failure> {
        match &call.request {
            Request::Mutate(mutation) => self.mutate(mutation).await,
            Request::Read(read) => self.read(read).await,
        }
    }
}

impl Aws {
    fn new(client: Client, settings: &AwsSettings) -> Self {
        let current = RwLock::new(Current { client, generation: 0 });
        let AwsSettings { epoch, started, max_results, .. } = *settings;
        let observer = settings.observer.clone();
        Self { shared: Arc::new(Shared { current, epoch, started, observer, max_results }) }
    }

    /// What the wall clock said at the start, and the time since.
    fn now(&self) -> Timestamp {
        self.wall_clock(self.shared.started.elapsed())
    }

    /// What it would say that long after the start if nobody set it.
    fn wall_clock(&self, since: Duration) -> Timestamp {
        let epoch = self.shared.epoch;
        epoch.saturating_add(since).unwrap_or(epoch)
    }

    /// Begins a request of that action.
    fn line(&self, operation: &'static str) -> Line {
        let current = self.shared.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        Line { current, watch: Watch::new(operation) }
    }

    /// Ends a request: reports it, and says what went wrong in the words of the core.
    fn ended<T, E: ProvideErrorMetadata + std::error::Error + 'static>(
        &self,
        line: &Line,
        result: Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, Failure> {
        let status = match &result {
            Ok(_) => Some(200),
            Err(error) => error.raw_response().map(|response| response.status().as_u16()),
        };
        line.watch.report(status, &self.shared.observer);
        result.map_err(|error| {
            if error.code().is_some_and(refusal::wants_new_credentials) {
                self.forget_credentials(line.current.generation);
            }
            refused::failure(&error, line.watch.has_left())
        })
    }

    /// Lets the next request fetch credentials anew, unless that has been done since the client of that generation was made.
    fn forget_credentials(&self, generation: u64) {
        let mut current = self.shared.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.generation == generation {
            let config = current.client.config().to_builder();
            let config = config.identity_cache(IdentityCache::lazy().build()).build();
            *current = Current { client: Client::from_conf(config), generation: generation + 1 };
        }
    }
}

/// Sends one request: `send!(aws, "DescribeSubnets", describe_subnets.max_results(1_000))`.
macro_rules! send {
    ($aws:expr, $operation:expr, $method:ident $($filled:tt)*) => {{
        let line = $aws.line($operation);
        let request = line.current.client.$method() $($filled)*;
        let result = request.customize().interceptor(line.watch.clone()).send().await;
        $aws.ended(&line, result)
    }};
}
use send;
