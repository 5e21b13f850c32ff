//! An HTTP client that answers what it is told to.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use berth_operator::aws::{Aws, static_credentials};
use berth_operator::cloud::Cloud;

use crate::bed::{Told, call, compare, settings};
use crate::show;
use crate::words;

/// Status and body of each answer, the last of them for ever; and what was asked.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    answers: Arc<Mutex<Vec<(u16, String)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Answers these, one after the other.
    pub(crate) fn new(answers: &[(u16, &str)]) -> Self {
        let reversed = answers.iter().rev().map(|(status, body)| (*status, (*body).to_owned()));
        Self { answers: Arc::new(Mutex::new(reversed.collect())), asked: Arc::default() }
    }

    /// The form of each request.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }

    /// An `Aws` in front of it.
    pub(crate) fn aws(&self) -> Aws {
        let settings = settings(&Told::default());
        let aws = Aws::over(self.clone(), static_credentials("AKIATEST"), &settings);
        aws.expect("settings that fit")
    }
}

impl HttpClient for Scripted {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Scripted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let form = request.body().bytes().unwrap_or_default();
        let form = String::from_utf8(form.to_vec()).expect("a form");
        self.asked.lock().expect("no panic").push(form);
        let mut answers = self.answers.lock().expect("no panic");
        let last = answers.last().cloned().expect("an answer");
        let (status, body) = if answers.len() > 1 { answers.pop() } else { None }.unwrap_or(last);
        let status = StatusCode::try_from(status).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

/// Makes one call to a script of one answer, and compares what came back.
#[track_caller]
pub(crate) fn check(line: &str, status: u16, body: &str, expected: &str) {
    let answer = runtime().block_on(async {
        let aws = Scripted::new(&[(status, body)]).aws();
        show::answer(&aws.call(call(words::request(line))).await)
    });
    let lines: Vec<_> = answer.lines().map(str::to_owned).collect();
    compare(&lines, expected, line);
}

/// A runtime with time paused.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().expect("a runtime")
}
