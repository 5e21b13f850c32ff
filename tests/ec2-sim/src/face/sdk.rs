//! The HTTP client for `aws-sdk-ec2` that needs no network: the SDK's serialisation, signing, retries and time-outs run as ever, and what
//! it would send goes to the machine. Given to the SDK's configuration as its `http_client`.

use std::io;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use super::shared::{Called, Head, Shared, content_type};

/// The machine as an HTTP client of the AWS SDK.
#[derive(Debug, Clone)]
pub struct InProcess {
    shared: Shared,
}

impl InProcess {
    /// Every client made with it talks to the machine of `shared`.
    #[must_use]
    pub const fn new(shared: Shared) -> Self {
        Self { shared }
    }
}

impl HttpClient for InProcess {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let (shared, read_timeout) = (self.shared.clone(), settings.read_timeout());
        SharedHttpConnector::new(Connector { shared, read_timeout })
    }
}

#[derive(Debug)]
struct Connector {
    shared: Shared,
    read_timeout: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (shared, read_timeout) = (self.shared.clone(), self.read_timeout);
        HttpConnectorFuture::new(async move {
            let Some(limit) = read_timeout else { return send(&shared, &request).await };
            let answer = tokio::time::timeout(limit, send(&shared, &request)).await;
            answer.unwrap_or_else(|elapsed| Err(ConnectorError::timeout(elapsed.into())))
        })
    }
}

async fn send(shared: &Shared, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let headers = request.headers();
    let head = Head {
        authorization: headers.get("authorization"),
        user_agent: headers.get("user-agent"),
        query: request.uri().split_once('?').map(|(_, query)| query),
    };
    let body = request.body().bytes().unwrap_or_default();
    let form = std::str::from_utf8(body).map_err(|error| ConnectorError::user(error.into()))?;
    let Called::Answered(response) = shared.call(head, form).await else {
        let cut = io::Error::new(io::ErrorKind::ConnectionReset, "the connection was cut");
        return Err(ConnectorError::io(cut.into()));
    };
    let status = StatusCode::try_from(response.status);
    let status = status.map_err(|error| ConnectorError::other(error.into(), None))?;
    let content_type = content_type(&response.body);
    let mut answer = HttpResponse::new(status, SdkBody::from(response.body));
    answer.headers_mut().insert("content-type", content_type);
    Ok(answer)
}
