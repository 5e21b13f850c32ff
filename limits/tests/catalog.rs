//! Which source wins, and what a catalog keeps when it is told nonsense.

use limits::{Catalog, Hypervisor, Known, Overrides, Reported};

/// Runs a script and compares what it prints.
///
/// * `file ENTRY`, `argument ENTRY`: an override, given before anything else happens
/// * `ec2 TYPE ENIS IPV4 IPV6 HYPERVISOR`: the EC2 API says so; prints the error, if any
/// * `lookup TYPE`: prints what the catalog says
fn check(script: &str, expected: &str) {
    let given =
        |source: &'static str| script.lines().filter_map(move |line| line.strip_prefix(source));
    let file = Overrides::from_text(&given("file ").collect::<Vec<_>>().join("\n"));
    let overrides = Overrides::from_arguments(given("argument "))
        .and_then(|arguments| file.map(|file| arguments.over(file)));
    let mut catalog = match overrides {
        Ok(overrides) => Catalog::new(overrides),
        Err(errors) => return assert_eq!(errors.to_string(), expected),
    };
    let printed = script.lines().filter_map(|line| run(&mut catalog, line));
    assert_eq!(printed.collect::<Vec<_>>().join("\n"), expected);
}

/// Runs one line and returns what it prints.
fn run(catalog: &mut Catalog, line: &str) -> Option<String> {
    match *line.split(' ').collect::<Vec<_>>().as_slice() {
        ["ec2", name, ref figures @ ..] => match reported(figures) {
            Some(reported) => catalog.learn(name, reported).err().map(|error| error.to_string()),
            None => Some(format!("not a report: {line}")),
        },
        ["lookup", name] => Some(shown(catalog.lookup(name))),
        ["file" | "argument", _] => None,
        _ => Some(format!("not a line of a script: {line}")),
    }
}

fn reported(figures: &[&str]) -> Option<Reported> {
    let [enis, ipv4, ipv6, word] = figures else {
        return None;
    };
    let all = [Hypervisor::Nitro, Hypervisor::Xen, Hypervisor::BareMetal, Hypervisor::Unknown];
    Some(Reported {
        enis: enis.parse().ok()?,
        ipv4_per_eni: ipv4.parse().ok()?,
        ipv6_per_eni: ipv6.parse().ok()?,
        hypervisor: all.into_iter().find(|hypervisor| hypervisor.to_string() == *word)?,
    })
}

fn shown(known: Option<Known>) -> String {
    known.map_or("unknown".to_owned(), |Known { limits, source }| {
        let limits::Limits { enis, ipv4_per_eni, ipv6_per_eni, hypervisor } = limits;
        format!("{enis} {ipv4_per_eni} {ipv6_per_eni} {hypervisor} by {source:?}")
    })
}

#[test]
fn the_table_answers_when_nobody_else_does() {
    check("lookup m5.large\nlookup m5.metal", "3 10 10 nitro by Table\n15 50 50 metal by Table");
}

#[test]
fn the_ec2_api_wins_over_the_table() {
    check("ec2 m5.large 4 11 12 nitro\nlookup m5.large", "4 11 12 nitro by Ec2Api");
}

#[test]
fn an_override_wins_over_the_ec2_api_and_the_table() {
    check(
        "argument m5.large=2,8,0\nec2 m5.large 4 11 12 nitro\nlookup m5.large\nlookup m5.xlarge",
        "2 8 0 nitro by Override\n4 15 15 nitro by Table",
    );
}

#[test]
fn an_argument_wins_over_the_file() {
    check(
        "file m5.large=2,8,0\nfile m4.large=1,9,9\nargument m5.large=1,7,0\nlookup m5.large\nlookup m4.large",
        "1 7 0 nitro by Override\n1 9 9 xen by Override",
    );
}

#[test]
fn an_override_names_the_hypervisor_or_leaves_it_to_the_next_source() {
    check(
        "argument m4.large=2,10,10,nitro\nargument m5.metal=15,50,50\nargument test.large=4,5,6\n\
         lookup m4.large\nlookup m5.metal\nlookup test.large\n\
         ec2 test.large 4 5 6 nitro\nlookup test.large\n\
         ec2 m5.metal 15 50 50 xen\nlookup m5.metal",
        "2 10 10 nitro by Override\n15 50 50 metal by Override\n4 5 6 unknown by Override\n\
         4 5 6 nitro by Override\n15 50 50 xen by Override",
    );
}

/// The limits fixture of the `CiliumNode` contract: one type is known, another appears later.
#[test]
fn an_unknown_type_stays_unknown_until_the_ec2_api_names_it() {
    check(
        "ec2 test.large 4 5 6 nitro\nlookup test.large\nlookup test.small\n\
         ec2 test.small 2 4 4 nitro\nlookup test.small\nlookup test.large",
        "4 5 6 nitro by Ec2Api\nunknown\n2 4 4 nitro by Ec2Api\n4 5 6 nitro by Ec2Api",
    );
}

#[test]
fn a_report_out_of_bounds_is_refused_and_changes_nothing() {
    check(
        "ec2 test.large 4 5 6 nitro\nec2 test.large 0 5 6 nitro\nlookup test.large\n\
         ec2 m5.large 3 1 10 nitro\nlookup m5.large\nec2 m5.xlarge 4 15 -1 nitro\nlookup m5.xlarge\n\
         ec2 z9.large 65539 10 10 nitro\nlookup z9.large\nec2 z9.small 2 4 4 nitro\nlookup z9.small",
        "\"test.large\": EC2 reported 0 network interfaces, expected 1 to 128\n\
         4 5 6 nitro by Ec2Api\n\
         \"m5.large\": EC2 reported 1 IPv4 addresses per network interface, expected 2 to 256\n\
         3 10 10 nitro by Table\n\
         \"m5.xlarge\": EC2 reported -1 IPv6 addresses per network interface, expected 0 to 256\n\
         4 15 15 nitro by Table\n\
         \"z9.large\": EC2 reported 65539 network interfaces, expected 1 to 128\n\
         unknown\n2 4 4 nitro by Ec2Api",
    );
}

#[test]
fn a_report_without_a_hypervisor_leaves_that_of_the_table() {
    check(
        "ec2 m5.large 3 10 10 unknown\nlookup m5.large\nec2 z9.large 3 10 10 unknown\nlookup z9.large",
        "3 10 10 nitro by Ec2Api\n3 10 10 unknown by Ec2Api",
    );
}

#[test]
fn a_report_without_a_name_is_refused() {
    check(
        "ec2  3 10 10 nitro\nlookup ",
        "\"\": EC2 reported this name, expected an instance type, such as m5.large\nunknown",
    );
}

#[test]
fn only_nitro_and_bare_metal_take_prefixes() {
    let takes = |hypervisor| {
        let limits = limits::Limits { enis: 3, ipv4_per_eni: 10, ipv6_per_eni: 10, hypervisor };
        limits.supports_prefixes()
    };
    assert!(takes(Hypervisor::Nitro) && takes(Hypervisor::BareMetal));
    assert!(!takes(Hypervisor::Xen) && !takes(Hypervisor::Unknown));
}
