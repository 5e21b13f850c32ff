//! One address handed out and taken back, with owner and cool-down.

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use ipam_core::ids::EniId;
use ipam_core::pool::{By, Claim, Family, Ledger, LedgerSettings, ListedCidr, Owner};
use ipam_core::time::Tick;
use ipnet::Ipv4Net;

const SIZES: [u32; 3] = [16, 240, 1600];

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pool");
    for size in SIZES {
        for (form, prefix_length) in [("prefixes", 28), ("single", 32)] {
            for (fill, in_use) in [("empty", 0), ("half full", size / 2), ("nearly full", size - 1)]
            {
                let id = BenchmarkId::new(format!("{size} {form}"), fill);
                group.bench_function(id, |bencher| {
                    let (mut ledger, mut now) =
                        (ledger(size, prefix_length, in_use), Tick::default());
                    let owner = owner(size);
                    bencher.iter(|| {
                        now = now + Duration::from_secs(1);
                        black_box(cycle(&mut ledger, &owner, now));
                    });
                });
            }
        }
    }
    group.finish();
}

fn cycle(ledger: &mut Ledger, owner: &Owner, now: Tick) -> Owner {
    let grant =
        ledger.allocate(Family::Ipv4, owner.clone(), Claim::NotNeeded, now).expect("an address");
    ledger.release(grant.address, By::Grant(grant.id), now).expect("the one just handed out")
}

/// A ledger of `size` addresses, of which `in_use` are handed out.
fn ledger(size: u32, prefix_length: u8, in_use: u32) -> Ledger {
    let per_cidr = 1 << (32 - prefix_length);
    let eni: EniId = "eni-0a1b2c3d4e5f60718".parse().expect("an id");
    let first = Ipv4Addr::new(10, 0, 16, 0).to_bits();
    let listed = (0..size / per_cidr).map(|number| {
        let address = Ipv4Addr::from_bits(first + number * per_cidr);
        let cidr = Ipv4Net::new_assert(address, prefix_length).into();
        ListedCidr { cidr, eni: eni.clone() }
    });
    let mut ledger = Ledger::new(LedgerSettings::default());
    ledger.sync(listed, Tick::default());
    for number in 0..in_use {
        let claim = Claim::NotNeeded;
        ledger.allocate(Family::Ipv4, owner(number), claim, Tick::default()).expect("an address");
    }
    ledger
}

fn owner(number: u32) -> Owner {
    format!("checkout/payments-7d9f8b6c5d-{number:05}").parse().expect("a pod")
}
