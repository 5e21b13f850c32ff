//! Everything in Berth that decides.
//!
//! What the crate knows: how many addresses a node needs ([`demand`], [`capacity`]), where they come
//! from ([`subnet`], [`security_group`], [`prefix`]), and the steps that bring them ([`mod@plan`]);
//! how an agent hands them out and gives them back ([`pool`], [`promise`], [`agent`]); and what must never
//! happen ([`audit`]).
//!
//! What it does not know: I/O, clocks, async, randomness, serialisation. Time and observations are
//! arguments, decisions are results. Same input, same output.

#![no_std]

extern crate alloc;

pub mod action;
pub mod addresses;
pub mod agent;
pub mod audit;
pub mod budget;
pub mod call;
pub mod capacity;
pub mod clean_up;
pub mod demand;
pub mod failure;
pub mod ids;
pub mod managed;
pub mod plan;
#[cfg(feature = "planted")]
pub mod planted;
pub mod policy;
pub mod pool;
pub mod prefix;
pub mod promise;
pub mod reason;
pub mod reconcile;
pub mod release;
pub mod security_group;
pub mod subnet;
pub mod time;
pub mod view;
