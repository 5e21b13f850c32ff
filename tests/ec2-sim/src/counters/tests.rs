use super::*;

fn counted() -> Counters {
    let mut counters = Counters::default();
    counters.count(Some(Action::CreateTags), None, false);
    counters.count(Some(Action::CreateTags), Some(&ApiError::throttled()), true);
    counters.count(None, Some(&ApiError::unknown_action("Jump")), false);
    counters.count_bytes(Some(Action::CreateTags), 10, 200);
    counters
}

#[test]
fn prometheus_reads_them() {
    let expected = r#"# HELP ec2_sim_calls_total Calls, throttled and refused ones included.
# TYPE ec2_sim_calls_total counter
ec2_sim_calls_total{action="CreateTags"} 2
ec2_sim_calls_total{action="Unknown"} 1
# HELP ec2_sim_throttled_total Calls refused because a bucket was empty.
# TYPE ec2_sim_throttled_total counter
ec2_sim_throttled_total{action="CreateTags"} 1
ec2_sim_throttled_total{action="Unknown"} 0
# HELP ec2_sim_request_bytes_total Bytes of requests.
# TYPE ec2_sim_request_bytes_total counter
ec2_sim_request_bytes_total{action="CreateTags"} 10
ec2_sim_request_bytes_total{action="Unknown"} 0
# HELP ec2_sim_response_bytes_total Bytes of responses.
# TYPE ec2_sim_response_bytes_total counter
ec2_sim_response_bytes_total{action="CreateTags"} 200
ec2_sim_response_bytes_total{action="Unknown"} 0
# HELP ec2_sim_errors_total Refusals by code.
# TYPE ec2_sim_errors_total counter
ec2_sim_errors_total{action="CreateTags",code="RequestLimitExceeded"} 1
ec2_sim_errors_total{action="Unknown",code="InvalidAction"} 1
"#;
    assert_eq!(counted().to_string(), expected);
}

#[test]
fn json_has_them_by_action() {
    let expected = r#"{"CreateTags":{"calls":2,"throttled":1,"errors":{"RequestLimitExceeded":1},"request_bytes":10,"response_bytes":200},"Unknown":{"calls":1,"throttled":0,"errors":{"InvalidAction":1},"request_bytes":0,"response_bytes":0}}"#;
    assert_eq!(serde_json::to_string(&counted()).unwrap(), expected);
}

#[test]
fn they_are_summed_looked_up_and_reset() {
    let mut counters = counted();
    assert_eq!((counters.total().calls, counters.total().errors.len()), (3, 2));
    assert_eq!(counters.of(Action::CreateTags).throttled, 1);
    assert_eq!(counters.of(Action::DescribeVpcs), Counts::default());
    counters.reset();
    assert_eq!(counters.iter().count(), 0);
}
