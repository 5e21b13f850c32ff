//! Patches against what the server's library makes of them.

use super::{Patch, PatchError};
use crate::status::Status;

/// What a patch of the kind makes of the object, as JSON, or the code of the answer and the message.
fn apply(read: fn(&[u8]) -> Result<Patch, PatchError>, object: &str, patch: &str) -> String {
    let object = serde_json::from_str(object).expect("JSON");
    let changed = read(patch.as_bytes()).and_then(|patch| patch.apply(&object));
    match changed {
        Ok(changed) => changed.to_string(),
        Err(error) => Status::from(error).code().to_string(),
    }
}

/// Checks lines of `object | patch | result`.
fn check(read: fn(&[u8]) -> Result<Patch, PatchError>, lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [object, patch, expected] = line.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("three columns: {line}")
        };
        assert_eq!(apply(read, object, patch), expected, "{line}");
    }
}

#[test]
fn merge_patches() {
    check(
        Patch::merge,
        r#"
        {"a":1} | {"b":2} | {"a":1,"b":2}
        {"a":1,"b":2} | {"a":null} | {"b":2}
        {"a":{"b":1,"c":2}} | {"a":{"b":null}} | {"a":{"c":2}}
        {"a":[1,2]} | {"a":[3]} | {"a":[3]}
        {"a":"x"} | {"a":{"b":null,"c":1}} | {"a":{"c":1}}
        {} | {"a":{"b":{"c":null}}} | {"a":{"b":{}}}
        {"a":{"b":1}} | {"a":null} | {}
        {"a":{"b":1}} | {"a":"x"} | {"a":"x"}
        {} | {} | {}
        "#,
    );
}

#[test]
fn nulls_in_arrays_of_merge_patches() {
    check(
        Patch::merge,
        r#"
        {"a":[1]} | {"a":[{"b":null,"c":1},null]} | {"a":[{"c":1},null]}
        {} | {"a":[[{"b":null}]]} | {"a":[[{}]]}
        {"a":{"x":1}} | {"a":[{"b":null}]} | {"a":[{"b":null}]}
        "#,
    );
}

#[test]
fn json_patches() {
    check(
        Patch::json,
        r#"
        {"a":1} | [{"op":"add","path":"/b","value":2}] | {"a":1,"b":2}
        {"a":[1,3]} | [{"op":"add","path":"/a/1","value":2}] | {"a":[1,2,3]}
        {"a":[1]} | [{"op":"add","path":"/a/-","value":2}] | {"a":[1,2]}
        {"a":1} | [{"op":"remove","path":"/a"}] | {}
        {"a":1} | [{"op":"replace","path":"/a","value":{"b":1}}] | {"a":{"b":1}}
        {"a":1} | [{"op":"move","from":"/a","path":"/b"}] | {"b":1}
        {"a":1} | [{"op":"copy","from":"/a","path":"/b"}] | {"a":1,"b":1}
        {"a":1} | [{"op":"replace","path":"/b","value":1}] | {"a":1,"b":1}
        {"a/b":{"c~d":1}} | [{"op":"replace","path":"/a~1b/c~0d","value":2}] | {"a/b":{"c~d":2}}
        {"a":1} | [{"op":"test","path":"/a","value":1},{"op":"remove","path":"/a"}] | {}
        {"a":1} | [] | {"a":1}
        "#,
    );
}

#[test]
fn json_patches_that_do_not_fit() {
    check(
        Patch::json,
        r#"
        {"a":1} | [{"op":"test","path":"/a","value":2}] | 422
        {"a":1} | [{"op":"remove","path":"/b"}] | 422
        {"a":1} | [{"op":"add","path":"/b/c","value":1}] | 422
        {"a":[1]} | [{"op":"add","path":"/a/5","value":1}] | 422
        {"a":1} | [{"op":"become","path":"/a"}] | 422
        {"a":1} | [{"op":"remove"}] | 422
        "#,
    );
}

#[test]
fn undecodable_patches() {
    check(
        Patch::json,
        r#"
        {"a":1} | {"op":"remove","path":"/a"} | 400
        {"a":1} | [{"op":"remove","path":7}] | 400
        {"a":1} | [7] | 400
        {"a":1} | [{"op" | 400
        "#,
    );
    check(
        Patch::merge,
        r#"
        {"a":1} | [1] | 400
        {"a":1} | "x" | 400
        {"a":1} | {"a" | 400
        "#,
    );
    let many = vec![r#"{"op":"test","path":"/a","value":1}"#; 10_001].join(",");
    assert_eq!(apply(Patch::json, r#"{"a":1}"#, &format!("[{many}]")), "413");
}

fn strategic(body: &[u8]) -> Result<Patch, PatchError> {
    Patch::strategic("Pod", body)
}

#[test]
fn strategic_merge_patches() {
    check(
        strategic,
        r#"
        {"a":{"b":1,"c":2}} | {"a":{"b":null,"d":3}} | {"a":{"c":2,"d":3}}
        {"a":[1,2]} | {"a":[3]} | {"a":[3]}
        {} | {"a":{"b":null,"c":[{"$patch":"delete","x":1}]}} | {"a":{"c":[]}}
        {"metadata":{"finalizers":["a"]}} | {"metadata":{"finalizers":["b"]}} | {"metadata":{"finalizers":["b","a"]}}
        {"metadata":{"finalizers":["a","b"]}} | {"metadata":{"$deleteFromPrimitiveList/finalizers":["a"]}} | {"metadata":{"finalizers":["b"]}}
        {"spec":{"tolerations":[{"key":"a"}]}} | {"spec":{"tolerations":[{"key":"b"}]}} | {"spec":{"tolerations":[{"key":"b"}]}}
        {"spec":{"containers":[{"name":"a","image":"x"},{"name":"b"}]}} | {"spec":{"containers":[{"name":"a","image":"y"}]}} | {"spec":{"containers":[{"image":"y","name":"a"},{"name":"b"}]}}
        {"spec":{"containers":[{"name":"a"},{"name":"b"}]}} | {"spec":{"containers":[{"name":"a","$patch":"delete"}]}} | {"spec":{"containers":[{"name":"b"}]}}
        {"spec":{"containers":[{"name":"a"},{"name":"b"}]}} | {"spec":{"containers":[{"$patch":"replace"},{"name":"c"}]}} | {"spec":{"containers":[{"name":"c"}]}}
        {"spec":{"containers":[{"name":"a","env":[{"name":"x","value":"1"}]}]}} | {"spec":{"containers":[{"name":"a","env":[{"name":"y","value":"2"}]}]}} | {"spec":{"containers":[{"env":[{"name":"y","value":"2"},{"name":"x","value":"1"}],"name":"a"}]}}
        {"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}} | {"spec":{"$setElementOrder/containers":[{"name":"c"},{"name":"a"}]}} | {"spec":{"containers":[{"name":"b"},{"name":"c"},{"name":"a"}]}}
        {"spec":{"volumes":[{"name":"v","emptyDir":{}}]}} | {"spec":{"volumes":[{"name":"v","$retainKeys":["name","hostPath"],"hostPath":{"path":"/"}}]}} | {"spec":{"volumes":[{"hostPath":{"path":"/"},"name":"v"}]}}
        {"spec":{"a":1}} | {"spec":{"$patch":"replace","b":2}} | {"spec":{"b":2}}
        {"spec":{"a":1}} | {"spec":{"$patch":"delete"}} | {"spec":{}}
        {"spec":{"a":1}} | {"spec":{"$patch":"shuffle"}} | 500
        {"spec":{"containers":[{"name":"a"}]}} | {"spec":{"containers":[{"image":"x"}]}} | 500
        {} | [] | 400
        "#,
    );
}
