//! EC2 with other words in its answers: members that are new, states that nobody knows, and less than was asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use ec2_sim::face::sdk::InProcess;

/// The body of an answer to the action of that name, as the caller shall read it.
pub(crate) type Edit = fn(action: &str, body: String) -> String;

/// An HTTP client whose answers are edited.
#[derive(Debug, Clone)]
pub(super) struct Edited {
    inner: InProcess,
    edit: Edit,
    on: Arc<AtomicBool>,
}

impl Edited {
    pub(super) fn new(inner: InProcess, edit: Edit, on: Arc<AtomicBool>) -> Self {
        Self { inner, edit, on }
    }
}

impl HttpClient for Edited {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, edit: self.edit, on: Arc::clone(&self.on) })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    edit: Edit,
    on: Arc<AtomicBool>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (edit, on) = (self.edit, Arc::clone(&self.on));
        let form = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let mut answer = answer.await?;
            if !on.load(Ordering::Relaxed) {
                return Ok(answer);
            }
            let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
            let action = pairs.into_iter().find(|(name, _)| *name == "Action");
            let body = answer.body().bytes().unwrap_or_default();
            let body = String::from_utf8_lossy(body).into_owned();
            let edited = edit(action.map_or("", |(_, action)| action), body);
            *answer.body_mut() = SdkBody::from(edited);
            Ok(answer)
        })
    }
}
