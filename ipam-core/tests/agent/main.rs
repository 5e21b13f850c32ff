//! The agent's machine.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod churn;
#[cfg(test)]
mod cidrs;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod door;
#[cfg(test)]
mod handshake;
#[cfg(test)]
mod host;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod model;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod promise;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod publishing;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod text;
#[cfg(test)]
mod waiting;
