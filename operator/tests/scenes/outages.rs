//! What operators depend on is away for a while.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::rig::Rig;
use crate::scene::{play, scene_on};

const MINUTE: Duration = Duration::from_mins(1);

const TWO_NODES: &str = r"
    subnet a zone a 10.0.0.0/24
    node node-1 m5.large in a per-ip
    node node-2 m5.large in a cidr
    start x
    until 60s node-1 pool 8
    until 60s node-2 addresses 8
";

/// Demand comes while the API server answers nobody and all watches are cut.
#[tokio::test(start_paused = true)]
async fn the_api_server_is_away_for_ten_minutes() {
    let rig = play(Rig::new(), TWO_NODES).await;
    let rig = play(rig, r#"kube-fault {"effect": "refuse"}"#).await;
    rig.kube.cut_watches(None, None);
    let rig = play(rig, "wait 30s\nmark\nagent node-1 uses 7\nagent node-2 uses 7\nwait 10m").await;
    assert_eq!(rig.mutations(), 0, "without its lease it changes nothing");
    assert_eq!(rig.running(), ["x"]);
    scene_on(
        rig,
        r"
        clear
        until 2m node-1 pool 15 enis 2 used 7
        until 2m node-2 addresses 15 enis 2 used 7
        mutations 8
        writes-at-most 8
        ",
    )
    .await;
}

/// The same, but it hangs where it refused: nothing fails until a time-out says so.
#[tokio::test(start_paused = true)]
async fn the_api_server_hangs_for_ten_minutes() {
    let rig = play(Rig::new(), TWO_NODES).await;
    scene_on(
        rig,
        r#"
        kube-fault {"client": "operator-x", "effect": "partition"}
        wait 30s
        mark
        agent node-1 uses 7
        wait 10m
        mutations 0
        clear
        until 2m node-1 pool 15 enis 2 used 7
        mutations 4
        writes-at-most 6
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn ec2_is_away_for_ten_minutes() {
    for effect in [
        r#"{"error": {"code": "Unavailable"}}"#,
        r#"{"drop-before-commit": "cut"}"#,
        r#"{"error": {"code": "AuthFailure"}}"#,
        r#"{"error": {"code": "UnauthorizedOperation"}}"#,
    ] {
        let text = format!(
            r#"{TWO_NODES}
            fault {{"effect": {effect}}}
            agent node-1 uses 7
            agent node-2 uses 7
            mark
            wait 10m
            "#
        );
        let mut rig = play(Rig::new(), &text).await;
        let asked = rig.count_calls(|_| true);
        assert!(asked < 200, "{effect}: {asked} calls in 10 minutes to who does not answer");
        assert!(!rig.blocked("node-1").is_empty(), "{effect}: a node that waits says for what");
        assert_eq!(rig.running(), ["x"]);
        rig.mark();
        let text = r"
            clear
            until 6m node-1 pool 15 enis 2 used 7
            until 6m node-2 addresses 15 enis 2 used 7
            until-free 2m node-1
            mutations 8
            writes-at-most 8
        ";
        scene_on(rig, text).await;
    }
}

#[tokio::test(start_paused = true)]
async fn there_are_no_credentials_for_ten_minutes() {
    let rig = play(Rig::new(), TWO_NODES).await;
    rig.no_credentials.store(true, Ordering::Relaxed);
    let mut rig = play(rig, "agent node-1 uses 7\nmark").await;
    rig.wait(10 * MINUTE).await;
    assert_eq!(rig.count_calls(|_| true), 0, "nothing can be signed");
    assert!(!rig.blocked("node-1").is_empty());
    rig.no_credentials.store(false, Ordering::Relaxed);
    rig.mark();
    scene_on(rig, "until 3m node-1 pool 15 enis 2 used 7\nmutations 4\nwrites-at-most 6").await;
}

/// The token of a role ends once and again; each time new credentials help at once.
#[tokio::test(start_paused = true)]
async fn credentials_expire() {
    let mut rig = Rig::new();
    rig.edit = |_, body| body.replace("<Code>AuthFailure</Code>", "<Code>RequestExpired</Code>");
    scene_on(
        rig,
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        fault {"every": 4, "effect": {"error": {"code": "AuthFailure"}}}
        start x
        until 2m node-1 pool 8
        agent node-1 uses 7
        until 2m node-1 pool 15 enis 2
        clear
        calls CreateNetworkInterface 1
        mutations 7
        writes-at-most 8
        "#,
    )
    .await;
}
