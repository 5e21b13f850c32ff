//! Tests of everything in the core but the ledger.

#[cfg(test)]
mod arithmetic;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod edges;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod ids;
#[cfg(test)]
mod planning;
#[cfg(test)]
mod prefixes;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod selection;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod world;
