//! The real operator in this process: started, killed, away, and back.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use berth_operator::aws::{Aws, AwsSettings, static_credentials};
use berth_operator::board::Board;
use berth_operator::http::router;
use berth_operator::settings::{ServeSettings, Settings};
use berth_operator::shell::{self, RunError};
use berth_shell::connect::connect;
use berth_shell::http::{BindError, Bounds, bind, serve};
use berth_shell::signals::Stop;
use http::HeaderValue;
use jiff::Timestamp;
use kube::Client;
use tokio::net::TcpListener;

use super::part::{Part, Slot, Troubles};
use super::{NAMESPACE, StageError, flags, world};

/// How the operator calls itself to the API server.
const USER_AGENT: HeaderValue = HeaderValue::from_static("berth-operator/playground");

/// Where the operator finds what it works with.
#[derive(Debug)]
pub(super) struct Surroundings {
    /// The flags of the plan.
    pub(super) flags: Vec<String>,
    /// Whether a group of nodes takes prefixes.
    pub(super) prefixes: bool,
    /// Where EC2 is.
    pub(super) ec2: String,
    /// The Region.
    pub(super) region: String,
    /// Its way to the API server.
    pub(super) kubeconfig: PathBuf,
    /// The URL of that.
    pub(super) api_server: String,
}

/// The operator, whether it runs or not.
#[derive(Debug)]
pub(super) struct Operator {
    surroundings: Surroundings,
    troubles: Troubles,
    shown: Mutex<Shown>,
    slot: Slot,
}

#[derive(Debug)]
struct Shown {
    /// Of the operator that runs now, if one does.
    board: Option<Arc<Board>>,
    /// Where it is served over HTTP, once that is known. It is the same for all that follow, if it stays free.
    address: Option<SocketAddr>,
    /// How many were started.
    started: u32,
}

/// Everything that one operator runs with.
struct Ready {
    settings: Settings,
    aws: Aws,
    client: Client,
    board: Arc<Board>,
}

impl Operator {
    pub(super) fn new(surroundings: Surroundings, troubles: Troubles) -> Self {
        let shown = Shown { board: None, address: None, started: 0 };
        Self { surroundings, troubles, shown: Mutex::new(shown), slot: Slot::default() }
    }

    /// What the operator shows that runs now, if one does.
    pub(super) fn board(&self) -> Option<Arc<Board>> {
        self.shown().board.clone()
    }

    /// Where `/nodes`, `/metrics`, `/healthz` and `/readyz` are.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.shown().address
    }

    /// Starts it.
    pub(super) async fn start(&self) -> Result<(), StageError> {
        self.slot.start(self.run()).await
    }

    /// Kills it, and keeps it away.
    pub(super) async fn keep_away(&self) {
        self.slot.keep_away(|| self.shown().board = None).await;
    }

    /// Starts it again, unless somebody else keeps it away.
    pub(super) async fn back(&self) -> Result<(), StageError> {
        self.slot.back(self.run()).await
    }

    /// Ends it for good. Answers whether it ended in good order.
    pub(super) async fn end(&self, within: Duration) -> bool {
        self.slot.end(within).await
    }

    async fn run(&self) -> Result<Part, StageError> {
        let ready = self.ready().await?;
        let listener = self.listen(&ready.settings).await?;
        let address = listener.local_addr().map_err(StageError::Listen)?;
        let mut shown = self.shown();
        shown.board = Some(Arc::clone(&ready.board));
        shown.address = Some(address);
        drop(shown);
        let stop = Stop::unasked();
        let router = router(Arc::clone(&ready.board), ready.settings.serve.metrics);
        let served = serve(listener, router, Bounds::default(), std::future::pending());
        let work = operate(ready, stop.clone());
        let both = async move {
            tokio::select! {
                ended = work => ended,
                () = served => Ok(()),
            }
        };
        Ok(Part::start("the operator".to_owned(), stop, self.troubles.clone(), both))
    }

    /// Where the operator before it was, unless somebody else has that port by now.
    async fn listen(&self, settings: &Settings) -> Result<TcpListener, BindError> {
        if let Some(address) = self.address()
            && let Ok(listener) = TcpListener::bind(address).await
        {
            return Ok(listener);
        }
        bind(&settings.serve.address, ServeSettings::FLAG).await
    }

    async fn ready(&self) -> Result<Ready, StageError> {
        let settings = self.settings()?;
        let board = Board::new();
        let aws = AwsSettings {
            endpoint: settings.ec2.endpoint.clone(),
            region: settings.ec2.region.clone(),
            max_results: settings.ec2.max_results,
            use_imds: settings.ec2.use_imds,
            observer: board.observer(),
            ..AwsSettings::new(Timestamp::now())
        };
        let aws = Aws::with_credentials(static_credentials(world::OPERATOR_KEY), &aws)?;
        let client = connect(&settings.kubernetes.connect, USER_AGENT).await?;
        Ok(Ready { settings, aws, client, board })
    }

    /// The settings of the next operator. Each has another identity, as each pod has another name.
    fn settings(&self) -> Result<Settings, StageError> {
        let number = {
            let mut shown = self.shown();
            shown.started += 1;
            shown.started
        };
        let Surroundings { flags: given, prefixes, ec2, region, kubeconfig, api_server } =
            &self.surroundings;
        let own = vec![
            format!("--identity=playground-operator-{}-{number}", std::process::id()),
            format!("--ec2-api-endpoint={ec2}"),
            format!("--region={region}"),
            "--use-imds=false".to_owned(),
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--k8s-namespace={NAMESPACE}"),
            format!("--aws-enable-prefix-delegation={prefixes}"),
            "--operator-prometheus-serve-addr=127.0.0.1:0".to_owned(),
            "--cluster-name=playground".to_owned(),
        ];
        let all = flags::joined(own, given, api_server);
        Ok(Settings::from_arguments(all.iter().map(String::as_str))?)
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn operate(ready: Ready, stop: Stop) -> Result<(), RunError> {
    let Ready { settings, aws, client, board } = ready;
    shell::run(settings, aws, client, board, stop.asked()).await
}
