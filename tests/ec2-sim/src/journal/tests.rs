use super::*;
use crate::request::DeleteNetworkInterface;

fn entry(number: u64) -> Entry {
    let interface = crate::id::InterfaceId::from_number(number);
    Entry {
        sequence: 0,
        at: Moment::from_micros(1_500 * number),
        request_id: format!("request-{number}"),
        access_key: "AKIA".to_owned(),
        user_agent: "test".to_owned(),
        action: Some(Action::DeleteNetworkInterface),
        parameters: Some(Operation::DeleteNetworkInterface(DeleteNetworkInterface { interface })),
        code: None,
        message: None,
        throttled: false,
        latency: Duration::from_millis(2),
        bucket_level: Some(4.5),
        committed: true,
        disturbed: false,
    }
}

fn filled(limit: Option<usize>) -> Journal {
    let mut journal = Journal::new(limit);
    (0..5).for_each(|number| journal.record(entry(number)));
    journal
}

#[track_caller]
fn check(limit: Option<usize>, from: u64, expected: &[u64]) {
    let journal = filled(limit);
    let sequence: Vec<_> = journal.since(from).map(|entry| entry.sequence).collect();
    assert_eq!((sequence.as_slice(), journal.recorded()), (expected, 5));
}

#[test]
fn the_oldest_calls_are_forgotten_beyond_the_limit() {
    check(None, 0, &[0, 1, 2, 3, 4]);
    check(None, 3, &[3, 4]);
    check(Some(2), 0, &[3, 4]);
    check(Some(0), 0, &[]);
    assert!(!Journal::new(Some(0)).keeps() && Journal::new(None).keeps());
}

#[test]
fn json_says_all_of_a_call() {
    let mut journal = Journal::new(None);
    journal.record(entry(1));
    let expected = r#"[{"sequence":0,"at_us":1500,"request_id":"request-1","access_key":"AKIA","user_agent":"test","action":"DeleteNetworkInterface","parameters":"DeleteNetworkInterface(DeleteNetworkInterface { interface: InterfaceId(\"eni-00000000000000001\") })","code":null,"message":null,"throttled":false,"latency_us":2000,"bucket_level":4.5,"committed":true,"disturbed":false}]"#;
    assert_eq!(journal.to_json().unwrap(), expected);
}
