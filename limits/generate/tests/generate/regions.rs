//! What several regions say together.

use super::{chain, nitro};
use limits_generate::{
    described::{Described, InstanceType},
    regions::{Regions, RegionsError},
};
use std::collections::BTreeMap;

/// Adds regions, each written `region: name name`, and renders all names, or the error. A name that
/// ends in `+` has one network interface more than others.
fn check(regions: &[&str], at_least: usize, expected: &str) {
    let shown = together(regions, at_least).unwrap_or_else(chain);
    assert_eq!(shown, expected);
}

fn together(script: &[&str], at_least: usize) -> Result<String, RegionsError> {
    let mut regions = Regions::default();
    for line in script {
        let (region, names) = line.split_once(": ").unwrap_or((line, ""));
        regions.add(region, names.split(' ').filter_map(described).collect::<BTreeMap<_, _>>())?;
    }
    let types = regions.finish(at_least)?;
    Ok(types.into_iter().map(|described| described.name).collect::<Vec<_>>().join(" "))
}

fn described(name: &str) -> Option<(String, InstanceType)> {
    let cards = if name.ends_with('+') { "[[0,4]]" } else { "[[0,3]]" };
    let name = name.trim_end_matches('+');
    let described: Described = serde_json::from_str(&nitro(name, cards)).ok()?;
    Some((name.to_owned(), described.checked().ok()?))
}

#[test]
fn a_type_may_be_offered_in_several_regions() {
    check(&["north: b.large c.large", "south: a.large b.large"], 3, "a.large b.large c.large");
}

#[test]
fn regions_that_disagree_are_refused() {
    check(
        &["north: a.large", "east: b.large", "south: a.large b.large+"],
        1,
        "south describes b.large otherwise than east",
    );
}

#[test]
fn too_few_types_are_refused() {
    check(
        &["north: a.large", "south: a.large"],
        2,
        "1 instance types, expected at least 2: name more regions, or say --at-least",
    );
}
