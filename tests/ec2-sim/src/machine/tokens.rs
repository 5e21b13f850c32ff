//! Client tokens: a call that is sent again with the same token is answered again, and not carried out again.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::error::ApiError;
use crate::reply::Reply;
use crate::request::CreateNetworkInterface;
use crate::time::Moment;

/// The longest token that EC2 takes (EC2 API reference, ensuring idempotency).
const TOKEN_LENGTH_MAX: usize = 64;

/// Account and token: the same token in another account is another token.
type Key = (String, String);

/// What a token stands for.
#[derive(Debug)]
struct Use {
    request: CreateNetworkInterface,
    reply: Reply,
}

/// The client tokens that are remembered.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    uses: BTreeMap<Key, Use>,
    order: VecDeque<(Moment, Key)>,
}

impl Tokens {
    /// The reply that was given to the same call before.
    ///
    /// # Errors
    ///
    /// `IdempotentParameterMismatch` when the token was used with other parameters; `InvalidParameterValue` when it is too long.
    pub(crate) fn find(
        &self,
        account: &str,
        request: &CreateNetworkInterface,
    ) -> Result<Option<Reply>, ApiError> {
        let Some(token) = &request.client_token else { return Ok(None) };
        let length = token.chars().count();
        if TOKEN_LENGTH_MAX < length {
            return Err(ApiError::client_token_length(length));
        }
        match self.uses.get(&(account.to_owned(), token.clone())) {
            None => Ok(None),
            Some(earlier) if earlier.request == *request => Ok(Some(earlier.reply.clone())),
            Some(_) => Err(ApiError::idempotent_mismatch(token)),
        }
    }

    /// Remembers what a call that succeeded was answered.
    pub(crate) fn remember(
        &mut self,
        now: Moment,
        account: &str,
        request: &CreateNetworkInterface,
        reply: &Reply,
    ) {
        let Some(token) = request.client_token.clone() else { return };
        let key = (account.to_owned(), token);
        self.order.push_back((now, key.clone()));
        self.uses.insert(key, Use { request: request.clone(), reply: reply.clone() });
    }

    /// Forgets the tokens that are older than `age`.
    pub(crate) fn forget(&mut self, now: Moment, age: Duration) {
        while self.order.front().is_some_and(|(at, _)| age < now.since(*at)) {
            if let Some((_, key)) = self.order.pop_front() {
                self.uses.remove(&key);
            }
        }
    }
}
