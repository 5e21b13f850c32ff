//! The table of the README names every field.

use crate::scenario::Scenario;

/// A scenario for each part of the format, in which a field is misspelt: the error lists those that there are.
const PARTS: &[&str] = &[
    "{x: 1}",
    "{network: {x: 1}}",
    "{network: {subnets: [{x: 1}]}}",
    "{network: {subnets: [{left: {x: 1}}]}}",
    "{nodes: [{x: 1}]}",
    "{nodes: [{foreign: [{x: 1}]}]}",
    "{pods: {x: 1}}",
    "{timeline: [{x: 1}]}",
    "{timeline: [{burst: {x: 1}}]}",
    "{timeline: [{drain: {x: 1}}]}",
    "{timeline: [{ec2_outage: {x: 1}}]}",
    "{timeline: [{agents_away: {x: 1}}]}",
    "{timeline: [{subnet_taken: {x: 1}}]}",
    "{timeline: [{buckets: {x: 1}}]}",
    "{ec2: {x: 1}}",
    "{ec2: {buckets: {x: 1}}}",
    "{expect: {x: 1}}",
];

#[test]
fn the_readme_names_every_field() {
    let readme = include_str!("../../../README.md");
    let section = readme.split_once("## Scenarios").unwrap().1;
    for part in PARTS {
        let error = Scenario::parse("scenario.yaml", part).unwrap_err().to_string();
        let (_, known) = error.split_once(", expected ").expect(part);
        let known = known.split("; did you mean").next().unwrap().trim_start_matches("one of ");
        for field in known.split([',', ' ', '`']).filter(|word| !["", "or"].contains(word)) {
            let named = [format!("`{field}`"), format!("`{field}[]`")];
            assert!(named.iter().any(|it| section.contains(it)), "`{field}` of {part} is missing");
        }
    }
}
