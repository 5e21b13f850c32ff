use std::collections::BTreeSet;

use super::*;

/// Runs a script against one space; the first line makes it, and each further line says what happened.
fn run(script: &str) -> String {
    let mut lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut space = subnet(lines.next().unwrap());
    let mut rng = Rng::with_seed(1);
    let outcomes: Vec<_> = lines.map(|line| step(&mut space, &mut rng, line)).collect();
    outcomes.join("; ")
}

fn subnet(line: &str) -> Space {
    let (cidr, policy) = line.split_once(' ').unwrap();
    let mut assumptions = Assumptions::default();
    assumptions.set("pick-policy", policy).unwrap();
    Space::new(cidr.parse().unwrap(), Rules::from(&assumptions))
}

fn step(space: &mut Space, rng: &mut Rng, line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["singles", count] => shown(space.take_singles(count.parse().unwrap(), rng)),
        ["prefixes", count] => shown(space.take_prefixes(count.parse().unwrap(), rng)),
        ["take", address] => done(space.take(address.parse().unwrap())),
        ["take-prefix", prefix] => done(space.take_prefix(prefix.parse().unwrap())),
        ["give", address] => space.give_back(address.parse().unwrap()).to_string(),
        ["give-prefix", prefix] => space.give_back_prefix(prefix.parse().unwrap()).to_string(),
        ["reserve", cidr, "prefix"] => {
            done(space.reserve(cidr.parse().unwrap(), ReservationKind::Prefix))
        }
        ["reserve", cidr, "explicit"] => {
            done(space.reserve(cidr.parse().unwrap(), ReservationKind::Explicit))
        }
        ["free"] => {
            let (singles, blocks) = (space.free_singles(), space.free_blocks());
            format!("{singles}/{blocks}/{}", space.available())
        }
        ["taken"] => shown(Ok(space.iter_taken().collect())),
        other => panic!("{other:?} is no step"),
    }
}

fn shown<Item: ToString>(result: Result<Vec<Item>, Short>) -> String {
    match result {
        Ok(items) => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Err(short) => short.to_string(),
    }
}

fn done(result: Result<(), Refusal>) -> String {
    result.map_or_else(|refusal| refusal.to_string(), |()| "ok".to_owned())
}

#[track_caller]
fn check(script: &str, expected: &str) {
    assert_eq!(run(script), expected);
}

#[test]
fn five_addresses_are_ec2s() {
    check(
        "10.0.0.0/28 lowest-first
        free
        singles 11
        singles 1
        prefixes 1
        taken",
        "11/0/11; 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8 10.0.0.9 10.0.0.10 10.0.0.11 10.0.0.12 10.0.0.13 10.0.0.14; \
         0 single addresses and 0 blocks are free; 0 single addresses and 0 blocks are free; \
         10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8 10.0.0.9 10.0.0.10 10.0.0.11 10.0.0.12 10.0.0.13 10.0.0.14",
    );
    check("10.0.0.0/27 lowest-first\nfree", "27/0/27");
    check("10.0.0.0/24 lowest-first\nfree", "251/14/251");
    check("10.0.0.0/16 lowest-first\nfree", "65531/4094/65531");
}

#[test]
fn one_address_breaks_a_block_and_free_addresses_say_nothing_of_blocks() {
    check(
        "10.0.0.0/26 lowest-first
        take 10.0.0.17
        take 10.0.0.47
        free
        prefixes 1
        give 10.0.0.47
        prefixes 1
        free",
        "ok; ok; 57/0/57; 57 single addresses and 0 blocks are free; true; 10.0.0.32/28; 42/0/42",
    );
}

#[test]
fn nothing_is_taken_when_there_is_too_little() {
    check(
        "10.0.0.0/26 lowest-first
        prefixes 3
        singles 60
        free",
        "59 single addresses and 2 blocks are free; 59 single addresses and 2 blocks are free; 59/2/59",
    );
}

#[test]
fn named_addresses_are_refused_with_the_reason() {
    check(
        "10.0.0.0/24 next-fit
        take 10.0.1.4
        take 10.0.0.3
        take 10.0.0.255
        take 10.0.0.4
        take 10.0.0.4
        take-prefix 10.0.0.0/28
        take-prefix 10.0.0.240/28
        take-prefix 10.0.0.24/28
        take-prefix 10.0.0.16/29
        take-prefix 10.1.0.0/28
        take-prefix 10.0.0.16/28
        take 10.0.0.20
        take-prefix 10.0.0.16/28
        give 10.0.0.5
        give-prefix 10.0.0.32/28",
        "outside of the subnet; reserved by EC2; reserved by EC2; ok; taken; reserved by EC2; reserved by EC2; \
         no aligned /28; no aligned /28; outside of the subnet; ok; taken; taken; false; false",
    );
}

#[test]
fn next_fit_goes_on_and_comes_around() {
    check(
        "10.0.0.0/28 next-fit
        singles 9
        give 10.0.0.4
        singles 2
        singles 1",
        "10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8 10.0.0.9 10.0.0.10 10.0.0.11 10.0.0.12; true; \
         10.0.0.13 10.0.0.14; 10.0.0.4",
    );
}

#[test]
fn reservations_are_for_prefixes_and_named_addresses() {
    check(
        "10.0.0.0/24 lowest-first
        reserve 10.0.0.128/27 prefix
        reserve 10.0.0.64/28 explicit
        reserve 10.0.0.64/29 prefix
        reserve 10.0.1.0/28 prefix
        free
        prefixes 3
        take 10.0.0.64
        take 10.0.0.160
        free
        prefixes 8
        prefixes 7
        singles 73
        singles 72",
        "ok; ok; overlaps a reservation; outside of the subnet; 203/13/203; 10.0.0.128/28 10.0.0.144/28 10.0.0.16/28; ok; \
         ok; 186/9/186; 10.0.0.32/28 10.0.0.48/28 10.0.0.80/28 10.0.0.96/28 10.0.0.112/28 10.0.0.176/28 10.0.0.192/28 \
         10.0.0.208/28; 58 single addresses and 1 blocks are free; 58 single addresses and 1 blocks are free; \
         58 single addresses and 1 blocks are free",
    );
}

#[test]
fn reservations_may_leave_the_available_count_alone() {
    let rules = Rules { pick: PickPolicy::Random, reservations_lower_available: false };
    let mut space = Space::new("10.0.0.0/24".parse().unwrap(), rules);
    space.reserve("10.0.0.128/25".parse().unwrap(), ReservationKind::Prefix).unwrap();
    assert_eq!((space.available(), space.free_singles()), (251, 124));
}

/// What a space is, said without bits.
struct Model {
    all: BTreeSet<u32>,
    ec2s: BTreeSet<u32>,
    taken: BTreeSet<u32>,
    reserved: Vec<(Ipv4Net, ReservationKind)>,
}

impl Model {
    fn new(cidr: Ipv4Net) -> Self {
        let (first, last) = (u32::from(cidr.network()), u32::from(cidr.broadcast()));
        let ec2s = (first..first + 4).chain([last]).collect();
        Self { all: (first..=last).collect(), ec2s, taken: BTreeSet::new(), reserved: vec![] }
    }

    fn is_free(&self, number: u32) -> bool {
        self.all.contains(&number) && !self.ec2s.contains(&number) && !self.taken.contains(&number)
    }

    fn reservation(&self, number: u32) -> Option<ReservationKind> {
        let address = Ipv4Addr::from(number);
        self.reserved.iter().find(|(cidr, _)| cidr.contains(&address)).map(|(_, kind)| *kind)
    }

    fn singles(&self) -> usize {
        let open = |number: &&u32| self.is_free(**number) && self.reservation(**number).is_none();
        self.all.iter().filter(open).count()
    }

    fn is_block(&self, first: u32) -> bool {
        let numbers = || first..first + 16;
        let kinds: Vec<_> = numbers().map(|number| self.reservation(number)).collect();
        let one_kind = kinds.iter().all(Option::is_none)
            || kinds.iter().all(|kind| *kind == Some(ReservationKind::Prefix));
        numbers().all(|number| self.is_free(number)) && one_kind
    }

    fn blocks(&self) -> Vec<u32> {
        let aligned = self.all.iter().copied().filter(|number| number.is_multiple_of(16));
        aligned.filter(|first| self.is_block(*first)).collect()
    }

    fn pick_singles(&mut self, picked: &[Ipv4Addr]) {
        for address in picked {
            let number = u32::from(*address);
            assert!(self.is_free(number) && self.reservation(number).is_none(), "{address}");
            self.taken.insert(number);
        }
    }

    fn pick_blocks(&mut self, picked: &[Ipv4Net]) {
        for block in picked {
            let first = u32::from(block.network());
            let reserved = |block: &u32| self.reservation(*block).is_some();
            let blocks = self.blocks();
            assert!(blocks.contains(&first), "{block}");
            assert!(reserved(&first) || !blocks.iter().any(reserved), "{block} is no reserved one");
            self.taken.extend(first..first + 16);
        }
    }
}

fn agree(space: &Space, model: &Model) {
    assert_eq!(space.free_singles() as usize, model.singles());
    assert_eq!(space.free_blocks() as usize, model.blocks().len());
    let taken: BTreeSet<u32> = space.iter_taken().map(u32::from).collect();
    assert_eq!(taken, model.taken);
}

fn random_step(space: &mut Space, model: &mut Model, rng: &mut Rng) {
    let first = u32::from(space.cidr().network());
    let address = Ipv4Addr::from(first + rng.u32(0..saturated(model.all.len())));
    let number = u32::from(address);
    let block = Ipv4Net::new(address, 28).unwrap().trunc();
    let start = u32::from(block.network());
    match rng.u8(0..7) {
        0 => {
            let count = rng.usize(0..9);
            let picked = space.take_singles(count, rng);
            assert_eq!(picked.is_ok(), count <= model.singles());
            model.pick_singles(&picked.unwrap_or_default());
        }
        1 => {
            let count = rng.usize(0..3);
            let picked = space.take_prefixes(count, rng);
            assert_eq!(picked.is_ok(), count <= model.blocks().len());
            model.pick_blocks(&picked.unwrap_or_default());
        }
        2 => {
            let free = model.is_free(number);
            assert_eq!(space.take(address).is_ok(), free, "{address}");
            model.taken.extend(free.then_some(number));
        }
        3 => {
            let free = (start..start + 16).all(|number| model.is_free(number));
            assert_eq!(space.take_prefix(block).is_ok(), free, "{block}");
            model.taken.extend((start..start + 16).filter(|_| free));
        }
        4 | 5 => assert_eq!(space.give_back(address), model.taken.remove(&number), "{address}"),
        _ => {
            let whole = (start..start + 16).all(|number| model.taken.contains(&number));
            assert_eq!(space.give_back_prefix(block), whole, "{block}");
            model.taken.retain(|number| !whole || !(start..start + 16).contains(number));
        }
    }
}

fn random_walk(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let cidr = Ipv4Net::new(Ipv4Addr::new(10, 0, 0, 0), rng.u8(23..=28)).unwrap();
    let pick =
        *rng.choice(&[PickPolicy::Random, PickPolicy::NextFit, PickPolicy::LowestFirst]).unwrap();
    let mut space = Space::new(cidr, Rules { pick, reservations_lower_available: true });
    let mut model = Model::new(cidr);
    for step in 0..120 {
        if step % 40 == 20 {
            let length = rng.u8(cidr.prefix_len()..=30);
            let offset = rng.u32(0..saturated(model.all.len()));
            let inside = Ipv4Addr::from(u32::from(cidr.network()) + offset);
            let part = Ipv4Net::new(inside, length).unwrap().trunc();
            let kind = if rng.bool() { ReservationKind::Prefix } else { ReservationKind::Explicit };
            let apart = |(other, _): &(Ipv4Net, _)| !other.contains(&part) && !part.contains(other);
            let fits = model.reserved.iter().all(apart);
            assert_eq!(space.reserve(part, kind).is_ok(), fits);
            model.reserved.extend(fits.then_some((part, kind)));
        }
        random_step(&mut space, &mut model, &mut rng);
        agree(&space, &model);
    }
}

#[test]
fn a_space_is_what_plain_sets_say() {
    for seed in 0..150 {
        let walk = std::panic::catch_unwind(|| random_walk(seed));
        assert!(walk.is_ok(), "seed {seed}");
    }
}

#[test]
fn a_full_subnet_is_given_back_to_the_last_address() {
    let rules = Rules { pick: PickPolicy::Random, reservations_lower_available: true };
    let mut space = Space::new("10.0.0.0/16".parse().unwrap(), rules);
    let mut rng = Rng::with_seed(7);
    let all = space.take_singles(65_531, &mut rng).unwrap();
    let distinct: BTreeSet<_> = all.iter().collect();
    assert_eq!((distinct.len(), space.free_singles(), space.available()), (65_531, 0, 0));
    assert!(all.iter().all(|address| space.give_back(*address)));
    assert_eq!((space.free_singles(), space.free_blocks()), (65_531, 4_094));
}

#[test]
fn several_reservations_are_all_used() {
    let rules = Rules { pick: PickPolicy::Random, reservations_lower_available: true };
    let mut space = Space::new("10.0.0.0/20".parse().unwrap(), rules);
    let parts: Vec<Ipv4Net> =
        ["10.0.2.0/24", "10.0.4.0/24"].map(|cidr| cidr.parse().unwrap()).to_vec();
    for part in &parts {
        space.reserve(*part, ReservationKind::Prefix).unwrap();
    }
    let blocks = space.take_prefixes(10, &mut Rng::with_seed(3)).unwrap();
    let used = |part: &&Ipv4Net| blocks.iter().any(|block| part.contains(block));
    assert_eq!(parts.iter().filter(used).count(), 2);
    assert!(blocks.iter().all(|block| parts.iter().any(|part| part.contains(block))));
}
