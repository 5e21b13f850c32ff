//! The thread that owns the machine, and the ledger on disk.

#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod full;
#[cfg(test)]
mod node;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod thread;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod torn;
