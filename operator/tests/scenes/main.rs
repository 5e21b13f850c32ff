//! The real operator in a whole cluster in one process: over a simulated EC2 and a simulated Kubernetes API, with agents of
//! both generations, and on a clock that stands still whenever nobody works.

#[cfg(test)]
mod adoption;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod contracts;
#[cfg(test)]
mod definition;
#[cfg(test)]
mod interfaces;
#[cfg(test)]
mod leaders;
#[cfg(test)]
mod modes;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod placement;
#[cfg(test)]
mod release;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod rivals;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod setups;
#[cfg(test)]
mod storm;
#[cfg(test)]
mod sweep;
#[cfg(test)]
mod telling;
