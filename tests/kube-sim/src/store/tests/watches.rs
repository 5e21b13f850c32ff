//! Watches.

use super::check;

#[test]
fn a_watch_starts_with_what_is_there() {
    check(
        r#"create things default/a
           watch all things -
           watch now things resourceVersion=7
           watch stream things sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true
           create things kube-system/b
           patch things default/a {"spec": {"size": 1}}
           delete things default/a
           events all
           events now
           events stream"#,
        "201 a@7
         201 b@8
         200 a@9
         200 Success
         all: added a@7, added b@8, modified a@9, deleted a@10
         now: added b@8, modified a@9, deleted a@10
         stream: added a@7, bookmark@7 true, added b@8, modified a@9, deleted a@10",
    );
}

#[test]
fn a_watch_goes_on_where_another_stopped() {
    check(
        r"create things default/a
           create things default/b
           delete things default/a
           watch w things resourceVersion=7
           events w
           watch x things resourceVersion=99",
        "201 a@7\n201 b@8\n200 Success\nw: added b@8, deleted a@9\n504 Timeout ",
    );
}

#[test]
fn a_watch_of_one_object_hears_of_no_other() {
    check(
        r"watch w things fieldSelector=metadata.name%3Da
           watch n things fieldSelector=metadata.name%3Da,metadata.namespace%3Ddefault
           create things default/a
           create things kube-system/a
           create things default/b
           events w
           events n",
        "201 a@7\n201 a@8\n201 b@9\nw: added a@7, added a@8\nn: added a@7",
    );
}

#[test]
fn what_is_no_longer_selected_is_deleted_to_who_selects() {
    check(
        r#"watch w things labelSelector=tier+in+(web,db)
           create things default/a {"metadata": {"labels": {"tier": "app"}}}
           patch things default/a {"metadata": {"labels": {"tier": "web"}}}
           patch things default/a {"metadata": {"labels": {"tier": "db"}}}
           patch things default/a {"metadata": {"labels": {"tier": null}}}
           delete things default/a
           events w
           watch late things labelSelector=tier&resourceVersion=8
           events late"#,
        "201 a@7
         200 a@8
         200 a@9
         200 a@10
         200 Success
         w: added a@8, modified a@9, deleted a@10
         late: modified a@9, deleted a@10",
    );
}

#[test]
fn pods_are_selected_by_node_and_phase() {
    check(
        r#"watch w pods fieldSelector=spec.nodeName%3Dn,status.phase%3DPending
           create pods default/p {"spec": {"nodeName": "n"}}
           create pods default/q {"spec": {"nodeName": "m"}}
           patch-status pods default/p {"status": {"phase": "Running"}}
           events w
           list pods fieldSelector=spec.nodeName%3Dm
           list things fieldSelector=spec.nodeName%3Dm"#,
        "201 p@7\n201 q@8\n200 p@9\nw: added p@7, deleted p@9\n@9 q\n400 BadRequest",
    );
}

#[test]
fn parameters_that_do_not_go_together() {
    check(
        r"watch w things sendInitialEvents=true
           watch w things resourceVersionMatch=NotOlderThan
           watch w things allowWatchBookmarks=perhaps",
        "422 Invalid resourceVersionMatch\n422 Invalid resourceVersionMatch\n400 BadRequest",
    );
}
