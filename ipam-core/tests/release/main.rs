//! The operator's side of giving addresses back, alone.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod table;
