//! The agent's ledger.

#[cfg(test)]
mod allocation;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod large;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod model;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod script;
