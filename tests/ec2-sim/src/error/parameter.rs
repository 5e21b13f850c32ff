//! Refusals of parameters, whatever the world looks like: combinations, ranges, tokens, filters, tags.

use super::refusals;

refusals! {
    /// A parameter that must be said was not.
    missing_parameter(name: &str) "MissingParameter" "The request must contain the parameter {name}";
    /// A value that does not have the form of its parameter.
    invalid_value(name: &str, value: &str) "InvalidParameterValue" "Value ({value}) for parameter {name} is invalid.";
    /// The same with the reason.
    invalid_value_because(name: &str, value: &str, reason: &str) "InvalidParameterValue" "Value ({value}) for parameter {name} is invalid. {reason}";
    /// A value that is no IPv4 or IPv6 address.
    invalid_address(value: &str) "InvalidParameterValue" "invalid value for parameter address: {value}";
    /// A count that must be at least one.
    count_not_positive(name: &str, value: i64) "InvalidParameterValue" "Value ({value}) for parameter {name} is invalid. Value must be a positive number.";
    /// A count above what any instance type can hold.
    count_too_large(name: &str, value: i64, maximum: u32) "InvalidParameterValue" "Value ({value}) for parameter {name} is invalid. Value must be at most {maximum}.";

    /// Addresses by name and by number, or addresses and prefixes, in one call.
    ipv4_combination()
        "InvalidParameterCombination" "You may specify one and only one of privateIpAddressSet or secondaryPrivateIpAddressCount or ipv4Prefixes or ipv4PrefixCount, but not more than one of them.";
    /// The same for IPv6, where the code differs.
    ipv6_combination()
        "InvalidParameterValue" "You can and can only specify one of ipv6-addresses or ipv6-address-count or ipv6-prefix or ipv6-prefix-count.";
    /// None of the four was said where one must be.
    nothing_wanted(names: &str) "MissingParameter" "One of {names} must be specified.";
    /// Two parameters that exclude each other.
    combination(one: &str, other: &str) "InvalidParameterCombination" "The parameter {one} cannot be used with the parameter {other}";
    /// A call that takes exactly one attribute was given `count`.
    one_attribute(count: usize) "InvalidParameterCombination" "Exactly one attribute must be specified, not {count}";
    /// Delete-on-termination belongs to an attachment, which must be named.
    attachment_id_required() "MissingParameter" "The request must contain the parameter attachment.attachmentId";
    /// Two primary addresses were given.
    two_primaries() "InvalidParameterValue" "Only one primary private IP address can be specified.";
    /// One address or prefix was given twice.
    duplicate(value: &str) "InvalidParameterValue" "The value {value} is specified more than once.";

    /// A page size outside of its range.
    max_results(value: i64, minimum: i64, maximum: i64)
        "InvalidParameterValue" "Value ( {value} ) for parameter maxResults is invalid. Expecting a value between {minimum} and {maximum}.";
    /// Ids and a page size in one call.
    ids_with_max_results(ids: &str) "InvalidParameterCombination" "The parameter {ids} cannot be used with the parameter maxResults";
    /// More ids than one call takes.
    too_many_ids(name: &str, maximum: usize) "InvalidParameterValue" "The parameter {name} takes at most {maximum} values.";
    /// A page token that was never given out, or to somebody else, or for another query.
    invalid_next_token() "InvalidNextToken" "The token is invalid. It was not issued for this request.";
    /// A page token that is too old.
    expired_token() "InvalidPaginationToken" "The pagination token has expired.";
    /// A filter that the action does not know.
    unknown_filter(name: &str) "InvalidParameterValue" "The filter '{name}' is invalid";
    /// A filter without values.
    empty_filter(name: &str) "InvalidParameterValue" "The filter '{name}' must have at least one value";
    /// Too many values in the filters of one call.
    filter_limit(maximum: usize) "FilterLimitExceeded" "The maximum number of filter values specified on a single call is {maximum}.";
    /// An account with so many interfaces must page or filter (EC2 API reference, `DescribeNetworkInterfaces`).
    describe_too_large()
        "OperationNotPermitted" "The request would return too many network interfaces. Use pagination, or one of the filters attachment.instance-id, group-id, mac-address, private-dns-name, private-ip-address, subnet-id, vpc-id.";

    /// The same client token with other parameters.
    idempotent_mismatch(token: &str)
        "IdempotentParameterMismatch" "The client token '{token}' was already used with different request parameters.";
    /// A client token of more than 64 characters.
    client_token_length(length: usize) "InvalidParameterValue" "The client token has {length} characters. The maximum is 64.";

    /// More tags than a resource may have.
    tag_limit(maximum: usize) "TagLimitExceeded" "More than {maximum} tags are not allowed on a resource.";
    /// An organisation's tag policy forbids it.
    tag_policy(key: &str) "TagPolicyViolation" "The tag policy does not allow the specified value for the following tag key: '{key}'.";
    /// Two calls tag one resource at once.
    concurrent_tag_access() "ConcurrentTagAccess" "You can't run simultaneous commands to modify a tag for a specific resource. Please try again.";
    /// A key that is empty, too long or begins with `aws:`.
    tag_key(key: &str) "InvalidParameterValue" "Tag key '{key}' is not valid. It must have 1 to 128 characters and not begin with 'aws:'.";
    /// A value of more than 256 characters.
    tag_value(key: &str) "InvalidParameterValue" "The value of tag '{key}' is not valid. It must have at most 256 characters.";
    /// Tags for a kind of resource that the call does not make.
    tag_resource_type(kind: &str) "InvalidParameterValue" "'{kind}' is not a valid taggable resource type for this operation.";
}
