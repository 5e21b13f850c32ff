//! The stage: what is built, joins, happens and ends.

#[cfg(test)]
mod bed;
#[cfg(test)]
mod happenings;
#[cfg(test)]
mod joining;
#[cfg(test)]
mod refusing;
