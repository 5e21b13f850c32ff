//! What the operator's user may write, and what is said of the rest.

use limits::{Override, Overrides, RefusedOverrides};
use proptest::prelude::*;

/// One entry: how it is written back, or why it is refused.
fn check(entry: &str, expected: &str) {
    let shown = match entry.parse::<Override>() {
        Ok(entry) => entry.to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(shown, expected);
}

/// A whole source: `accepted`, or why entries are refused, one line each.
fn check_source(source: Result<Overrides, RefusedOverrides>, expected: &str) {
    let shown = source.map_or_else(|errors| errors.to_string(), |_| "accepted".to_owned());
    assert_eq!(shown, expected);
}

#[test]
fn an_entry_is_written_back_without_spaces() {
    check("m5.large=3,10,10", "m5.large=3,10,10");
    check("  m5.large = 3, 10 ,\t10  ", "m5.large=3,10,10");
    check("m5.large=003,10,0", "m5.large=3,10,0");
    check("u-6tb1.112xlarge=15,50,50,nitro", "u-6tb1.112xlarge=15,50,50,nitro");
    check("m4.large=2,10,10 , xen", "m4.large=2,10,10,xen");
    check("m5.metal=15,50,50,metal", "m5.metal=15,50,50,metal");
}

#[test]
fn an_error_repeats_the_beginning_of_a_long_entry() {
    let shown = format!("{}…", "x".repeat(80));
    let error = "x".repeat(500).parse::<Override>().unwrap_err().to_string();
    assert!(error.starts_with(&format!("\"{shown}\": no `=`")), "{error}");
    let long = "x".repeat(500);
    for entry in [
        format!("{long}=3,10,10"),
        format!("m5.large={long},1,1"),
        format!("m5.large=3,9,9,{long}"),
    ] {
        let error = entry.parse::<Override>().unwrap_err().to_string();
        assert!(error.contains(&format!(" \"{shown}\" ")), "{error}");
        assert!(error.chars().count() < 300, "{error}");
    }
}

#[test]
fn a_byte_order_mark_does_not_count() {
    check_source(Overrides::from_text("\u{feff}m5.large=3,10,10\n"), "accepted");
    check_source(Overrides::from_text("\u{feff}"), "accepted");
}

#[test]
fn types_are_listed_in_ascending_order() {
    let overrides = Overrides::from_text("z9.large=3,10,10\nm5.large=3,10,10").unwrap();
    assert_eq!(overrides.types().collect::<Vec<_>>(), ["m5.large", "z9.large"]);
}

#[test]
fn every_figure_may_reach_its_bounds() {
    check("test.large=1,2,0", "test.large=1,2,0");
    check("test.large=128,256,256", "test.large=128,256,256");
}

#[test]
fn a_figure_out_of_bounds_is_refused() {
    check(
        "test.large=0,2,0",
        "\"test.large=0,2,0\": \"0\" network interfaces, expected a whole number from 1 to 128",
    );
    check(
        "test.large=129,2,0",
        "\"test.large=129,2,0\": \"129\" network interfaces, expected a whole number from 1 to 128",
    );
    check(
        "test.large=4,1,0",
        "\"test.large=4,1,0\": \"1\" IPv4 addresses per network interface, expected a whole number \
         from 2 to 256",
    );
    check(
        "test.large=4,10,257",
        "\"test.large=4,10,257\": \"257\" IPv6 addresses per network interface, expected a whole \
         number from 0 to 256",
    );
    check(
        "test.large=4,99999999999999999999,0",
        "\"test.large=4,99999999999999999999,0\": \"99999999999999999999\" IPv4 addresses per \
         network interface, expected a whole number from 2 to 256",
    );
}

#[test]
fn a_figure_that_is_no_number_is_refused() {
    for text in ["", "-3", "+3", "3.5", "three", "3 4", "０"] {
        check(
            &format!("m5.large={text},10,10"),
            &format!(
                "{:?}: {text:?} network interfaces, expected a whole number from 1 to 128",
                format!("m5.large={text},10,10"),
            ),
        );
    }
}

#[test]
fn the_wrong_number_of_parts_is_refused() {
    let shape = "expected TYPE=ENIS,IPV4,IPV6 or TYPE=ENIS,IPV4,IPV6,HYPERVISOR, such as \
                 m5.large=3,10,10";
    check("", &format!("\"\": no `=`, {shape}"));
    check("m5.large", &format!("\"m5.large\": no `=`, {shape}"));
    check("m5.large:3,10,10", &format!("\"m5.large:3,10,10\": no `=`, {shape}"));
    check("m5.large=", &format!("\"m5.large=\": 1 part after `=`, {shape}"));
    check("m5.large=3,10", &format!("\"m5.large=3,10\": 2 parts after `=`, {shape}"));
    check(
        "m5.large=3,10,10,nitro,",
        &format!("\"m5.large=3,10,10,nitro,\": 5 parts after `=`, {shape}"),
    );
}

#[test]
fn what_cannot_be_an_instance_type_is_refused() {
    for name in
        ["", "m5large", "M5.large", "m5.", ".large", "m5..large", "m5 .large", "\u{feff}m5.large"]
    {
        check(
            &format!("{name}=3,10,10"),
            &format!(
                "{:?}: {name:?} before `=` is not an instance type in lower case, such as m5.large",
                format!("{name}=3,10,10"),
            ),
        );
    }
}

#[test]
fn an_unknown_hypervisor_is_refused() {
    for word in ["", "Nitro", "unknown", "bare-metal"] {
        check(
            &format!("m5.large=3,10,10,{word}"),
            &format!(
                "{:?}: {word:?} as the hypervisor, expected nitro, xen or metal",
                format!("m5.large=3,10,10,{word}"),
            ),
        );
    }
}

#[test]
fn a_file_has_one_entry_per_line_with_comments_and_blank_lines() {
    let text = "# lab\n\nm5.large=3,10,10\r\n  test.large=4,5,6,nitro   # from the vendor\n\t\n#\n";
    check_source(Overrides::from_text(text), "accepted");
    check_source(Overrides::from_text(""), "accepted");
    check_source(Overrides::from_text("m5.large=3,10,10"), "accepted");
}

#[test]
fn a_file_reports_every_bad_line_by_its_number() {
    let text = "# lab\nm5.large=3,10,ten\n\nm5.xlarge=4,15,15\ntest.large=0,5,6 # none\nm5.large 3";
    check_source(
        Overrides::from_text(text),
        "line 2: \"m5.large=3,10,ten\": \"ten\" IPv6 addresses per network interface, expected a whole \
         number from 0 to 256\n\
         line 5: \"test.large=0,5,6\": \"0\" network interfaces, expected a whole number from 1 to 128\n\
         line 6: \"m5.large 3\": no `=`, expected TYPE=ENIS,IPV4,IPV6 or \
         TYPE=ENIS,IPV4,IPV6,HYPERVISOR, such as m5.large=3,10,10",
    );
}

#[test]
fn a_type_that_is_set_twice_in_one_source_is_refused() {
    check_source(
        Overrides::from_text(
            "m5.large=3,10,10\nm5.xlarge=4,15,15\nm5.large = 2,10,10\nm5.large=1,2,0",
        ),
        "line 3: \"m5.large = 2,10,10\": line 1 has already set this type, with \"m5.large=3,10,10\"\n\
         line 4: \"m5.large=1,2,0\": line 1 has already set this type, with \"m5.large=3,10,10\"",
    );
    check_source(
        Overrides::from_arguments(["m5.large=3,10,10", "m5.large=3,10,10"]),
        "override 2: \"m5.large=3,10,10\": override 1 has already set this type, with \
         \"m5.large=3,10,10\"",
    );
}

#[test]
fn arguments_are_not_split_and_have_no_comments() {
    check_source(Overrides::from_arguments([]), "accepted");
    check_source(Overrides::from_arguments(["m5.large=3,10,10", "m5.xlarge=4,15,15"]), "accepted");
    check_source(
        Overrides::from_arguments([
            "m5.large=3,10,10 # mine",
            "m5.xlarge=4,15,15 m4.large=2,10,10",
        ]),
        "override 1: \"m5.large=3,10,10 # mine\": \"10 # mine\" IPv6 addresses per network interface, \
         expected a whole number from 0 to 256\n\
         override 2: \"m5.xlarge=4,15,15 m4.large=2,10,10\": 5 parts after `=`, expected \
         TYPE=ENIS,IPV4,IPV6 or TYPE=ENIS,IPV4,IPV6,HYPERVISOR, such as m5.large=3,10,10",
    );
}

/// Texts that are nearly entries, and texts that are nothing of the kind.
fn texts() -> impl Strategy<Value = String> {
    let nearly = "[ ]?[a-z0-9-]{0,5}[.]?[a-z0-9-]{0,5} ?=? ?[0-9]{0,3},?[0-9]{0,3},[0-9]{0,3}(,(nitro|xen|metal|x))?";
    let entry = "[a-z][0-9]\\.[0-9]?x?large=[1-9],[1-9][0-9],[0-9]{1,2}(,nitro|,xen|,metal)?";
    prop_oneof![nearly, entry, any::<String>()]
}

proptest! {
    #[test]
    fn a_text_is_an_entry_that_can_be_written_back_or_is_named_in_the_error(text in texts()) {
        match text.parse::<Override>() {
            Ok(entry) => prop_assert_eq!(entry.to_string().parse(), Ok(entry)),
            Err(error) => {
                prop_assert_eq!(&error.entry, text.trim());
                let named = format!("{:?}: ", text.trim());
                prop_assert!(error.to_string().starts_with(&named), "{error}");
            }
        }
    }

    #[test]
    fn a_file_is_accepted_exactly_when_each_of_its_lines_is(lines in prop::collection::vec(texts(), 0..5)) {
        let lines: Vec<String> =
            lines.iter().map(|line| line.replace(['\n', '\r', '#'], "")).collect();
        let refused = lines.iter().enumerate().filter(|(_, line)| {
            !line.trim().is_empty() && line.parse::<Override>().is_err()
        });
        let refused: Vec<usize> = refused.map(|(index, _)| index + 1).collect();
        let reported: Vec<usize> = match Overrides::from_text(&lines.join("\n")) {
            Ok(_) => vec![],
            Err(RefusedOverrides { errors }) => errors
                .iter()
                .filter(|error| !matches!(error.problem, limits::Problem::Repeated { .. }))
                .filter_map(|error| match error.place {
                    Some(limits::Place::Line(line)) => Some(line),
                    _ => None,
                })
                .collect(),
        };
        prop_assert_eq!(reported, refused);
    }
}
