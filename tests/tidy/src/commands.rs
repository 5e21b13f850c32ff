//! The commands that documents show.

use toml::Table;

use crate::manifest::{Manifest, Workspace};
use crate::markdown::{Line, lines, section, shell_blocks};
use crate::{Finding, Tree};

const RULE: &str = "commands";
const README: &str = "README.md";
const CI: &str = ".ci/run";
const CARGO_SETTINGS: &str = ".cargo/config.toml";

/// The commands of cargo itself that documents use.
const CARGO: &[&str] = &["bench", "build", "check", "clippy", "doc", "fmt", "run", "test"];

/// Finds where the README lacks its one test command, and where `.ci/run` repeats it instead of reading it.
#[must_use]
pub fn check_test_command(tree: &Tree) -> Vec<Finding> {
    let readme = tree.get(README).unwrap_or_default();
    let Some((heading, inside)) = section(readme, "Test") else {
        return vec![Finding::new(RULE, README, 1, "write the section `## Test`")];
    };
    let blocks = shell_blocks(inside);
    let Some([(_, command)]) = blocks.first().map(Vec::as_slice) else {
        let advice = "start the section with the test command: one line in one ```sh block";
        return vec![Finding::new(RULE, README, heading, advice)];
    };
    repeated(tree, command)
}

fn repeated(tree: &Tree, command: &str) -> Vec<Finding> {
    let ci = tree.get(CI).unwrap_or_default();
    let copies = lines(ci).filter(|(_, line)| line.trim() == command.trim());
    let mut findings: Vec<Finding> = copies
        .map(|(number, _)| Finding::new(RULE, CI, number, "read the test command from the README"))
        .collect();
    if !ci.contains(README) {
        findings.push(Finding::new(RULE, CI, 1, "read the test command from the README"));
    }
    findings
}

/// Finds commands of cargo in the shell blocks of documents that name a command, a package or a program that is not there.
#[must_use]
pub fn check_documents(tree: &Tree) -> Vec<Finding> {
    Workspace::check(tree, |workspace| {
        let names = Names::read(tree, workspace);
        let blocks = tree.with_extension("md").flat_map(|(path, text)| {
            shell_blocks(lines(text)).into_iter().flatten().map(move |line| (path, line))
        });
        blocks.flat_map(|(path, line)| names.unknown(path, line)).collect()
    })
}

/// Finds aliases that run a program and keep from it what is written behind them, such as `--help`.
#[must_use]
pub fn check_aliases(tree: &Tree) -> Vec<Finding> {
    let keeping = aliases(tree).into_iter().filter(|(_, value)| {
        let command = value.as_str().unwrap_or_default();
        command.starts_with("run ") && !command.ends_with(" --")
    });
    let advice = |name: String| format!("end the alias `{name}` with ` --`");
    keeping.map(|(name, _)| Finding::new(RULE, CARGO_SETTINGS, 1, advice(name))).collect()
}

fn aliases(tree: &Tree) -> Table {
    let text = tree.get(CARGO_SETTINGS).unwrap_or_default();
    let mut settings: Table = text.parse().unwrap_or_default();
    match settings.remove("alias") {
        Some(toml::Value::Table(aliases)) => aliases,
        _ => Table::new(),
    }
}

/// What a command may name.
struct Names {
    commands: Vec<String>,
    packages: Vec<String>,
    programs: Vec<String>,
}

impl Names {
    fn read(tree: &Tree, workspace: &Workspace) -> Self {
        let aliases = aliases(tree).into_iter().map(|(name, _)| name);
        let crates = &workspace.crates;
        let packages = crates.iter().filter_map(Manifest::package);
        Self {
            commands: aliases.chain(CARGO.iter().map(ToString::to_string)).collect(),
            packages: packages.map(str::to_owned).collect(),
            programs: crates.iter().flat_map(|manifest| programs(tree, manifest)).collect(),
        }
    }

    fn unknown(&self, path: &str, (number, line): Line) -> Vec<Finding> {
        let words = words_for_cargo(line);
        let unknown = words.windows(2).filter_map(|pair| {
            let (kind, names) = match pair[0] {
                "cargo" => ("command of cargo", &self.commands),
                "-p" | "--package" => ("package", &self.packages),
                "--bin" => ("program", &self.programs),
                _ => return None,
            };
            let known = names.iter().any(|name| name == pair[1]);
            let advice = format!("correct the command: there is no {kind} `{}`", pair[1]);
            (!known).then(|| Finding::new(RULE, path, number, advice))
        });
        unknown.collect()
    }
}

/// `cargo` and what it is called with. What follows `--`, a comment sign or the next command is not for cargo.
fn words_for_cargo(line: &str) -> Vec<&str> {
    let words = line.split_whitespace().skip_while(|word| *word != "cargo");
    words.take_while(|word| !matches!(*word, "--" | "#" | "|" | "&&" | ">")).collect()
}

/// The programs that cargo finds in a crate by their places.
fn programs(tree: &Tree, manifest: &Manifest) -> Vec<String> {
    let folder = manifest.folder;
    let main = tree.get(&format!("{folder}/src/main.rs"));
    let own = main.and_then(|_| manifest.package());
    let prefix = format!("{folder}/src/bin/");
    let others =
        tree.iter().filter_map(|(path, _)| path.strip_prefix(&prefix)?.strip_suffix(".rs"));
    own.into_iter().chain(others).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const READING: &str = "read README.md\ncargo test --locked -p tidy\n";

    #[track_caller]
    fn check_test(test_section: &str, ci: &str, expected: &str) {
        let text = format!("== README.md\n# Berth\n{test_section}\n== .ci/run\n{ci}");
        crate::testing::check(check_test_command, &text, expected);
    }

    #[test]
    fn the_test_command_is_written_once() {
        let section = "## Test\n\nWords.\n```sh\ncargo test --locked\n```\n";
        check_test(section, READING, "");
        check_test(
            section,
            "# README.md\n    cargo test --locked\n",
            ".ci/run:2: read the test command from the README",
        );
        check_test(section, "true\n", ".ci/run:1: read the test command from the README");
    }

    #[test]
    fn a_missing_test_command_is_found() {
        check_test("## Tests", READING, "README.md:1: write the section `## Test`");
        let expected =
            "README.md:2: start the section with the test command: one line in one ```sh block";
        check_test("## Test\n`cargo test`\n## More\n```sh\ncargo test\n```", READING, expected);
        check_test("## Test\n```sh\ncargo test\ncargo bench\n```", READING, expected);
    }

    #[test]
    fn aliases_pass_on_what_is_written_behind_them() {
        let check = |alias: &str, expected: &str| {
            let text = format!("== .cargo/config.toml\n[alias]\n{alias}\n");
            crate::testing::check(check_aliases, &text, expected);
        };
        check("a = \"run -p a --\"\nb = \"test -p b\"", "");
        let expected = ".cargo/config.toml:1: end the alias `a` with ` --`";
        check("a = \"run -p a\"", expected);
    }

    #[track_caller]
    fn check_command(command: &str, expected: &str) {
        let text = format!(
            "
== Cargo.toml
== .cargo/config.toml
[alias]
tidy = \"test -p tidy\"
== ipam-core/crd/Cargo.toml
package.name = \"cilium-node\"
== ipam-core/crd/src/bin/crdgen.rs
== operator/Cargo.toml
package.name = \"berth-operator\"
== operator/src/main.rs
== a.md
```sh
{command}
```
"
        );
        let expected = if expected.is_empty() {
            String::new()
        } else {
            format!("a.md:2: correct the command: there is no {expected}")
        };
        crate::testing::check(check_documents, &text, &expected);
    }

    #[test]
    fn commands_that_work_are_fine() {
        check_command("cargo run --locked -p cilium-node --bin crdgen | head", "");
        check_command("cargo run --bin berth-operator -- --bin x", "");
        check_command("RUST_LOG=info cargo tidy # cargo -p x", "");
        check_command("kubectl -p x", "");
    }

    #[test]
    fn names_that_are_not_there_are_found() {
        check_command("cargo benhc", "command of cargo `benhc`");
        check_command("cargo run -p crd", "package `crd`");
        check_command("cargo test --package crd", "package `crd`");
        check_command("$ cargo run --bin crd", "program `crd`");
    }
}
