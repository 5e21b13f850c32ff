//! Creating, changing and deleting.

use super::check;

#[test]
fn a_new_object_gets_what_only_the_server_says() {
    check(
        r#"create things default/a {"spec": {"size": 1}, "status": {"seen": 4}, "metadata": {"uid": "mine", "generation": 7}}
           get things default/a /metadata/generation /metadata/creationTimestamp /metadata/namespace /spec /status"#,
        r#"201 a@7
           1 "1970-01-01T00:00:00Z" "default" {"colour":"grey","size":1} -"#,
    );
}

#[test]
fn a_name_may_be_made_up() {
    check(
        r#"create things default/ {"metadata": {"generateName": "thing-"}}
           create things default/ {"metadata": {"generateName": "thing-"}}
           create things default/ {}"#,
        "201 thing-b6dnt@7
         201 thing-xv268@8
         422 Invalid metadata.name",
    );
}

#[test]
fn what_is_refused_at_creation() {
    check(
        r#"create things default/a
           create things default/a
           create things nowhere/a
           create things default/A
           create things default/b {"metadata": {"namespace": "kube-system"}}
           create things default/b {"metadata": {"resourceVersion": "3"}}
           create things default/b {"spec": {"size": -1}}
           create things default/b {"spec": {"size": "x"}}
           create parts default/b
           create namespaces a.b"#,
        "201 a@7
         409 AlreadyExists
         404 NotFound
         422 Invalid metadata.name
         400 BadRequest
         500 Failure
         422 Invalid spec.size
         422 Invalid spec.size
         404 text
         422 Invalid metadata.name",
    );
}

#[test]
fn unknown_members_are_dropped_or_refused() {
    check(
        r#"create things default/a {"spec": {"weight": 2}}
           get things default/a /spec
           create things?fieldValidation=Strict default/b {"spec": {"weight": 2}}
           patch things?fieldValidation=Strict default/a {"spec": {"weight": 2}}
           create things?fieldValidation=Ignore default/c {"spec": {"weight": 2}}"#,
        r#"201 a@7
           {"colour":"grey"}
           400 BadRequest
           422 Invalid patch
           201 c@8"#,
    );
}

#[test]
fn a_replacement_must_know_what_it_replaces() {
    check(
        r#"create things default/a {"spec": {"size": 1}}
           update things default/a {"spec": {"size": 2}}
           update things default/a {"spec": {"size": 2}, "metadata": {"resourceVersion": "6"}}
           update things default/a {"spec": {"size": 2}, "metadata": {"resourceVersion": "7", "uid": "x"}}
           update things default/a {"spec": {"size": 2}, "metadata": {"resourceVersion": "7"}}
           update things default/b {"spec": {"size": 2}, "metadata": {"resourceVersion": "7"}}
           create nodes n
           update nodes n {"spec": {"unschedulable": true}}"#,
        "201 a@7
         422 Invalid metadata.resourceVersion
         409 Conflict
         409 Conflict
         200 a@8
         404 NotFound
         201 n@9
         200 n@10",
    );
}

#[test]
fn a_patch_may_say_which_version_it_is_for() {
    check(
        r#"create things default/a {"spec": {"size": 1}}
           patch things default/a {"spec": {"size": 2}, "metadata": {"resourceVersion": "6"}}
           patch things default/a {"spec": {"size": 2}, "metadata": {"resourceVersion": "7"}}
           patch things default/a {"spec": {"size": 3}}
           patch things default/a {"metadata": {"name": "b"}}
           patch things default/b {"spec": {"size": 3}}"#,
        "201 a@7
         409 Conflict
         200 a@8
         200 a@9
         400 BadRequest
         404 NotFound",
    );
}

#[test]
fn a_write_that_changes_nothing_is_none() {
    check(
        r#"create things default/a {"spec": {"size": 1}}
           patch things default/a {"spec": {"size": 1}}
           update things default/a {"spec": {"size": 1}, "metadata": {"resourceVersion": "7"}}
           version"#,
        "201 a@7\n200 a@7\n200 a@7\nversion 7",
    );
}

#[test]
fn status_and_the_rest_are_written_apart() {
    check(
        r#"create things default/a {"spec": {"size": 1}}
           patch-status things default/a {"spec": {"size": 2}, "status": {"seen": 1}, "metadata": {"labels": {"a": "b"}}}
           get things default/a /spec/size /status/seen /metadata/generation /metadata/labels
           patch things default/a {"spec": {"size": 3}, "status": {"seen": 9}}
           get things default/a /spec/size /status/seen /metadata/generation
           patch things default/a {"metadata": {"labels": {"a": "b"}}}
           get things default/a /metadata/generation
           create parts p {"status": {"seen": 1}}
           patch parts p {"status": {"seen": 2}}
           get parts p /status/seen /metadata/generation
           patch-status parts p {"status": {"seen": 3}}"#,
        "201 a@7
         200 a@8
         1 1 1 -
         200 a@9
         3 1 2
         200 a@10
         2
         201 p@11
         200 p@12
         2 2
         404 NotFound",
    );
}

#[test]
fn built_in_objects_are_as_a_server_makes_them() {
    check(
        r#"create pods default/p {"spec": {"nodeName": "n"}, "status": {"phase": "Running"}}
           get pods default/p /status/phase /kind /apiVersion
           patch-status pods default/p {"status": {"phase": "Running"}, "spec": {"nodeName": "m"}}
           get pods default/p /status/phase /spec/nodeName
           create namespaces n
           get namespaces n /status/phase /metadata/labels"#,
        r#"201 p@7
           "Pending" "Pod" "v1"
           200 p@8
           "Running" "n"
           201 n@9
           "Active" {"kubernetes.io/metadata.name":"n"}"#,
    );
}

#[test]
fn a_delete_may_name_what_it_means() {
    check(
        r#"create things default/a
           delete things default/a {"preconditions": {"uid": "x"}}
           delete things default/a {"preconditions": {"resourceVersion": "6"}}
           delete things?dryRun=All default/a
           delete things default/a {"preconditions": {"uid": "@uid:things:default/a", "resourceVersion": "7"}}
           delete things default/a
           version"#,
        "201 a@7
         409 Conflict
         409 Conflict
         200 Success
         200 Success
         404 NotFound
         version 8",
    );
}

#[test]
fn finalizers_delay_the_end() {
    check(
        r#"create things default/a {"metadata": {"finalizers": ["x.io/f"]}}
           delete things default/a
           get things default/a /metadata/deletionTimestamp /metadata/generation
           delete things default/a
           patch things default/a {"metadata": {"finalizers": ["x.io/f", "x.io/g"]}}
           patch things default/a {"metadata": {"finalizers": null}}
           get things default/a"#,
        r#"201 a@7
           200 a@8
           "1970-01-01T00:00:00Z" 2
           200 a@8
           422 Invalid metadata.finalizers metadata.finalizers
           200 a@9
           404 NotFound"#,
    );
}

#[test]
fn a_dry_run_changes_nothing() {
    check(
        r#"create things?dryRun=All default/a
           get things default/a
           create things default/a
           patch things?dryRun=All default/a {"spec": {"size": 4}}
           get things default/a /spec/size
           version"#,
        "201 a@0\n404 NotFound\n201 a@7\n200 a@7\n-\nversion 7",
    );
}

#[test]
fn what_is_not_built_says_so() {
    check(
        r"create pods default/p
           update-eviction pods default/p
           patch-scale things default/a
           patch-status parts a
           create secrets default/s",
        "201 p@7
         501 NotImplemented
         501 NotImplemented
         404 NotFound
         404 NotFound",
    );
}
