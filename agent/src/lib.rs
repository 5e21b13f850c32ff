//! Berth's agent: the shell around [`ipam_core::agent`].

mod backoff;
pub mod clock;
pub mod cni_conf;

pub mod host_net;
pub mod http;
pub mod imds;
pub mod journal;
pub mod keeper;
pub mod kubernetes;
pub mod metrics;
pub mod settings;
pub mod shell;
pub mod socket;
pub mod status;
