use super::{MOST, Unread};
use crate::shell::written::written;

/// Each line is what cannot be read of a node, `-` for nothing and `gone` for a node that went. After the arrow is what is said:
/// places at warn, `+` with how many more there are, `cleared` at info.
fn check(lines: &str) {
    let mut unread = Unread::default();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (given, expected) = line.split_once("=>").expect(line);
        let (node, problems) = given.split_once(':').expect(line);
        let name = node.parse().expect(line);
        let problems: Vec<_> = problems.split_whitespace().map(str::to_owned).collect();
        let said = written(|| match &*problems {
            [gone] if gone == "gone" => unread.forget(&name),
            [nothing] if nothing == "-" => unread.on_seen(&name, vec![]),
            _ => unread.on_seen(&name, problems),
        });
        let expected: Vec<_> =
            expected.split_whitespace().map(|word| spelled(node, word)).collect();
        assert_eq!(said, expected.concat().trim_end(), "{line}");
    }
    assert!(unread.said.values().all(|said| said.named.len() <= MOST), "{unread:?}");
}

/// The line of the log that `word` stands for.
fn spelled(node: &str, word: &str) -> String {
    match word.split_at(1) {
        ("-", _) => String::new(),
        ("+", more) => {
            format!("WARN and so it is with more of the CiliumNode node={node} more={more}\n")
        }
        _ if word == "cleared" => {
            format!("INFO all of the CiliumNode can be read again node={node}\n")
        }
        _ => {
            format!("WARN a part of the CiliumNode cannot be read node={node} problem=\"{word}\"\n")
        }
    }
}

#[test]
fn each_problem_is_said_once() {
    check(
        "
        node-1: -      => -
        node-1: a      => a
        node-1: a      => -
        node-1: a b    => b
        node-2: a      => a
        node-1: b      => -
        node-1: a b    => a
        node-1: -      => cleared
        node-1: -      => -
        node-1: b      => b
        ",
    );
}

#[test]
fn a_node_that_is_made_anew_is_not_that_of_before() {
    check(
        "
        node-1: a      => a
        node-1: gone   => -
        node-1: -      => -
        node-1: a      => a
        node-1: gone   => -
        node-1: a      => a
        ",
    );
}

#[test]
fn not_all_of_many_are_named() {
    check(
        "
        node-1: a b c d e f g h i j         => a b c d e f g h i j
        node-1: a b c d e f g h i j k       => +1
        node-1: a b c d e f g h i j k l     => -
        node-1: b c d e f g h i j k l       => k
        node-1: b c d e f g h i j k         => -
        node-1: a b c d e f g h i j k l m n => a +4
        node-2: a b c d e f g h i j k l     => a b c d e f g h i j +2
        ",
    );
}
