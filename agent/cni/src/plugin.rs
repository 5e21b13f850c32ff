//! The verbs: environment, configuration, exchange with the agent, result.

mod agent;
mod del;

use std::path::Path;

use serde::Serialize;

use crate::invocation::Invocation;
use crate::log::Log;
use crate::netconf::{self, BYTES_MAX, NetConf};
use crate::protocol::{
    AddReply, AddRequest, Attachment, CheckRequest, GcRequest, Pod, Problem, Request, Sandbox, code,
};
use crate::result::result;
use crate::version::CniVersion;
use agent::Agent;

/// Where Linux shows network interfaces.
const INTERFACES: &str = "/sys/class/net";

/// What the plugin leaves behind: a text for stdout, and whether it is a result or an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// JSON, or nothing.
    pub stdout: String,
    /// Whether the exit status is 0.
    pub is_success: bool,
}

/// What VERSION prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    cni_version: &'static str,
    supported_versions: [&'static str; CniVersion::ALL.len()],
}

/// A problem as the CNI specification has it (section "Error").
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    cni_version: &'static str,
    #[serde(flatten)]
    problem: &'a Problem,
}

/// Does what environment and stdin say. `stdin` has at most one byte more than [`BYTES_MAX`].
#[must_use]
pub fn run(get: impl Fn(&str) -> Option<String>, stdin: &[u8]) -> Outcome {
    let version = netconf::version_of(stdin).unwrap_or(CniVersion::NEWEST);
    match answer(get, stdin, version) {
        Ok(stdout) => Outcome { stdout, is_success: true },
        Err(problem) => {
            let failure = Failure { cni_version: version.name(), problem: &problem };
            let stdout = serde_json::to_string(&failure).unwrap_or_default();
            Outcome { stdout, is_success: false }
        }
    }
}

fn answer(
    get: impl Fn(&str) -> Option<String>,
    stdin: &[u8],
    version: CniVersion,
) -> Result<String, Problem> {
    let invocation = Invocation::read(get).map_err(|error| error.problem())?;
    if invocation == Invocation::Version {
        return versions(version);
    }
    debug_assert!(stdin.len() <= BYTES_MAX + 1, "the caller reads no more");
    let conf = netconf::parse(stdin).map_err(|error| error.problem())?;
    let call = Call::new(&invocation, &conf);
    let answered = call.carry_out(invocation);
    match &answered {
        Ok(_) => call.agent.log.info("done"),
        Err(Problem { code, msg, details }) => {
            call.agent.log.error(format_args!("code {code}: {msg}: {details}"));
        }
    }
    answered
}

fn versions(version: CniVersion) -> Result<String, Problem> {
    encode(&Versions {
        cni_version: version.name(),
        supported_versions: CniVersion::ALL.map(CniVersion::name),
    })
}

fn encode(value: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(|error| Problem::of(code::DECODE, &error))
}

/// A verb with its configuration.
struct Call<'a> {
    conf: &'a NetConf,
    agent: Agent<'a>,
}

impl<'a> Call<'a> {
    fn new(invocation: &Invocation, conf: &'a NetConf) -> Self {
        let log = Log::new(&conf.settings, subject(invocation, &conf.name));
        Self { conf, agent: Agent { settings: &conf.settings, log } }
    }

    fn carry_out(&self, invocation: Invocation) -> Result<String, Problem> {
        match invocation {
            Invocation::Add { sandbox, pod } => return self.add(self.attachment(sandbox), pod),
            Invocation::Del { sandbox } => self.agent.del(self.attachment(sandbox))?,
            Invocation::Check { sandbox } => self.check(self.attachment(sandbox))?,
            Invocation::Gc => self.gc()?,
            Invocation::Status => self.status()?,
            Invocation::Version => return versions(self.conf.version),
        }
        Ok(String::new())
    }

    fn attachment(&self, sandbox: Sandbox) -> Attachment {
        let Sandbox { container_id, interface } = sandbox;
        Attachment { network: self.conf.name.clone(), container_id, interface }
    }

    fn add(&self, attachment: Attachment, pod: Pod) -> Result<String, Problem> {
        let wait = self.conf.settings.wait;
        let wait_ms = wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        let request = AddRequest { attachment: attachment.clone(), pod, wait_ms };
        let body = self.agent.ask(&Request::Add(request))?;
        let given = AddReply::decode(&body).map_err(|error| Problem::of(code::DECODE, &error));
        let result = given.and_then(|reply| {
            let made = result(self.conf, &reply, |mac| name_of(Path::new(INTERFACES), mac));
            made.map_err(|error| error.problem())
        });
        result.and_then(|result| encode(&result)).inspect_err(|_| {
            // The caller has no result and may never say DEL. When this fails too, the runtime's own DEL or GC follows.
            let _ = self.agent.del(attachment);
        })
    }

    fn check(&self, attachment: Attachment) -> Result<(), Problem> {
        self.since(CniVersion::V0_4_0, "CHECK")?;
        let addresses = self.conf.previous_addresses().map_err(|error| error.problem())?;
        self.agent.ask(&Request::Check(CheckRequest { attachment, addresses })).map(drop)
    }

    fn gc(&self) -> Result<(), Problem> {
        self.since(CniVersion::V1_1_0, "GC")?;
        let valid = self.conf.valid_attachments().map_err(|error| error.problem())?;
        let network = self.conf.name.clone();
        self.agent.ask(&Request::Gc(GcRequest { network, valid })).map(drop)
    }

    fn status(&self) -> Result<(), Problem> {
        self.since(CniVersion::V1_1_0, "STATUS")?;
        self.agent.ask(&Request::Status).map(drop)
    }

    fn since(&self, first: CniVersion, verb: &str) -> Result<(), Problem> {
        if first <= self.conf.version {
            return Ok(());
        }
        Err(Problem {
            code: code::INCOMPATIBLE_VERSION,
            msg: format!("{verb} needs cniVersion {first} or newer, not {}", self.conf.version),
            details: String::new(),
        })
    }
}

fn subject(invocation: &Invocation, network: &str) -> String {
    match invocation {
        Invocation::Add { sandbox, pod } => {
            let Pod { namespace, name, uid: _ } = pod;
            format!(
                "ADD {network}/{}/{} {namespace}/{name}",
                sandbox.container_id, sandbox.interface
            )
        }
        Invocation::Del { sandbox } => {
            format!("DEL {network}/{}/{}", sandbox.container_id, sandbox.interface)
        }
        Invocation::Check { sandbox } => {
            format!("CHECK {network}/{}/{}", sandbox.container_id, sandbox.interface)
        }
        Invocation::Gc => format!("GC {network}"),
        Invocation::Status => format!("STATUS {network}"),
        Invocation::Version => "VERSION".to_owned(),
    }
}

/// The name of the interface with a MAC, in a folder like `/sys/class/net`.
fn name_of(folder: &Path, mac: &str) -> Option<String> {
    let mut entries = std::fs::read_dir(folder).ok()?.flatten();
    let found = entries.find(|entry| {
        let address = std::fs::read_to_string(entry.path().join("address"));
        address.is_ok_and(|address| address.trim().eq_ignore_ascii_case(mac))
    })?;
    found.file_name().into_string().ok()
}
