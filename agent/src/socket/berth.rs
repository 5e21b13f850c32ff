//! One request on Berth's socket, from its head to its answer.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::TRANSFER_ENCODING;
use axum::response::Response;
use berth_cni::protocol::BODY_MAX;
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::desk::Desk;
use super::rejection::{Rejection, json};
use super::{ASKED_WITHIN, reply, request};
use crate::status::Report;

/// Answers it. What the head alone shows to be wrong is refused before the body is read.
pub(super) async fn answer(
    desk: &impl Desk,
    within: Duration,
    request: Request,
) -> Result<Response, Rejection> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    request::check_head(head.method.as_str(), path, head.uri.query())?;
    if head.headers.contains_key(TRANSFER_ENCODING) {
        return Err(Rejection::no_length());
    }
    let body = read(body).await?;
    let body = match request::read(path, &body)? {
        request::Request::Report => reply::write(&Report::from(&*desk.status()))?,
        request::Request::Call(call) => {
            let answered = timeout(within, desk.call(call)).await;
            reply::encode(path, answered.map_err(|_| Rejection::no_answer())?)?
        }
    };
    Ok(json(StatusCode::OK, body))
}

/// The body: its length is known, and no more is taken. A small one has come with its head and is not copied.
async fn read(body: Body) -> Result<Bytes, Rejection> {
    if body.size_hint().lower() > BODY_MAX as u64 {
        return Err(Rejection::too_large(BODY_MAX));
    }
    let collected = timeout(ASKED_WITHIN, body.collect()).await;
    let collected = collected.map_err(|_| Rejection::too_slow())?;
    let cut_off = |_| Rejection::invalid("the body ends before its length");
    Ok(collected.map_err(cut_off)?.to_bytes())
}
