//! How EC2 is reached: Region, credentials, endpoint, time-outs.

use std::future::Future;
use std::time::Duration;

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::config::{
    AppName, BehaviorVersion, Builder, Credentials, HttpClient, ProvideCredentials, Region,
    StalledStreamProtectionConfig,
};
use jiff::Timestamp;
use tokio::time::Instant;

use super::{Aws, Observer};

/// How EC2 is reached. What is not said comes from the usual places: environment, profile, instance metadata.
#[derive(Debug, Clone)]
pub struct AwsSettings {
    /// Where EC2 is, instead of where the Region has it: an URL, or a host to which `https://` is added.
    pub endpoint: Option<String>,
    /// The Region; the usual chain's if not said.
    pub region: Option<String>,
    /// The profile of the shared configuration files; the usual one if not said.
    pub profile: Option<String>,
    /// How long one request may take, credentials and connection included.
    pub timeout: Duration,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How many items a page of a listing may have: 5 to 1,000. Listings that have smaller pages at EC2 keep those.
    pub max_results: u16,
    /// Whether the instance's metadata service may say the Region when nobody else does. What may come from there as credentials is said by
    /// the SDK's own `AWS_EC2_METADATA_DISABLED`.
    pub use_imds: bool,
    /// The wall clock at tick 0 of the machine's time.
    pub epoch: Timestamp,
    /// The moment of `epoch` by the clock that nobody sets: how old an interface is does not change when the wall clock does.
    pub started: Instant,
    /// Who is told of each request.
    pub observer: Observer,
}

impl AwsSettings {
    /// Everything from the usual places; 30 s per request, and 3.1 s per connection, which is the SDK's own default.
    #[must_use]
    pub fn new(epoch: Timestamp) -> Self {
        Self {
            endpoint: None,
            region: None,
            profile: None,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_millis(3_100),
            max_results: 1_000,
            use_imds: true,
            epoch,
            started: Instant::now(),
            observer: Observer::none(),
        }
    }
}

/// Credentials that never change, for simulators: the secret is `secret`.
#[must_use]
pub fn static_credentials(access_key: &str) -> Credentials {
    Credentials::new(access_key, "secret", None, None, "static")
}

/// Why EC2 cannot be reached at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Nobody says which Region it is.
    #[error(
        "no AWS Region: set AWS_REGION, or `region` in the profile of the AWS configuration file; \
         the instance metadata service was not asked, or named none within {} s",
        IMDS_PATIENCE.as_secs()
    )]
    NoRegion,
    /// The endpoint is no place.
    #[error(
        "the EC2 endpoint {endpoint:?} is no host or http(s) URL, such as ec2.eu-west-1.amazonaws.com"
    )]
    Endpoint {
        /// As it was given.
        endpoint: String,
    },
}

/// How long the instance metadata service may take to name the Region. It is on the host's own link, or it is not there.
const IMDS_PATIENCE: Duration = Duration::from_secs(2);

impl Aws {
    /// Finds out the Region, and where credentials will come from. No request is sent to EC2, and none for credentials.
    ///
    /// Credentials come from the usual chain: environment, web identity (IRSA), profile, container credentials (EKS Pod Identity), and the
    /// instance's role.
    ///
    /// # Errors
    /// When nobody names a Region, or the endpoint is none.
    pub async fn connect(settings: &AwsSettings) -> Result<Self, ConnectError> {
        let said = settings.region.clone().map(Region::new);
        let imds = async {
            if settings.use_imds {
                ImdsRegionProvider::builder().build().region().await
            } else {
                None
            }
        };
        let region = region(said.or(configured_region(settings).await), imds).await;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(region.ok_or(ConnectError::NoRegion)?);
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        let shared = loader.load().await;
        let config = configured(Builder::from(&shared), settings)?;
        Ok(Self::new(Client::from_conf(config.build()), settings))
    }

    /// EC2 behind an HTTP client of the caller's, for tests: nothing comes from the environment.
    ///
    /// # Errors
    /// When `settings` name no Region, or the endpoint is none.
    pub fn over(
        http: impl HttpClient + 'static,
        credentials: impl ProvideCredentials + 'static,
        settings: &AwsSettings,
    ) -> Result<Self, ConnectError> {
        Self::given(Builder::new().http_client(http), credentials, settings)
    }

    /// EC2 over the network with the caller's credentials, for simulators: nothing comes from the environment.
    ///
    /// # Errors
    /// When `settings` name no Region, or the endpoint is none.
    pub fn with_credentials(
        credentials: impl ProvideCredentials + 'static,
        settings: &AwsSettings,
    ) -> Result<Self, ConnectError> {
        Self::given(Builder::new(), credentials, settings)
    }

    fn given(
        config: Builder,
        credentials: impl ProvideCredentials + 'static,
        settings: &AwsSettings,
    ) -> Result<Self, ConnectError> {
        let region = settings.region.clone().ok_or(ConnectError::NoRegion)?;
        let config = config
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(credentials);
        Ok(Self::new(Client::from_conf(configured(config, settings)?.build()), settings))
    }
}

/// What environment and profile say.
async fn configured_region(settings: &AwsSettings) -> Option<Region> {
    let mut profile = ProfileFileRegionProvider::builder();
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    let environment = EnvironmentVariableRegionProvider::new();
    RegionProviderChain::first_try(environment).or_else(profile.build()).region().await
}

/// The Region that was named; else the instance's, if it is known soon.
async fn region(
    named: Option<Region>,
    imds: impl Future<Output = Option<Region>>,
) -> Option<Region> {
    match named.filter(|region| !region.as_ref().is_empty()) {
        Some(region) => Some(region),
        None => tokio::time::timeout(IMDS_PATIENCE, imds).await.ok().flatten(),
    }
}

fn configured(config: Builder, settings: &AwsSettings) -> Result<Builder, ConnectError> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(settings.connect_timeout)
        .operation_attempt_timeout(settings.timeout)
        .build();
    let mut config = config
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    config.set_app_name(AppName::new("berth-operator").ok());
    match &settings.endpoint {
        Some(endpoint) => Ok(config.endpoint_url(url(endpoint)?)),
        None => Ok(config),
    }
}

/// A host gets `https://` in front, as Cilium's `ec2-api-endpoint` does.
fn url(endpoint: &str) -> Result<String, ConnectError> {
    let (scheme, place) = endpoint.split_once("://").unwrap_or(("https", endpoint));
    let known = ["http", "https"].contains(&scheme);
    let host = place.split('/').next().unwrap_or_default();
    if !known || host.is_empty() || place.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(ConnectError::Endpoint { endpoint: endpoint.to_owned() });
    }
    Ok(format!("{scheme}://{place}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(endpoint: &str, expected: &str) {
        let url = url(endpoint).unwrap_or_else(|error| error.to_string());
        assert_eq!(url, expected);
    }

    #[test]
    fn endpoints() {
        check("ec2.eu-west-1.amazonaws.com", "https://ec2.eu-west-1.amazonaws.com");
        check("127.0.0.1:8080", "https://127.0.0.1:8080");
        check("http://127.0.0.1:8080", "http://127.0.0.1:8080");
        check(
            "https://vpce-1.ec2.eu-west-1.vpce.amazonaws.com/",
            "https://vpce-1.ec2.eu-west-1.vpce.amazonaws.com/",
        );
        let none = |endpoint: &str| {
            format!(
                "the EC2 endpoint {endpoint:?} is no host or http(s) URL, such as ec2.eu-west-1.amazonaws.com"
            )
        };
        for endpoint in ["", "https://", "ftp://ec2", "two words"] {
            check(endpoint, &none(endpoint));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_metadata_service_is_asked_last_and_not_for_long() {
        let never = || std::future::pending::<Option<Region>>();
        let named = |name: &'static str| Some(Region::from_static(name));
        assert_eq!(region(named("eu-west-1"), never()).await, named("eu-west-1"));
        assert_eq!(region(None, async { named("us-east-1") }).await, named("us-east-1"));
        assert_eq!(region(named(""), async { named("us-east-1") }).await, named("us-east-1"));
        let before = tokio::time::Instant::now();
        assert_eq!(region(None, never()).await, None);
        assert_eq!(before.elapsed(), IMDS_PATIENCE);
    }

    #[test]
    fn a_missing_region_says_what_to_set() {
        let text = ConnectError::NoRegion.to_string();
        assert!(text.contains("set AWS_REGION"), "{text}");
    }
}
