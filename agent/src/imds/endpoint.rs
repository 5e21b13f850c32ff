//! Where the metadata service is.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, InvalidUri};

/// Where the metadata service is: `http://HOST[:PORT][/PATH]`.
///
/// ```
/// use berth_agent::imds::Endpoint;
///
/// let endpoint: Endpoint = "http://[fd00:ec2::254]/".parse()?;
/// assert_eq!(endpoint.to_string(), "http://[fd00:ec2::254]");
/// assert_eq!(Endpoint::default().to_string(), "http://169.254.169.254");
/// assert!("https://169.254.169.254".parse::<Endpoint>().is_err());
/// # Ok::<(), berth_agent::imds::InvalidEndpoint>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    authority: Authority,
    /// Without a slash at the end: empty where there is none.
    path: String,
}

/// Why a text is not a place where a metadata service can be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no metadata endpoint: expected `http://HOST[:PORT][/PATH]`")]
pub struct InvalidEndpoint {
    /// The text.
    pub text: String,
}

impl Endpoint {
    /// The address of what stands at `path`, such as `latest/api/token`.
    pub(super) fn at(&self, path: &str) -> Result<Uri, InvalidUri> {
        format!("{self}/{path}").parse()
    }
}

impl Default for Endpoint {
    /// The address that every instance has (EC2 user guide, "Access instance metadata").
    fn default() -> Self {
        Self { authority: Authority::from_static("169.254.169.254"), path: String::new() }
    }
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let invalid = || InvalidEndpoint { text: text.to_owned() };
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let authority = uri.authority().filter(|it| !it.host().is_empty()).ok_or_else(invalid)?;
        let plain = uri.scheme_str() == Some("http") && uri.query().is_none();
        let has_no_port = authority.host() == authority.as_str();
        if !plain
            || authority.as_str().contains('@')
            || !(has_no_port || authority.port_u16().is_some())
        {
            return Err(invalid());
        }
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { authority: authority.clone(), path })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "http://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = text.parse::<Endpoint>();
        let found = found.map_or_else(|error| error.to_string(), |found| found.to_string());
        let refused =
            format!("{text:?} is no metadata endpoint: expected `http://HOST[:PORT][/PATH]`");
        assert_eq!(found, if expected.is_empty() { refused } else { expected.to_owned() });
    }

    #[test]
    fn hosts_ports_and_paths() {
        check("http://169.254.169.254", "http://169.254.169.254");
        check("http://169.254.169.254/", "http://169.254.169.254");
        check("http://[fd00:ec2::254]", "http://[fd00:ec2::254]");
        check("http://127.0.0.1:8080/_imds/i-1//", "http://127.0.0.1:8080/_imds/i-1");
        check("http://localhost", "http://localhost");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "169.254.169.254",
            "https://169.254.169.254",
            "http://",
            "http:///latest",
            "http://me@169.254.169.254",
            "http://169.254.169.254/?a=b",
            "http://169.254.169.254:99999999",
        ] {
            check(text, "");
        }
    }
}
