//! What puts clients in front of the machine: each takes what a client sends, hands it over, and answers when the machine says so.

#[cfg(feature = "server")]
mod connection;
#[cfg(feature = "server")]
mod control;
#[cfg(feature = "server")]
pub mod http;
#[cfg(feature = "server")]
pub mod imds;
#[cfg(feature = "sdk")]
pub mod sdk;
#[cfg(any(feature = "sdk", feature = "server"))]
pub mod shared;
#[cfg(any(feature = "sdk", feature = "server"))]
mod signature;
#[cfg(test)]
#[cfg(feature = "server")]
mod tests;
