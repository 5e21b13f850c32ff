//! Pages, the past, and how far back it reaches.

use super::check;

const THREE: &str = "
    create things default/a
    create things default/b
    create things kube-system/c
";

#[test]
fn pages_are_of_one_snapshot() {
    check(
        &format!(
            r#"{THREE}
            list things limit=2
            delete things kube-system/c
            create things kube-system/d
            patch things default/a {{"spec": {{"size": 1}}}}
            list things limit=2&continue=v1:9:default/b
            list things"#
        ),
        "201 a@7
         201 b@8
         201 c@9
         @9 a b then v1:9:default/b (1)
         200 Success
         201 d@11
         200 a@12
         @9 c
         @12 a b d",
    );
}

#[test]
fn a_list_may_ask_for_a_version() {
    check(
        &format!(
            "{THREE}
            list things resourceVersion=8&resourceVersionMatch=Exact
            list things resourceVersion=8&resourceVersionMatch=NotOlderThan
            list things resourceVersion=0
            list things resourceVersion=99
            list things resourceVersionMatch=Exact
            list things limit=1&continue=nonsense"
        ),
        "201 a@7
         201 b@8
         201 c@9
         @8 a b
         @9 a b c
         @9 a b c
         504 Timeout
         422 Invalid resourceVersionMatch
         400 BadRequest",
    );
}

#[test]
fn what_is_compacted_has_expired() {
    check(
        &format!(
            "{THREE}
            list things limit=1
            compact
            list things limit=1&continue=v1:9:default/a
            create things default/d
            compact
            list things limit=1&continue=v1:9:default/a
            list things resourceVersion=9&resourceVersionMatch=Exact
            watch w things resourceVersion=9
            events w
            watch x things resourceVersion=10
            create things default/e
            events x"
        ),
        "201 a@7
         201 b@8
         201 c@9
         @9 a then v1:9:default/a (2)
         @9 b then v1:9:default/b (1)
         201 d@10
         410 Expired
         410 Expired
         w: failed 410 Expired, end
         201 e@11
         x: added e@11",
    );
}

#[test]
fn selectors_hide_how_much_remains() {
    check(
        &format!(
            "{THREE}
            list things labelSelector=!tier&limit=1
            list things labelSelector=tier
            list things fieldSelector=metadata.namespace!%3Ddefault"
        ),
        "201 a@7
         201 b@8
         201 c@9
         @9 a then v1:9:default/a (null)
         @9
         @9 c",
    );
}
