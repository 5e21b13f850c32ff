//! Writes the report of a run that never was: `cargo run -p playground --example report -- SHAPE FILE`.

use std::path::PathBuf;

use anyhow::Context as _;
use playground::report;

mod made_up;

use made_up::Shape;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let expected =
        "expected SHAPE FILE, SHAPE being minute, broken, hour, crowd, moment or nothing";
    let name = arguments.next().context(expected)?;
    let file: PathBuf = arguments.next().context(expected)?.into();
    let shape = named(&name).context(expected)?;
    let (plan, record, summary) = made_up::run(shape);
    report::write(&file, &plan, &record, &summary)?;
    Ok(())
}

fn named(name: &str) -> Option<Shape> {
    let shape = |moments, nodes, waits| Shape { moments, nodes, waits, is_broken: false };
    Some(match name {
        "minute" => shape(60, 5, 300),
        "broken" => Shape { is_broken: true, ..shape(60, 12, 300) },
        "hour" => shape(3_600, 50, 72_000),
        "crowd" => shape(300, 200, 20_000),
        "moment" => shape(1, 3, 1),
        "nothing" => shape(0, 0, 0),
        _ => return None,
    })
}
