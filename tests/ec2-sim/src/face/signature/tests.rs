use super::*;

/// `authorization` and `query`, and who it is: access key, Region and client, or the refusal.
#[track_caller]
fn check(authorization: &str, query: &str, expected: &str) {
    let head = Head {
        authorization: Some(authorization).filter(|text| !text.is_empty()),
        user_agent: Some("client/1"),
        query: Some(query).filter(|text| !text.is_empty()),
    };
    let found = caller(head, "eu-west-1").map_or_else(
        |error| error.to_string(),
        |caller| format!("{} {} {}", caller.access_key, caller.region, caller.user_agent),
    );
    assert_eq!(found, expected);
}

const REFUSED: &str = "AuthFailure: AWS was not able to validate the provided access credentials";

#[test]
fn the_scope_stands_in_the_header_or_in_the_query() {
    check(
        "AWS4-HMAC-SHA256 Credential=AKIA1/20260101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=00",
        "",
        "AKIA1 eu-west-1 client/1",
    );
    check(
        "AWS4-HMAC-SHA256 SignedHeaders=host,Credential=AKIA1/20260101/eu-west-1/ec2/aws4_request",
        "",
        "AKIA1 eu-west-1 client/1",
    );
    check(
        "",
        "Action=DescribeVpcs&X-Amz-Credential=AKIA2%2F20260101%2Feu-west-1%2Fec2%2Faws4_request",
        "AKIA2 eu-west-1 client/1",
    );
}

#[test]
fn who_did_not_sign_is_refused() {
    check("", "", REFUSED);
    check("Bearer abc", "", REFUSED);
    check("AWS4-HMAC-SHA256 Credential=AKIA1, Signature=00", "", REFUSED);
    check("AWS4-HMAC-SHA256 Credential=/20260101/eu-west-1/ec2/aws4_request", "", REFUSED);
}

#[test]
fn a_signature_for_another_service_is_refused() {
    check(
        "AWS4-HMAC-SHA256 Credential=AKIA1/20260101/eu-west-1/s3/aws4_request",
        "",
        "AuthFailure: Credential should be scoped to correct service: 'ec2'.",
    );
}

#[test]
fn a_signature_for_another_region_is_refused() {
    for region in ["us-east-1", "", "EU-WEST-1"] {
        check(
            &format!("AWS4-HMAC-SHA256 Credential=AKIA1/20260101/{region}/ec2/aws4_request"),
            "",
            "AuthFailure: Credential should be scoped to a valid region.",
        );
    }
}
