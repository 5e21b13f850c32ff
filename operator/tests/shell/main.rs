//! The operator as a whole: in process on a paused clock, and as a process of its own.

#[cfg(test)]
mod bed;
#[cfg(test)]
mod binary;
#[cfg(test)]
mod gc;
#[cfg(test)]
mod in_process;
