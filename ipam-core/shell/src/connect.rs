//! The way to the API server.

use std::path::PathBuf;
use std::time::Duration;

use http::header::USER_AGENT;
use http::{HeaderValue, Uri};
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

/// Flags about the way to the API server, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Kubernetes")]
pub struct ConnectArguments {
    /// Address of the API server, instead of the one of the kubeconfig or of the service account
    #[arg(long, env = "BERTH_K8S_API_SERVER", value_name = "URL")]
    k8s_api_server: Option<String>,
    /// Kubeconfig to connect with; without it the file that `KUBECONFIG` names, then the service account of the pod
    #[arg(long, env = "BERTH_KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

/// Where the API server is, and who asks. Without anything, what every pod is given counts: `KUBERNETES_SERVICE_HOST`,
/// `KUBERNETES_SERVICE_PORT` and the token of its service account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectSettings {
    /// `--kubeconfig`: a file that says both.
    pub kubeconfig: Option<PathBuf>,
    /// The context in that file, if not its current one.
    pub context: Option<String>,
    /// `--k8s-api-server`: another address, like `https://10.0.0.1:6443`.
    pub api_server: Option<String>,
    /// `k8sServiceHost`: another host, where the address of the service does not work, as without kube-proxy.
    pub service_host: Option<String>,
    /// `k8sServicePort`: its port, 443 unless said otherwise.
    pub service_port: Option<u16>,
}

impl ConnectArguments {
    /// What is left empty is not given.
    #[must_use]
    pub fn check(self) -> ConnectSettings {
        let Self { k8s_api_server, kubeconfig } = self;
        ConnectSettings {
            kubeconfig: kubeconfig.filter(|path| !path.as_os_str().is_empty()),
            api_server: k8s_api_server.filter(|server| !server.is_empty()),
            ..ConnectSettings::default()
        }
    }
}

impl ConnectSettings {
    /// With what the environment says of it: `KUBECONFIG` where no file is given, and `k8sServiceHost` and
    /// `k8sServicePort`, in which Cilium's chart hands an address through where there is no kube-proxy yet.
    ///
    /// # Errors
    /// The port is no number.
    pub fn with_environment(self) -> Result<Self, ConnectError> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let port = variable("k8sServicePort")
            .map(|text| text.parse().map_err(|_| ConnectError::Port { text }));
        Ok(Self {
            kubeconfig: self.kubeconfig.or_else(|| variable("KUBECONFIG").map(PathBuf::from)),
            service_host: variable("k8sServiceHost"),
            service_port: port.transpose()?,
            ..self
        })
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is said twice.
    #[error(
        "--k8s-api-server {api_server:?} and k8sServiceHost {service_host:?} contradict each other: give one of them"
    )]
    TwoAddresses {
        /// The one.
        api_server: String,
        /// The other.
        service_host: String,
    },
    /// A port that cannot be read.
    #[error("k8sServicePort {text:?}: expected the number of a port")]
    Port {
        /// What was given.
        text: String,
    },
    /// A port without a host.
    #[error("k8sServicePort {port} without k8sServiceHost: give both, or --k8s-api-server")]
    PortAlone {
        /// The port.
        port: u16,
    },
    /// The address cannot be read.
    #[error("{text:?} is no address of an API server: expected one like https://10.0.0.1:6443")]
    Address {
        /// What was given.
        text: String,
    },
    /// The kubeconfig cannot be used.
    #[error("the kubeconfig {} cannot be used", path.display())]
    Kubeconfig {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: Box<KubeconfigError>,
    },
    /// There is no service account.
    #[error("no pod of a cluster, it seems: outside of one, give --kubeconfig")]
    NotInCluster(#[source] Box<InClusterError>),
    /// The client could not be made.
    #[error(
        "the client for {address} could not be made: look at the certificates and the credentials that it was given"
    )]
    Client {
        /// The API server.
        address: Uri,
        /// Why.
        source: Box<kube::Error>,
    },
}

/// How long nothing may come over a connection that waits for something: longer than a watch lasts on which nothing happens
/// (290 s, Kubernetes client libraries). Connections that the network forgot end then.
const SILENCE: Duration = Duration::from_mins(5);

/// A client that calls itself `user_agent`, such as `berth-operator/0.1.0`. It was not tried: an API server that is away
/// comes back.
///
/// It repeats nothing by itself, so that no request outlives what it was for, such as a lease.
///
/// # Errors
/// When the settings contradict each other or cannot be used.
pub async fn connect(
    settings: &ConnectSettings,
    user_agent: HeaderValue,
) -> Result<Client, ConnectError> {
    let mut config = config(settings, address(settings)?).await?;
    config.connect_timeout = Some(Duration::from_secs(10));
    config.write_timeout = Some(Duration::from_secs(30));
    config.read_timeout = Some(SILENCE);
    config.reset_reader_on_write = true;
    config.default_retry = false;
    config.headers.push((USER_AGENT, user_agent));
    let address = config.cluster_url.clone();
    Client::try_from(config)
        .map_err(|source| ConnectError::Client { address, source: Box::new(source) })
}

/// The address that the settings name, if they name one.
fn address(settings: &ConnectSettings) -> Result<Option<Uri>, ConnectError> {
    let host = settings.service_host.as_ref().filter(|host| !host.is_empty());
    let text = match (&settings.api_server, host, settings.service_port) {
        (Some(api_server), Some(service_host), _) => {
            return Err(ConnectError::TwoAddresses {
                api_server: api_server.clone(),
                service_host: service_host.clone(),
            });
        }
        (None, None, Some(port)) => return Err(ConnectError::PortAlone { port }),
        (None, None, None) => return Ok(None),
        (Some(api_server), None, _) => api_server.clone(),
        (None, Some(host), port) => {
            let port = port.unwrap_or(443);
            if host.contains(':') {
                format!("https://[{host}]:{port}")
            } else {
                format!("https://{host}:{port}")
            }
        }
    };
    let uri = text.parse::<Uri>().ok();
    let uri = uri
        .filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
    uri.map(Some).ok_or(ConnectError::Address { text })
}

async fn config(settings: &ConnectSettings, address: Option<Uri>) -> Result<Config, ConnectError> {
    if let Some(path) = &settings.kubeconfig {
        let failed =
            |source| ConnectError::Kubeconfig { path: path.clone(), source: Box::new(source) };
        let file = Kubeconfig::read_from(path).map_err(failed)?;
        let options =
            KubeConfigOptions { context: settings.context.clone(), ..KubeConfigOptions::default() };
        let mut config = Config::from_custom_kubeconfig(file, &options).await.map_err(failed)?;
        config.cluster_url = address.unwrap_or(config.cluster_url);
        return Ok(config);
    }
    let Some(address) = address else {
        return Config::incluster_env()
            .map_err(|error| ConnectError::NotInCluster(Box::new(error)));
    };
    // The credentials of a pod, if it is one: an API server that wants none, such as a simulated one, gets none.
    let mut config = Config::incluster_dns().unwrap_or_else(|_| Config::new(address.clone()));
    config.cluster_url = address;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: HeaderValue = HeaderValue::from_static("berth-test/1");

    /// One door: the three settings, `-` for absent, and the address or the error.
    fn check(text: &str, expected: &str) {
        let mut words = text.split_whitespace().map(|word| (word != "-").then(|| word.to_owned()));
        let mut word = || words.next().flatten();
        let (api_server, service_host) = (word(), word());
        let service_port = word().map(|port| port.parse().expect("a port"));
        let settings = ConnectSettings {
            api_server,
            service_host,
            service_port,
            ..ConnectSettings::default()
        };
        let found = match address(&settings) {
            Ok(None) => "default".to_owned(),
            Ok(Some(address)) => address.to_string(),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn addresses() {
        check("- - -", "default");
        check("https://10.0.0.1:6443 - -", "https://10.0.0.1:6443/");
        check("http://127.0.0.1:8001 - -", "http://127.0.0.1:8001/");
        check("- api.example.com -", "https://api.example.com:443/");
        check("- api.example.com 6443", "https://api.example.com:6443/");
        check("- fd00::1 6443", "https://[fd00::1]:6443/");
    }

    #[test]
    fn errors_name_what_contradicts() {
        check(
            "https://a b -",
            "error: --k8s-api-server \"https://a\" and k8sServiceHost \"b\" contradict each other: give one of them",
        );
        check(
            "- - 443",
            "error: k8sServicePort 443 without k8sServiceHost: give both, or --k8s-api-server",
        );
        for text in ["10.0.0.1:6443", "ftp://a", "https://"] {
            let expected = format!(
                "error: {text:?} is no address of an API server: expected one like https://10.0.0.1:6443"
            );
            check(&format!("{text} - -"), &expected);
        }
    }

    #[tokio::test]
    async fn a_kubeconfig_that_is_not_there_is_named() {
        let settings =
            ConnectSettings { kubeconfig: Some("not-there".into()), ..ConnectSettings::default() };
        let error = connect(&settings, AGENT).await.map(|_| ()).expect_err("no file");
        assert_eq!(error.to_string(), "the kubeconfig not-there cannot be used");
    }

    /// Time passes by itself while nothing happens.
    #[tokio::test(start_paused = true)]
    async fn an_api_server_that_says_nothing_is_not_waited_for_without_end() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let api_server = Some(format!("http://{address}"));
        let settings = ConnectSettings { api_server, ..ConnectSettings::default() };
        let client = connect(&settings, AGENT).await.expect("a client");
        let request = http::Request::get("/version").body(vec![]).expect("a request");
        let (accepted, answer) = tokio::join!(listener.accept(), async {
            let patience = Duration::from_mins(10);
            tokio::time::timeout(patience, client.request_text(request)).await
        });
        drop(accepted.expect("a connection"));
        assert!(answer.expect("an end within ten minutes").is_err(), "an answer");
    }
}
