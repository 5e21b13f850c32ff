//! The ruleset as `nft` takes and lists it. What the kernel makes of it: `tests/real`.

use ipnet::IpNet;
use nftables::schema::{NfObject, Nftables};

use super::ruleset::{objects, understood};
use super::{Nft, NftError};
use crate::host_net::words::{Masquerade, Numbers};

/// As `nft` 1.0.6 lists it.
const LISTED: &str = include_str!("tests/listed.json");

const MARK: u32 = 0x100;

fn masquerade(text: &str) -> Masquerade {
    let (from, except) = text.split_once("except").unwrap_or((text, ""));
    let cidrs = |text: &str| -> Vec<IpNet> {
        text.split_whitespace().map(|cidr| cidr.parse().unwrap()).collect()
    };
    Masquerade::new(&cidrs(from), &cidrs(except))
}

/// Replaces a piece of the listing and compares what is read with `expected`; nothing if it is damaged.
#[track_caller]
fn check(piece: &str, replacement: &str, expected: &str) {
    assert!(LISTED.contains(piece), "{piece} is not there");
    let listed = serde_json::from_str(&LISTED.replacen(piece, replacement, 1)).unwrap();
    assert_eq!(understood(&listed, MARK), masquerade(expected), "{piece} -> {replacement}");
}

#[test]
fn what_is_listed_is_understood() {
    const THERE: &str = "10.0.1.5/32 10.0.1.16/28 fd00:1::/80 except 10.0.0.0/16 fd00:1::/56";
    check("", "", THERE);
    check(r#""10.0.1.5", "#, "", "10.0.1.16/28 fd00:1::/80 except 10.0.0.0/16 fd00:1::/56");
    check(
        r#""10.0.1.5""#,
        r#"{"range": ["10.0.1.5", "10.0.1.7"]}"#,
        "10.0.1.5/32 10.0.1.6/31 10.0.1.16/28 fd00:1::/80 except 10.0.0.0/16 fd00:1::/56",
    );
}

#[test]
fn what_is_not_as_berth_makes_it_masquerades_nothing() {
    for (piece, replacement) in [
        ("256", "512"),
        ("original", "reply"),
        ("@pods4", "@vpc4"),
        (r#""prio": -90"#, r#""prio": -150"#),
        (r#""policy": "accept""#, r#""policy": "drop""#),
        (r#""10.0.1.5""#, r#""localhost""#),
        (r#""10.0.1.5""#, "7"),
        (r#""name": "pods6""#, r#""name": "pods7""#),
        (r#"{"masquerade": null}"#, r#"{"accept": null}"#),
    ] {
        check(piece, replacement, "");
    }
    let listed: Nftables<'static> = serde_json::from_str(LISTED).unwrap();
    for at in 2..listed.objects.len() {
        let mut objects = listed.objects.to_vec();
        let lost = objects.remove(at);
        let less = understood(&Nftables { objects: objects.clone().into() }, MARK);
        assert_eq!(less, Masquerade::default(), "without {lost:?}");
        objects.extend([lost.clone(), lost.clone()]);
        let more = understood(&Nftables { objects: objects.into() }, MARK);
        assert_eq!(more, Masquerade::default(), "with another {lost:?}");
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    for text in [
        "",
        "10.0.1.5/32 except 10.0.0.0/16",
        "10.0.1.5/32 10.0.1.0/28 10.0.1.16/28 fd00::7/128 except 10.0.0.0/16 100.64.0.0/10 fd00::/56",
    ] {
        let wanted = masquerade(text);
        let written = objects(&wanted, MARK).into_iter().map(NfObject::ListObject).collect();
        let text = serde_json::to_string(&Nftables { objects: written }).unwrap();
        assert_eq!(understood(&serde_json::from_str(&text).unwrap(), MARK), wanted, "{text}");
    }
}

#[tokio::test]
async fn a_missing_program_is_said_to_be_missing() {
    let nft = Nft::at("/nonexistent/nft");
    let numbers = Numbers::default();
    for error in
        [nft.read(&numbers).await.unwrap_err(), nft.write(&numbers, None).await.unwrap_err()]
    {
        assert!(matches!(error, NftError::Missing { .. }), "{error}");
        assert_eq!(
            error.to_string(),
            "masquerading needs the program /nonexistent/nft: install the package nftables, which has it"
        );
    }
}

#[tokio::test]
async fn what_the_program_says_is_passed_on() {
    let numbers = Numbers::default();
    // It knows no option `-j`, says so in the first line and something else in the next.
    let error = Nft::at("cat").write(&numbers, None).await.unwrap_err().to_string();
    assert!(error.starts_with("cat failed: cat: "), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    let error = Nft::at("false").read(&numbers).await.unwrap_err().to_string();
    assert_eq!(error, "false failed: it says nothing");
    let error = Nft::at("echo").read(&numbers).await.unwrap_err().to_string();
    assert!(error.starts_with("echo failed: "), "{error}");
}
