//! The Kubernetes side of the operator over a simulated API server, in process, with time paused.

#[cfg(test)]
mod adoption;
#[cfg(test)]
mod bed;
#[cfg(test)]
mod definition;
#[cfg(test)]
mod election;
#[cfg(test)]
mod events;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod pods;
#[cfg(test)]
mod publishing;
#[cfg(test)]
mod telling;
