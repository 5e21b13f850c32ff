use super::*;

#[track_caller]
fn check(name: &str, expected: &str) {
    let found = find(name).map_or("unknown".to_owned(), |kind| {
        let cards: Vec<_> = kind.network_cards.iter().map(|(_, count)| count.to_string()).collect();
        let prefixes = if kind.takes_prefixes() { "prefixes" } else { "no prefixes" };
        let (total, slots) = (kind.maximum_network_interfaces, kind.ipv4_per_interface);
        format!("{total} on {} of {slots}, {prefixes}", cards.join("+"))
    });
    assert_eq!(found, expected);
}

#[test]
fn types_have_their_cards_and_slots() {
    check("c5.large", "3 on 3 of 10, prefixes");
    check("t2.micro", "2 on 2 of 2, no prefixes");
    check("m5.metal", "15 on 15 of 50, prefixes");
    check("c6in.32xlarge", "16 on 8+8 of 50, prefixes");
    check("z9.nano", "unknown");
}

#[test]
fn the_snapshot_is_read_whole_and_in_order() {
    assert!(all().len() > 1_300, "{} types", all().len());
    assert!(all().is_sorted_by(|left, right| left.name < right.name));
    let summed = |kind: &&InstanceType| {
        let sum: u32 = kind.network_cards.iter().map(|(_, interfaces)| interfaces).sum();
        sum == kind.maximum_network_interfaces
    };
    let differing: Vec<_> =
        all().iter().filter(|kind| !summed(kind)).map(|kind| &kind.name).collect();
    assert_eq!(differing, Vec::<&String>::new());
}

#[test]
fn a_card_that_is_not_there_takes_nothing() {
    let kind = find("c6in.32xlarge").unwrap();
    let cards = [0, 1, 2].map(|card| kind.interfaces_on_card(card));
    assert_eq!(cards, [Some(8), Some(8), None]);
}
