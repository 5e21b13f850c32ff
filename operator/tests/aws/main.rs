//! `Aws`: what it asks of EC2, and what it makes of the answers. EC2 is the simulated one, in process with time paused and over HTTP, or a
//! script of answers that the simulated one never gives.

#[cfg(test)]
mod bed;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod gc;
#[cfg(test)]
mod odd;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod show;
#[cfg(test)]
mod words;
