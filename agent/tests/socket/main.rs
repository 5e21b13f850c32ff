//! The sockets of the agent, over real connections.

#[cfg(test)]
mod asking;
#[cfg(test)]
mod attack;
#[cfg(test)]
mod berth;
#[cfg(test)]
mod cilium;
#[cfg(test)]
mod decode;
#[cfg(test)]
mod files;
#[cfg(test)]
mod keeper;
#[cfg(test)]
mod script;
#[cfg(test)]
mod served;
