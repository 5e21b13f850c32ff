//! Answers over HTTP, as a table: bytes in, status and body out.

use berth_cni::client::{Response, parse_response};
use berth_cni::protocol::BODY_MAX;

#[track_caller]
fn check(bytes: &str, expected: &str) {
    let said = match parse_response(bytes.as_bytes()) {
        Ok(Some(Response { status, body })) => {
            format!("{status} {}", String::from_utf8(body).unwrap())
        }
        Ok(None) => "more".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(said, expected);
}

/// An answer with these fields in its head, and `{}` as body.
#[track_caller]
fn check_head(fields: &str, expected: &str) {
    check(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{{}}"), expected);
}

#[test]
fn an_answer_is_whole_or_not_yet() {
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\ndate: today\r\n\r\n{}";
    for end in 0..whole.len() {
        check(&whole[..end], "more");
    }
    check(whole, "200 {}");
    check("HTTP/1.1 503 \r\ncontent-length: 0\r\n\r\n", "503 ");
    check("HTTP/1.1 503\r\ncontent-length: 0\r\n\r\n", "503 ");
}

#[test]
fn a_length_is_needed_exactly_once() {
    check_head("content-length: 2", "200 {}");
    for wrong in [
        "x: y",
        "content-length:",
        "content-length: two",
        "content-length: -2",
        "content-length: +2",
        "content-length: 2, 2",
        "content-length: 2\r\ncontent-length: 2",
        "transfer-encoding: chunked",
        "content-length: 2\r\ntransfer-encoding: chunked",
    ] {
        check_head(wrong, "no single Content-Length");
    }
}

#[test]
fn an_answer_is_bounded() {
    check_head("content-length: 1", "1 bytes after the body");
    check_head("content-length: 1048577", "a body of 1048577 bytes, at most 1048576");
    let beyond_counting = format!("content-length: {}", "9".repeat(40));
    check_head(&beyond_counting, &format!("a body of {} bytes, at most {BODY_MAX}", usize::MAX));
    let head = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(17 << 10));
    check(&head, "a head of more than 16384 bytes");
    check(&format!("{head}\r\ncontent-length: 0\r\n\r\n"), "a head of more than 16384 bytes");
    let fields = "x: y\r\n".repeat(40);
    check(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"), "not HTTP/1.1: too many headers");
}

#[test]
fn what_is_not_http_is_refused_at_once() {
    check("rubbish", "not HTTP/1.1: invalid HTTP version");
    check("\0", "not HTTP/1.1: invalid HTTP version");
    check("HTTP/1.1 2x0 OK\r\n", "not HTTP/1.1: invalid response status");
    check("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "not HTTP/1.1: invalid header name");
}
