//! The commands that documents show.

use toml::Table;

use crate::manifest::{Manifest, Workspace};
use crate::markdown::{Line, inline_code, lines, section, shell_blocks};
use crate::{Finding, Tree};

const RULE: &str = "commands";
const README: &str = "README.md";
const CARGO_SETTINGS: &str = ".cargo/config.toml";

/// The commands of cargo itself that documents use.
const CARGO: &[&str] = &["bench", "build", "check", "clippy", "doc", "fmt", "run", "test"];

/// Finds where the README lacks its one test command.
#[must_use]
pub fn check_test_command(tree: &Tree) -> Vec<Finding> {
    let readme = tree.get(README).unwrap_or_default();
    let Some((heading, inside)) = section(readme, "Test") else {
        return vec![Finding::new(RULE, README, 1, "write the section `## Test`")];
    };
    let blocks = shell_blocks(inside);
    match blocks.first() {
        Some(first) if first.mark == "step=test" && first.lines.len() == 1 => Vec::new(),
        _ => {
            let advice =
                "start the section with the test command: one line in one ```sh step=test block";
            vec![Finding::new(RULE, README, heading, advice)]
        }
    }
}

/// Finds commands of cargo in documents, in shell blocks as well as in sentences, that name a command, a package, a target or a feature
/// that is not there.
#[must_use]
pub fn check_documents(tree: &Tree) -> Vec<Finding> {
    Workspace::check(tree, |workspace| {
        let names = Names::read(tree, workspace);
        let commands = tree.with_extension("md").flat_map(|(path, text)| {
            let blocks = shell_blocks(lines(text)).into_iter().flat_map(|block| block.lines);
            let inline = inline_code(text).into_iter().filter(|(_, code)| is_command(code));
            blocks.chain(inline).map(move |line| (path, line))
        });
        commands.flat_map(|(path, line)| names.unknown(path, line)).collect()
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

/// Whether this is a call of cargo, with or without variables in front, and not words about one.
pub(crate) fn is_command(code: &str) -> bool {
    let first = code.split_whitespace().find(|word| !word.contains('='));
    first == Some("cargo")
}

pub(crate) fn aliases(tree: &Tree) -> Table {
    let text = tree.get(CARGO_SETTINGS).unwrap_or_default();
    let mut settings: Table = text.parse().unwrap_or_default();
    match settings.remove("alias") {
        Some(toml::Value::Table(aliases)) => aliases,
        _ => Table::new(),
    }
}

/// All targets of a kind, for cargo behind a shell.
pub(crate) const ALL: &str = "'*'";

/// What a command may name.
struct Names {
    commands: Vec<String>,
    packages: Vec<Package>,
}

/// What commands may name of a package, by the flag with which they do.
struct Package {
    name: String,
    named: Vec<(&'static str, String)>,
}

impl Names {
    fn read(tree: &Tree, workspace: &Workspace) -> Self {
        let aliases = aliases(tree).into_iter().map(|(name, _)| name);
        let packages = workspace.crates.iter().filter_map(|manifest| Package::read(tree, manifest));
        Self {
            commands: aliases.chain(CARGO.iter().map(ToString::to_string)).collect(),
            packages: packages.collect(),
        }
    }

    fn unknown(&self, path: &str, (number, line): Line) -> Vec<Finding> {
        let words = words_for_cargo(line);
        let chosen: Vec<&str> =
            words.windows(2).filter(|pair| is_package(pair[0])).map(|pair| pair[1]).collect();
        let unknown = words.windows(2).filter_map(|pair| {
            let (kind, known) = match pair[0] {
                "cargo" => ("command of cargo", self.commands.iter().any(|name| name == pair[1])),
                flag if is_package(flag) => {
                    ("package", self.packages.iter().any(|package| package.name == pair[1]))
                }
                flag => (kind(flag)?, self.has(&chosen, flag, pair[1])),
            };
            let advice = format!("correct the command: there is no {kind} `{}`", pair[1]);
            (!known).then(|| Finding::new(RULE, path, number, advice))
        });
        unknown.collect()
    }

    /// Whether one of the packages, or any if none is chosen, has a target or a feature of this name. A feature may name its package.
    fn has(&self, chosen: &[&str], flag: &str, name: &str) -> bool {
        if let Some((package, feature)) = name.split_once('/') {
            return self.has(&[package], flag, feature);
        }
        let packages = self.packages.iter().filter(|package| {
            chosen.is_empty() || chosen.iter().any(|chosen| *chosen == package.name)
        });
        let mut named = packages.flat_map(|package| &package.named);
        named.any(|(of, known)| *of == flag && (known == name || name == ALL))
    }
}

impl Package {
    fn read(tree: &Tree, manifest: &Manifest) -> Option<Self> {
        let name = manifest.package()?.to_owned();
        let main = tree.get(&format!("{}/src/main.rs", manifest.folder));
        let mut named: Vec<_> = main.map(|_| ("--bin", name.clone())).into_iter().collect();
        for (flag, _, folder) in TARGETS {
            let found = targets(tree, &format!("{}/{folder}/", manifest.folder));
            named.extend(found.into_iter().map(|target| (*flag, target)));
        }
        let features = manifest.get("features").and_then(|value| value.get_ref().as_table());
        let features = features.into_iter().flat_map(toml::de::DeTable::keys);
        named.extend(features.map(|feature| ("--features", feature.get_ref().to_string())));
        Some(Self { name, named })
    }
}

/// The flags that name a target, what it is, and in which folder of a crate cargo finds it.
const TARGETS: &[(&str, &str, &str)] = &[
    ("--bin", "program", "src/bin"),
    ("--test", "test", "tests"),
    ("--bench", "bench", "benches"),
    ("--example", "example", "examples"),
];

/// What a flag names, where it names something.
fn kind(flag: &str) -> Option<&'static str> {
    let target = TARGETS.iter().find(|(name, ..)| *name == flag).map(|(_, kind, _)| *kind);
    target.or_else(|| (flag == "--features").then_some("feature"))
}

/// Whether `flag` names a package.
pub(crate) fn is_package(flag: &str) -> bool {
    matches!(flag, "-p" | "--package")
}

/// `cargo` and what it is called with. What follows `--`, a comment sign or the next command is not for cargo.
pub(crate) fn words_for_cargo(line: &str) -> Vec<&str> {
    let words = line.split_whitespace().skip_while(|word| *word != "cargo");
    words.take_while(|word| !matches!(*word, "--" | "#" | "|" | "&&" | ">")).collect()
}

/// The targets in `folder`: a file each, or a folder with a `main.rs`.
fn targets(tree: &Tree, folder: &str) -> Vec<String> {
    let paths = tree.iter().filter_map(|(path, _)| path.strip_prefix(folder));
    let names = paths.filter_map(|path| {
        let name = path.strip_suffix("/main.rs").or_else(|| path.strip_suffix(".rs"))?;
        (!name.contains('/')).then(|| name.to_owned())
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_test(test_section: &str, expected: &str) {
        let text = format!("== README.md\n# Berth\n{test_section}\n");
        crate::testing::check(check_test_command, &text, expected);
    }

    #[test]
    fn a_missing_test_command_is_found() {
        check_test("## Test\n\nWords.\n```sh step=test\ncargo test --locked\n```\n", "");
        check_test("## Tests", "README.md:1: write the section `## Test`");
        let expected = "README.md:2: start the section with the test command: one line in one ```sh step=test block";
        check_test("## Test\n`cargo test`\n## More\n```sh step=test\ncargo test\n```", expected);
        check_test("## Test\n```sh step=test\ncargo test\ncargo bench\n```", expected);
        check_test("## Test\n```sh\ncargo test\n```", expected);
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
features.aws = []
== operator/src/main.rs
== operator/tests/shell/main.rs
== operator/examples/plan.rs
== benches/Cargo.toml
package.name = \"benches\"
== benches/benches/core.rs
== benches/benches/fleet/main.rs
== benches/benches/fleet/world.rs
== a.md
Either
```sh
{command}
```
"
        );
        let expected = if expected.is_empty() {
            String::new()
        } else {
            format!("a.md:3: correct the command: there is no {expected}")
        };
        crate::testing::check(check_documents, &text, &expected);
        let inline = text.replace("Either\n```sh\n", "Or\n\n`").replace("\n```\n", "`\n");
        crate::testing::check(check_documents, &inline, &expected);
    }

    #[test]
    fn commands_that_work_are_fine() {
        check_command("cargo run --locked -p cilium-node --bin crdgen | head", "");
        check_command("cargo run --bin berth-operator -- --bin x", "");
        check_command("RUST_LOG=info cargo tidy # cargo -p x", "");
        check_command("kubectl -p x", "");
        check_command("cargo test -p berth-operator --features aws --test shell -- --test x", "");
        check_command("cargo test --features berth-operator/aws --test shell", "");
        check_command("cargo run --example plan -- --example x", "");
        check_command("cargo bench --bench core --bench fleet", "");
        check_command("cargo bench -p benches --bench '*'", "");
    }

    #[test]
    fn names_that_are_not_there_are_found() {
        check_command("cargo benhc", "command of cargo `benhc`");
        check_command("cargo run -p crd", "package `crd`");
        check_command("cargo test --package crd", "package `crd`");
        check_command("A=1 cargo run --bin crd", "program `crd`");
        check_command("cargo run -p cilium-node --bin berth-operator", "program `berth-operator`");
        check_command("cargo bench --bench world", "bench `world`");
        check_command("cargo test --test plan", "test `plan`");
        check_command("cargo bench -p cilium-node --bench '*'", "bench `'*'`");
        check_command("cargo run --example shell", "example `shell`");
        check_command("cargo test -p cilium-node --features aws", "feature `aws`");
        check_command("cargo test --features cilium-node/aws", "feature `cilium-node/aws`");
    }
}
