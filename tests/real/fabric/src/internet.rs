//! A host on the internet that tells whoever connects which address that is.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::vpc::INTERNET;

/// How long a request is waited for: one who speaks no HTTP, and says nothing, is answered, too.
const PATIENCE: Duration = Duration::from_millis(500);

/// Answers each connection to [`INTERNET`], port 80, for as long as it is awaited: HTTP, whose body is the caller's address and the end
/// of the line.
///
/// # Errors
///
/// When that address cannot be listened on.
pub async fn answer() -> io::Result<()> {
    let listener = TcpListener::bind((INTERNET, 80)).await?;
    loop {
        match listener.accept().await {
            Ok((stream, caller)) => drop(tokio::spawn(tell(stream, caller))),
            // Of this one connection, or too many at once: both pass.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// A caller who is gone is not told.
async fn tell(mut stream: TcpStream, caller: SocketAddr) -> io::Result<()> {
    // Closing a connection with something unread in it resets it.
    let _ = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 4096])).await;
    stream.write_all(response(caller.ip()).as_bytes()).await?;
    stream.shutdown().await
}

fn response(caller: IpAddr) -> String {
    let body = format!("{caller}\n");
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}
