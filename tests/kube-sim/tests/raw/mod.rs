//! Requests that no client library would send.

use http::{Method, Request};
use http_body_util::BodyExt;
use kube::client::Body;
use kube_sim::KubeSim;
use tower::ServiceExt;

use crate::cluster::NAME;

/// Sends bytes in process; answers the code and the text.
pub(crate) async fn send(
    sim: &KubeSim,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> (u16, String) {
    let request = Request::builder().method(method).uri(path).body(Body::from(body)).unwrap();
    let response = sim.service(NAME).oneshot(request).await.unwrap();
    let code = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (code, String::from_utf8(bytes.to_vec()).unwrap())
}
