use super::check;

#[test]
fn an_interface_goes_to_an_instance_and_back() {
    check(
        "create a\nattach e i1 1\nshow e\nlinks i1\ndetach e\nshow e\nlinks i1\ndelete e\nshow e\nsubnet a",
        "e: pending 10.0.0.9\ncard 0\nin-use i1/0/1 10.0.0.9\ni1-primary@0 e@1\nok\navailable 10.0.0.9\ni1-primary@0\nok\ngone\n246",
    );
    check(
        "create a\nattach e off 1\nshow e\nlinks off",
        "e: pending 10.0.0.9\ncard 0\nin-use off/0/1 10.0.0.9\nnone",
    );
}

#[test]
fn everything_takes_its_time() {
    check(
        "latency typical\ncreate a\nshow e\nwait 2\nshow e\nattach e i1 1\nshow e\nwait 2\nshow e\nwait 150\nlinks i1\ndetach e\nshow e\nwait 15\nshow e",
        "e: pending 10.0.0.9\npending 10.0.0.9\navailable 10.0.0.9\ncard 0\nattaching i1/0/1 10.0.0.9\nin-use i1/0/1 10.0.0.9\ni1-primary@0 e@1
        ok\ndetaching i1/0/1 10.0.0.9\navailable 10.0.0.9",
    );
    check(
        "latency typical\ncreate a\nattach e i1 1\ndelete e\ndetach e\ndetach e force\nshow e\nwait 20\nshow e",
        "e: pending 10.0.0.9\ncard 0
        InvalidParameterValue: Network interface 'e' is currently in use.
        IncorrectState: The attachment 'attachment-of-e' is 'attaching' and cannot be changed.
        ok\navailable 10.0.0.9\navailable 10.0.0.9",
    );
    check(
        "assume link-never=1\ncreate a\nattach e i1 1\nwait 1000\nlinks i1",
        "e: pending 10.0.0.9\ncard 0\ni1-primary@0",
    );
}

#[test]
fn an_instance_takes_as_many_as_its_type_says() {
    check(
        "create a\nattach e i1 1\ncreate a name=f\nattach f i1 2\ncreate a name=g\nattach g i1 3",
        "e: pending 10.0.0.9\ncard 0\nf: pending 10.0.0.10\ncard 0\ng: pending 10.0.0.11\nAttachmentLimitExceeded: Interface count 4 exceeds the limit for c5.large",
    );
    check(
        "create a\nattach e i1 0\nattach e i1 1\ncreate a name=f\nattach f i1 1\nattach f i1 -1",
        "e: pending 10.0.0.9
        InvalidParameterValue: Instance 'i1' already has an interface attached at device index '0'.
        card 0\nf: pending 10.0.0.10
        InvalidParameterValue: Instance 'i1' already has an interface attached at device index '1'.
        InvalidParameterValue: Invalid value '-1' for device index. The value must be from 0 to 4294967295.",
    );
}

#[test]
fn device_indexes_are_each_cards_own() {
    check(
        "create a\nattach e multi 1 card=0\ncreate a name=f\nattach f multi 1 card=1\ncreate a name=g\nattach g multi 1 card=2\nattach g multi 2 card=-1\nattach g i1 1 card=1",
        "e: pending 10.0.0.9\ncard 0\nf: pending 10.0.0.10\ncard 1\ng: pending 10.0.0.11
        InvalidParameterValue: Network card index 2 is not valid for instance type c6in.32xlarge
        InvalidParameterValue: Network card index -1 is not valid for instance type c6in.32xlarge
        InvalidParameterValue: Network card index 1 is not valid for instance type c5.large",
    );
    let begin = "create a name=f\nattach f multi 1 card=1\ncreate a\n";
    let made = "f: pending 10.0.0.9\ncard 1\ne: pending 10.0.0.10\n";
    check(&format!("{begin}attach e multi 1"), &format!("{made}card 0"));
    check(
        &format!(
            "assume omitted-network-card-bug=true\n{begin}attach e multi 1\nattach e multi 1 card=0"
        ),
        &format!(
            "{made}InvalidParameterValue: Instance 'multi' already has an interface attached at device index '1'.\ncard 0"
        ),
    );
    let mut steps = Vec::new();
    let mut said = Vec::new();
    for number in 1..9 {
        steps.push(format!("create a name=n{number}\nattach n{number} multi {number} card=0"));
        let attached = match number {
            8 => "AttachmentLimitExceeded: Interface count 9 exceeds the limit for c6in.32xlarge",
            _ => "card 0",
        };
        said.push(format!("n{number}: pending 10.0.0.{}\n{attached}", number + 8));
    }
    check(&steps.join("\n"), &said.join("\n"));
}

#[test]
fn what_is_attached_must_fit_the_type() {
    check(
        "create a count=9\nattach e i1 1\ncreate a count=10 name=f\nattach f i1 2",
        "e: pending 10.0.0.9 10.0.0.10 10.0.0.11 10.0.0.12 10.0.0.13 10.0.0.14 10.0.0.15 10.0.0.16 10.0.0.17 10.0.0.18\ncard 0
        f: pending 10.0.0.19 10.0.0.20 10.0.0.21 10.0.0.22 10.0.0.23 10.0.0.24 10.0.0.25 10.0.0.26 10.0.0.27 10.0.0.28 10.0.0.29
        InvalidInterface.IpAddressLimitExceeded: Address count 11 on interface-f exceeds the limit for c5.large",
    );
    let prefixes = "create a prefixes=10.0.0.16/28,10.0.0.32/28,10.0.0.48/28,10.0.0.64/28,10.0.0.80/28,10.0.0.96/28,10.0.0.112/28,10.0.0.128/28,10.0.0.144/28,10.0.0.160/28";
    let made = "e: pending 10.0.0.9 10.0.0.16/28 10.0.0.32/28 10.0.0.48/28 10.0.0.64/28 10.0.0.80/28 10.0.0.96/28 10.0.0.112/28 10.0.0.128/28 10.0.0.144/28 10.0.0.160/28";
    check(
        &format!("{prefixes}\nattach e i1 1"),
        &format!(
            "{made}\nInvalidInterface.IpAddressLimitExceeded: Address count 11 on interface-e exceeds the limit for c5.large"
        ),
    );
}

#[test]
fn interface_and_instance_must_be_near_and_ready() {
    check(
        "create b\nattach e i1 1\ncreate far name=f\nattach f i1 1\ncreate a name=g\nattach g i-0a1b2c3d 1",
        "e: pending 10.0.1.5
        InvalidParameterCombination: You may not attach a network interface to an instance if they are not in the same availability zone
        f: pending 10.1.0.4
        InvalidParameterCombination: The networkInterface ID 'f' and the instance ID 'i1' do not belong to the same VPC
        g: pending 10.0.0.9
        InvalidInstanceID.NotFound: The instance ID 'i-0a1b2c3d' does not exist",
    );
    check(
        "create a\nattach e i1 1\nattach e i2 1\ndelete e",
        "e: pending 10.0.0.9\ncard 0\nInvalidNetworkInterface.InUse: Interface: [e] in use.\nInvalidParameterValue: Network interface 'e' is currently in use.",
    );
    check(
        "latency typical\ncreate a\nstop i1\nattach e i1 1\nwait 30\nattach e i1 1\ncreate a name=f\nterminate i2\nattach f i2 1\nstart off\nattach f off 1",
        "e: pending 10.0.0.9\nIncorrectState: Instance 'i1' is not 'running'\ncard 0\nf: pending 10.0.0.10
        IncorrectState: Instance 'i2' is not 'running'\nIncorrectState: Instance 'off' is not 'running'",
    );
}

#[test]
fn some_attachments_stay() {
    check(
        "detach i1-primary\ndetach i1-primary force\ndetach eni-attach-0a1b2c3d",
        "OperationNotPermitted: The network interface at device index 0 and networkCard index 0 cannot be detached.
        OperationNotPermitted: The network interface at device index 0 and networkCard index 0 cannot be detached.
        InvalidAttachmentID.NotFound: The attachment ID 'eni-attach-0a1b2c3d' does not exist",
    );
    check(
        "create a\nattach e i1 1\ndetach e\ndetach e",
        "e: pending 10.0.0.9\ncard 0\nok\nInvalidAttachmentID.NotFound: The attachment ID 'attachment-of-e' does not exist",
    );
    check(
        "latency typical\ncreate a\nattach e i1 1\nwait 5\ndetach e\ndetach e\ndetach e force\nshow e",
        "e: pending 10.0.0.9\ncard 0\nok\nIncorrectState: The attachment 'attachment-of-e' is 'detaching' and cannot be changed.\nok\navailable 10.0.0.9",
    );
}

#[test]
fn a_terminated_instance_leaves_what_is_not_deleted_with_it() {
    check(
        "create a\nattach e i1 1\ncreate a name=f\nattach f i1 2\nmodify f attachment=f delete-on-termination=true\nterminate i1\nshow e\nshow f\nshow i1-primary\nattach e i1 1\nwait 3601\nattach e i1 1",
        "e: pending 10.0.0.9\ncard 0\nf: pending 10.0.0.10\ncard 0\nok\navailable 10.0.0.9\ngone\ngone\nIncorrectState: Instance 'i1' is not 'running'\nInvalidInstanceID.NotFound: The instance ID 'i1' does not exist",
    );
    check(
        "latency typical\nterminate i1\nshow i1-primary\nwait 60\nwait 15\nshow i1-primary",
        "in-use i1/0/0* 10.0.0.4\ngone",
    );
}

#[test]
fn a_stopped_instance_keeps_what_it_has() {
    check(
        "create a count=1\nattach e i1 1\nstop i1\nshow e\nshow i1-primary\nlinks i1\nsubnet a\nassign e count=1\nstart i1\nlinks i1",
        "e: pending 10.0.0.9 10.0.0.10\ncard 0\nin-use i1/0/1 10.0.0.9 10.0.0.10\nin-use i1/0/0* 10.0.0.4\nnone\n244\n10.0.0.11\ni1-primary@0 e@1",
    );
}

#[test]
fn an_instance_may_end_before_an_attachment_arrives() {
    check(
        "create a\nlatency typical\nattach e i1 1\nlatency zero\nterminate i1\nshow e\nwait 200\nshow e\nlinks i1\nattach e i2 1",
        "e: pending 10.0.0.9\ncard 0\navailable 10.0.0.9\navailable 10.0.0.9\nnone\ncard 0",
    );
    check(
        "latency typical\ncreate a\nwait 2\nterminate i1\nattach e i1 1\nattach e i2 1\nterminate i2\nshow e\nwait 60\nshow e",
        "e: pending 10.0.0.9\nIncorrectState: Instance 'i1' is not 'running'\ncard 0\nattaching i2/0/1 10.0.0.9\navailable 10.0.0.9",
    );
}

#[test]
fn a_link_goes_with_its_attachment_and_may_come_late() {
    check(
        "create a\nlatency typical\nattach e i1 1\nlinks i1\nwait 200\nlinks i1\ndetach e\nwait 20\nlinks i1\nattach e i2 1\ndetach e force\nwait 200\nlinks i2",
        "e: pending 10.0.0.9\ncard 0\ni1-primary@0\ni1-primary@0 e@1\nok\ni1-primary@0\ncard 0\nok\ni2-primary@0",
    );
}
