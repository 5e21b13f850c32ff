//! Owners, namespaces, and resources that are no longer served.

use super::check;

const OWNED: &str = r#"
    create parts owner
    create things default/a {"metadata": {"ownerReferences": [{"apiVersion": "example.io/v1", "kind": "Part", "name": "owner", "uid": "@uid:parts:owner"}]}}
    create things default/b {"metadata": {"ownerReferences": [{"apiVersion": "example.io/v1", "kind": "Thing", "name": "a", "uid": "@uid:things:default/a"}]}}
"#;

#[test]
fn what_is_owned_goes_with_its_owner() {
    check(
        &format!("{OWNED}\ndelete parts owner\nlist things"),
        "201 owner@7\n201 a@8\n201 b@9\n200 Success\n@12",
    );
}

#[test]
fn orphans_stay() {
    check(
        &format!(
            "{OWNED}\ndelete parts?propagationPolicy=Orphan owner\nlist things\nget things default/a /metadata/ownerReferences"
        ),
        "201 owner@7\n201 a@8\n201 b@9\n200 Success\n@11 a b\n-",
    );
}

#[test]
fn another_owner_keeps_it() {
    check(
        r#"create parts one
           create parts two
           create things default/a {"metadata": {"ownerReferences": [{"apiVersion": "example.io/v1", "kind": "Part", "name": "one", "uid": "@uid:parts:one"}, {"apiVersion": "example.io/v1", "kind": "Part", "name": "two", "uid": "@uid:parts:two"}]}}
           delete parts one
           get things default/a /metadata/ownerReferences/0/name /metadata/ownerReferences/1/name
           delete parts two
           list things"#,
        r#"201 one@7
           201 two@8
           201 a@9
           200 Success
           "two" -
           200 Success
           @13"#,
    );
}

#[test]
fn an_owner_that_never_was_is_an_owner_that_is_gone_unless_its_kind_is_unknown() {
    check(
        r#"create things default/a {"metadata": {"ownerReferences": [{"apiVersion": "example.io/v1", "kind": "Part", "name": "x", "uid": "x"}]}}
           create things default/b {"metadata": {"ownerReferences": [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "x", "uid": "x"}]}}
           list things"#,
        "201 a@7\n201 b@9\n@9 b",
    );
}

#[test]
fn a_namespace_goes_with_what_is_in_it() {
    check(
        r"create namespaces n
           create things n/a
           create things default/b
           delete namespaces n
           list things
           get namespaces n",
        "201 n@7\n201 a@8\n201 b@9\n200 n@10\n@12 b\n404 NotFound",
    );
}

#[test]
fn a_namespace_waits_for_what_waits_in_it() {
    check(
        r#"create namespaces n
           create things n/a {"metadata": {"finalizers": ["x.io/f"]}}
           delete namespaces n
           get namespaces n /status/phase
           create things n/b
           patch things n/a {"metadata": {"finalizers": null}}
           get namespaces n"#,
        r#"201 n@7
           201 a@8
           200 n@9
           "Terminating"
           403 Forbidden
           200 a@11
           404 NotFound"#,
    );
}

#[test]
fn a_definition_takes_its_objects_along() {
    check(
        r"create things default/a
           watch w things -
           delete customresourcedefinitions things.example.io
           events w
           get things default/a
           list things",
        "201 a@7
         200 Success
         w: added a@7, deleted a@9, end
         404 text
         404 text",
    );
}
