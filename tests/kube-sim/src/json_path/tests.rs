//! Paths: where they lead, and what is none.

use serde_json::{Value, json};

use super::JsonPath;

/// Checks lines of `path | values found as JSON, with spaces between, or the error`.
fn check(lines: &str) {
    let object = json!({
        "metadata": {"annotations": {"a.b/c": "x"}},
        "list": [{"type": "A", "n": 1, "on": true}, {"type": "B", "n": 2}, {"n": 3}],
        "map": {"x": 1, "y": [2, 3]},
    });
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (path, expected) = line.split_once(" |").expect("two columns");
        let found = match JsonPath::parse(path) {
            Ok(path) => {
                let found: Vec<String> =
                    path.find(&object).into_iter().map(Value::to_string).collect();
                found.join(" ")
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected.trim(), "{path}");
    }
}

#[test]
fn paths() {
    check(
        r#"
        .map.x | 1
        $.map.x | 1
        ['map']['x'] | 1
        .map.missing.more |
        .map.y[7] |
        .map.y[-7] |
        .map[0] |
        .list.n |
        .map.y[0] | 2
        .map.y[-1] | 3
        .map.y.[1] | 3
        .map.y[*] | 2 3
        .map.* | 1 [2,3]
        .list[*].n | 1 2 3
        .metadata.annotations.a\.b/c | "x"
        .metadata.annotations['a.b/c'] | "x"
        .map.y | [2,3]
        "#,
    );
}

#[test]
fn filters() {
    check(
        r#"
        .list[?(@.type=="B")].n | 2
        .list[?(@.type == 'A')].n | 1
        .list[?(@.type!="A")].n | 2
        .list[?(@.n>=2)].n | 2 3
        .list[?(@.n<2)].n | 1
        .list[?(@.n>1)].n | 2 3
        .list[?(@.n<=1)].n | 1
        .list[?(@.on==true)].n | 1
        .list[?(@.type)].n | 1 2
        .list[?(@['type']=="A")].n | 1
        "#,
    );
}

#[test]
fn what_is_no_path() {
    check(
        r#"
        map.x | "map.x" starts with neither '.' nor '['
        .map[0 | "[0" is not closed
        .map[x] | "x" is no index, name, wildcard or filter
        .list[?(n==1)] | "(n==1)" is no filter like ?(@.a=="b")
        .list[?(@.n==x)] | "(@.n==x)" is no filter like ?(@.a=="b")
        ..x | descent (..) is not implemented
        .list[0:1] | more than one index in brackets is not implemented
        .list[0]x | "x" starts with neither '.' nor '['
        "#,
    );
}
