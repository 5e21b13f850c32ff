//! The server on loopback: the EC2 Query API at `/`, the metadata service of each instance at `/_imds/INSTANCE/`, and the control API at
//! `/_sim`.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, DefaultBodyLimit, RawQuery, State};
use axum::http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::serve::IncomingStream;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::connection::{Cuttable, Scissors};
use super::shared::{Called, Head, Shared, content_type};
use super::{control, imds};

/// How long a request's body may be. The longest call that the SDKs make, 1,000 ids and their names, has about 60 kB.
const BODY_MAX: usize = 1 << 20;

/// How long [`Server::stop`] waits for answers that are on their way.
pub const GRACE: Duration = Duration::from_secs(2);

/// A running server. It ends when this is dropped, or in good order with [`Server::stop`].
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Serves `shared` at `addr`; port 0 lets the kernel pick one.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn start(addr: SocketAddr, shared: Shared) -> io::Result<Self> {
        Self::serve::<Scissors>(addr, router(shared)).await
    }

    /// Serves `router` at `addr`. Its handlers are told `Known` of their connection.
    pub(super) async fn serve<Known>(addr: SocketAddr, router: Router) -> io::Result<Self>
    where
        Known: Clone + Send + Sync + 'static + for<'a> Connected<IncomingStream<'a, Cuttable>>,
    {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let (stop, mut stopped) = watch::channel(false);
        let service = router.into_make_service_with_connect_info::<Known>();
        let serving = axum::serve(Cuttable(listener), service);
        let task = tokio::spawn(async move {
            let ended = async move {
                // An error says that the sender is gone, which is a reason to end, too.
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            serving.with_graceful_shutdown(ended).await
        });
        Ok(Self { addr, stop, task })
    }

    /// Accepts nothing more, and returns when all that was asked is answered and the connections are closed, or after [`GRACE`]: an answer
    /// that is never to come is not waited for.
    ///
    /// # Errors
    ///
    /// When the server had failed before.
    pub async fn stop(mut self) -> io::Result<()> {
        self.stop.send_replace(true);
        if let Ok(ended) = tokio::time::timeout(GRACE, &mut self.task).await {
            return ended.map_err(io::Error::other)?;
        }
        self.task.abort();
        Ok(())
    }
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/", get(query).post(form))
        .nest("/_sim", control::router())
        .route("/_imds/{instance}/{*path}", any(imds::of_path))
        .fallback(nowhere)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(imds::Services::new(shared))
}

async fn nowhere() -> (StatusCode, &'static str) {
    (
        StatusCode::NOT_FOUND,
        "The EC2 Query API is at /, the control API at /_sim, metadata at /_imds/INSTANCE/latest/.\n",
    )
}

/// A call whose parameters stand in the query string.
async fn query(
    State(services): State<imds::Services>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let form = query.clone().unwrap_or_default();
    answer(services.shared(), &scissors, &headers, query.as_deref(), &form).await
}

/// A call whose parameters stand in the body.
async fn form(
    State(services): State<imds::Services>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Ok(form) = std::str::from_utf8(&body) else {
        return (StatusCode::BAD_REQUEST, "The body is no text in UTF-8.\n").into_response();
    };
    answer(services.shared(), &scissors, &headers, query.as_deref(), form).await
}

async fn answer(
    shared: &Shared,
    scissors: &Scissors,
    headers: &HeaderMap,
    query: Option<&str>,
    form: &str,
) -> Response {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let head = Head { authorization: header(AUTHORIZATION), user_agent: header(USER_AGENT), query };
    match shared.call(head, form).await {
        Called::Answered(response) => {
            let status = StatusCode::from_u16(response.status);
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let kind = content_type(&response.body);
            (status, [(CONTENT_TYPE, kind)], response.body).into_response()
        }
        Called::Cut => {
            scissors.cut();
            // What is returned here is what the connection breaks at.
            [(CONNECTION, "close")].into_response()
        }
    }
}
