//! Looking up what an instance type can hold.

use std::hint::black_box;

use criterion::Criterion;
use limits::table::TABLE;
use limits::{Catalog, Overrides};

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("limits");
    group.bench_function("find every type in turn", |bencher| {
        // A step that shares no factor with the length visits all, and no two neighbours in a row.
        let mut at = 0;
        bencher.iter(|| {
            at = (at + 611) % TABLE.len();
            limits::find(black_box(TABLE[at].0))
        });
    });
    group.bench_function("find unknown", |bencher| {
        bencher.iter(|| limits::find(black_box("m5.enormous")));
    });
    let overrides = Overrides::from_arguments(["m5.large=3,10,10"]).expect("a valid override");
    let catalog = Catalog::new(overrides);
    group.bench_function("look up in a catalog with an override", |bencher| {
        let mut at = 0;
        bencher.iter(|| {
            at = (at + 611) % TABLE.len();
            catalog.lookup(black_box(TABLE[at].0))
        });
    });
    group.finish();
}
