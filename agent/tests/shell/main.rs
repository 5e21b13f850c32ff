//! The whole agent, in this process and as one of its own, over simulated metadata and a simulated API server.

#[cfg(test)]
mod bed;
#[cfg(test)]
mod binary;
#[cfg(test)]
mod contracts;
#[cfg(test)]
mod in_process;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod recorded;
