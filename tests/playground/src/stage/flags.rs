//! Flags of the shipped programs: those that the stage gives, and those of the plan.

use crate::scenario::API_SERVER;

/// The stage's own flags and then the plan's, which win over them. [`API_SERVER`] in these stands for the URL of the API server.
pub(super) fn joined(own: Vec<String>, given: &[String], api_server: &str) -> Vec<String> {
    let is_given = |flag: &String| given.iter().any(|given| name(given) == name(flag));
    let mut all: Vec<String> = own.into_iter().filter(|flag| !is_given(flag)).collect();
    all.extend(given.iter().map(|flag| flag.replace(API_SERVER, api_server)));
    all
}

fn name(flag: &str) -> &str {
    flag.split('=').next().unwrap_or(flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(own: &str, given: &str, expected: &str) {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let all = joined(words(own), &words(given), "http://127.0.0.1:1");
        assert_eq!(all.join(" "), expected);
    }

    #[test]
    fn the_flags_of_the_plan_win() {
        check("--a=1 --b=2", "--c=3", "--a=1 --b=2 --c=3");
        check("--a=1 --ab=2", "--a=3", "--ab=2 --a=3");
        check("--a=1", "--b --a", "--b --a");
        check("--a=1", "--url={api-server}/", "--a=1 --url=http://127.0.0.1:1/");
    }
}
