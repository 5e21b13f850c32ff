//! A small Kubernetes API in memory, in process and over HTTP.
//!
//! **What this crate knows:** how an API server stores objects, tells of their changes and refuses what clients get
//! wrong, for a handful of built-in resources and whatever a `CustomResourceDefinition` registers. **What it does not
//! know:** controllers (but for the garbage collector and the end of namespaces), schedulers, kubelets, and Berth.
//!
//! Start at [`sim::KubeSim`], which gives out clients. Beneath it, [`store::Store`] and [`api::answer`] are functions of
//! their arguments: the time is one of them. Only [`sim`], [`service`], [`body`] and [`server`] know tokio.

pub mod api;
pub mod body;
mod builtin;
mod control;
pub mod counters;
mod crd;
pub mod fault;
pub mod history;
pub mod json_path;
mod metadata;
pub mod patch;
pub mod resource;
pub mod schema;
pub mod selector;
pub mod server;
pub mod service;
pub mod sim;
pub mod status;
pub mod store;
pub mod stored;
mod table;
pub mod watchers;

pub use fault::{Effect, Rule, RuleId, When};
pub use server::Server;
pub use sim::{KubeSim, Settings};

mod discovery;
mod openapi;
