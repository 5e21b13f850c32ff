//! Asks the agent, and makes problems of what is not an answer.

use std::time::Duration;

use crate::client::{ClientError, Response, post};
use crate::log::Log;
use crate::netconf::Settings;
use crate::protocol::{Problem, Request, code};

/// How long DEL, CHECK, GC and STATUS take at most.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long ADD takes at most beyond the time that it waits for a free address.
const BEYOND_WAIT: Duration = Duration::from_secs(5);
/// How long the agent waits for a free address when nothing is said.
const WAIT_DEFAULT: Duration = Duration::from_secs(10);

/// The agent of the node.
pub(super) struct Agent<'a> {
    pub(super) settings: &'a Settings,
    pub(super) log: Log,
}

/// Why a request is not done.
pub(super) enum NotDone {
    /// There was no answer.
    Unheard(ClientError),
    /// The answer says so.
    Refused(Problem),
}

impl From<NotDone> for Problem {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::Unheard(error) => error.problem(),
            NotDone::Refused(problem) => problem,
        }
    }
}

impl Agent<'_> {
    /// The body of the answer to a request.
    pub(super) fn ask(&self, request: &Request) -> Result<Vec<u8>, Problem> {
        let within = match request {
            Request::Add(_) => self.settings.wait.unwrap_or(WAIT_DEFAULT) + BEYOND_WAIT,
            _ => ANSWER_WITHIN,
        };
        self.exchange(request, within).map_err(|not_done| {
            let problem = Problem::from(not_done);
            match (request, problem.code) {
                // Worth trying again, whatever it is: that is what this code is for in STATUS.
                (Request::Status, code::TRY_AGAIN) => {
                    Problem { code: code::UNAVAILABLE, ..problem }
                }
                _ => problem,
            }
        })
    }

    pub(super) fn exchange(&self, request: &Request, within: Duration) -> Result<Vec<u8>, NotDone> {
        let path = request.path();
        let body = request.encode().map_err(NotDone::Refused)?;
        let answered = post(&self.settings.socket, path, &body, within);
        let Response { status, body } = answered.map_err(NotDone::Unheard)?;
        self.log.debug(format_args!("{path}: status {status}, {} bytes", body.len()));
        if status == 200 { Ok(body) } else { Err(NotDone::Refused(refused(status, &body))) }
    }
}

/// The agent's own words, or that it has none.
fn refused(status: u16, body: &[u8]) -> Problem {
    serde_json::from_slice(body).unwrap_or_else(|error| Problem {
        code: if status >= 500 { code::TRY_AGAIN } else { code::DECODE },
        msg: format!("the agent answered with status {status}"),
        details: error.to_string(),
    })
}
