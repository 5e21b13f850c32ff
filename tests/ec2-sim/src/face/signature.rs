//! Who signed a request. A signature is read (Signature Version 4) and not verified: the simulator has no secrets.

use crate::error::ApiError;
use crate::request::Caller;

#[cfg(test)]
mod tests;

/// What is read of a request beside its form.
#[derive(Debug, Clone, Copy, Default)]
pub struct Head<'a> {
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `User-Agent`.
    pub user_agent: Option<&'a str>,
    /// The query string, in which a signature may stand as well.
    pub query: Option<&'a str>,
}

/// Who signed, by the scope of the signature: `KEY/DATE/REGION/ec2/aws4_request`. `here` is the Region that is asked.
///
/// # Errors
///
/// `AuthFailure` when nobody did, or for another service or Region.
pub(super) fn caller(head: Head<'_>, here: &str) -> Result<Caller, ApiError> {
    let scope = head.authorization.and_then(in_header).or_else(|| head.query.and_then(in_query));
    let scope = scope.ok_or_else(ApiError::auth_failure)?;
    let [access_key, _date, region, service, "aws4_request"] =
        scope.split('/').collect::<Vec<_>>()[..]
    else {
        return Err(ApiError::auth_failure());
    };
    if access_key.is_empty() {
        return Err(ApiError::auth_failure());
    }
    if service != "ec2" {
        return Err(ApiError::other_service());
    }
    if region != here {
        return Err(ApiError::other_region());
    }
    Ok(Caller {
        access_key: access_key.to_owned(),
        region: region.to_owned(),
        user_agent: head.user_agent.unwrap_or_default().to_owned(),
    })
}

/// Who could not be read. Calls are counted and journaled without one, too.
pub(super) fn nobody(head: Head<'_>) -> Caller {
    let user_agent = head.user_agent.unwrap_or_default().to_owned();
    Caller { access_key: String::new(), region: String::new(), user_agent }
}

/// `AWS4-HMAC-SHA256 Credential=SCOPE, SignedHeaders=…, Signature=…`.
fn in_header(authorization: &str) -> Option<String> {
    let parameters = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let mut parameters = parameters.split(',').map(str::trim);
    parameters.find_map(|parameter| parameter.strip_prefix("Credential=")).map(str::to_owned)
}

/// `X-Amz-Credential=SCOPE`.
fn in_query(query: &str) -> Option<String> {
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    parameters.find(|(name, _)| name == "X-Amz-Credential").map(|(_, scope)| scope.into_owned())
}
