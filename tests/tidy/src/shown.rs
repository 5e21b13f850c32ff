//! Every command that a document shows is run by somebody.

use crate::commands::{ALL, aliases, is_command, is_package, words_for_cargo};
use crate::manifest::{Manifest, Workspace};
use crate::markdown::{Block, Line, blocks, inline_code, lines, shell_blocks};
use crate::{Finding, Tree};

const RULE: &str = "shown";
const CI: &str = ".ci/run";
/// What runs the blocks of documents.
const RUNNER: &str = ".ci/readme";
/// Where a suite is that runs the blocks marked with its name.
const SUITES: &str = "tests/real/tests";

/// What runs commands beside the documents' blocks: the gate, and what it calls.
const SCRIPTS: &[&str] = &[CI, "limits/generate/against-moto"];

/// Languages of blocks that show commands as `sh` does, and that nobody runs.
const NOT_RUN: &[&str] = &["bash", "console", "shell", "terminal", "zsh"];

/// What a line of commands starts with.
const COMMANDS: &[&str] = &["$ ", "aws ", "cargo ", "curl ", "kubectl ", ".ci/"];

/// Packages whose tests no plain `cargo test` runs, and the steps of the gate that do.
const OTHER_TESTS: &[(&str, &str)] = &[("real", "real")];

/// Words that change what a command says or how fast its program is, and not what is built or run.
const INDIFFERENT: &[&str] = &["-q", "--quiet", "--locked", "--release"];

/// Finds blocks with commands that nobody runs, or that say of themselves to be run by something that does not.
#[must_use]
pub fn check_blocks(tree: &Tree) -> Vec<Finding> {
    let ci = tree.get(CI).unwrap_or_default();
    let documents = tree.with_extension("md").flat_map(|(path, text)| {
        let found = blocks(lines(text)).into_iter().filter_map(|block| {
            let advice = not_run(tree, ci, &block)?;
            Some(Finding::new(RULE, path, block.number, advice))
        });
        found.collect::<Vec<_>>()
    });
    documents.chain(repeated(tree, ci)).collect()
}

/// What to do about a block with commands that nobody runs.
fn not_run(tree: &Tree, ci: &str, block: &Block) -> Option<String> {
    match block.language {
        "sh" => unknown_mark(tree, ci, block.mark),
        language if NOT_RUN.contains(&language) => {
            Some(format!("mark it ```sh instead of ```{language}, so that it is run"))
        }
        "" | "text" => {
            let is_shown = |line: &str| COMMANDS.iter().any(|start| line.starts_with(start));
            let (_, line) = block.lines.iter().find(|(_, line)| is_shown(line))?;
            Some(format!("put `{line}` into a block marked ```sh, so that it is run"))
        }
        _ => None,
    }
}

fn unknown_mark(tree: &Tree, ci: &str, mark: &str) -> Option<String> {
    let (known, advice) = match mark.split_once('=') {
        _ if mark.is_empty() => {
            (runs(ci, "readme", RUNNER), format!("let the step `readme` run `{RUNNER}`"))
        }
        Some(("step", step)) => {
            let command = format!("{RUNNER} --step {step}");
            (runs(ci, step, &command), format!("let the step `{step}` run `{command}`"))
        }
        Some(("suite", suite)) => {
            let file = format!("{SUITES}/{suite}.rs");
            let text = tree.get(&file).unwrap_or_default();
            let calls = text.contains("\"--suite\"") && text.contains(&format!("\"{suite}\""));
            (calls, format!("let {file} run `{RUNNER} --suite {suite}`"))
        }
        _ => (false, format!("mark it `step=NAME` or `suite=NAME`, not `{mark}`")),
    };
    (!known).then_some(advice)
}

/// Whether the line `command` is in the function of `step`.
fn runs(ci: &str, step: &str, command: &str) -> bool {
    let opening = format!("step_{}() {{", step.replace('-', "_"));
    let body = ci.lines().skip_while(|line| *line != opening).take_while(|line| *line != "}");
    body.skip(1).any(|line| line.trim() == command)
}

/// The names of the steps: the first words of the list `STEPS`.
fn steps(ci: &str) -> Vec<&str> {
    let list = ci.lines().skip_while(|line| !line.ends_with("STEPS=(")).skip(1);
    let entries = list.take_while(|line| *line != ")");
    entries.filter_map(|line| line.trim().strip_prefix('"')?.split_whitespace().next()).collect()
}

/// Commands of marked blocks that the gate has a copy of, instead of the document's.
fn repeated(tree: &Tree, ci: &str) -> Vec<Finding> {
    let marked = tree.with_extension("md").flat_map(|(_, text)| shell_blocks(lines(text)));
    let commands: Vec<&str> = marked
        .filter(|block| block.mark.starts_with("step="))
        .flat_map(|block| block.lines)
        .map(|(_, line)| line.trim())
        .collect();
    let copies = lines(ci).filter(|(_, line)| commands.contains(&line.trim()));
    copies
        .map(|(number, _)| {
            let advice = format!("let `{RUNNER} --step` read the command from its document");
            Finding::new(RULE, CI, number, advice)
        })
        .collect()
}

/// Finds commands of cargo, of the gate and of the workspace's programs in sentences that are like none that is run.
#[must_use]
pub fn check_inline(tree: &Tree) -> Vec<Finding> {
    Workspace::check(tree, |workspace| {
        let run = Run::read(tree, workspace);
        let spans = tree
            .with_extension("md")
            .flat_map(|(path, text)| inline_code(text).into_iter().map(move |span| (path, span)));
        spans.filter_map(|(path, span)| run.missing(path, span)).collect()
    })
}

/// What is run.
struct Run<'t> {
    /// Lines of blocks and of scripts.
    lines: Vec<&'t str>,
    steps: Vec<&'t str>,
    aliases: toml::Table,
    /// The packages of plain `cargo test`.
    tested: Vec<String>,
    programs: Vec<String>,
}

impl<'t> Run<'t> {
    fn read(tree: &'t Tree, workspace: &Workspace) -> Self {
        let shown = tree.with_extension("md").flat_map(|(_, text)| shell_blocks(lines(text)));
        let shown = shown.flat_map(|block| block.lines).map(|(_, line)| line);
        let scripts = SCRIPTS.iter().filter_map(|path| tree.get(path)).flat_map(str::lines);
        let tested: Vec<&str> = workspace
            .root
            .list_at("workspace.default-members")
            .iter()
            .map(|(_, path)| *path)
            .collect();
        let is_tested = |manifest: &&Manifest| tested.contains(&manifest.folder);
        let is_program =
            |manifest: &&Manifest| tree.get(&format!("{}/src/main.rs", manifest.folder)).is_some();
        let crates = || workspace.crates.iter();
        let name = |manifest: &Manifest| manifest.package().map(str::to_owned);
        Self {
            lines: shown.chain(scripts).collect(),
            steps: steps(tree.get(CI).unwrap_or_default()),
            aliases: aliases(tree),
            tested: crates().filter(is_tested).filter_map(name).collect(),
            programs: crates().filter(is_program).filter_map(name).collect(),
        }
    }

    fn missing(&self, path: &str, (number, code): Line) -> Option<Finding> {
        let words: Vec<&str> = code.split_whitespace().collect();
        let first = words.first()?;
        let is_run = if is_command(code) {
            self.runs_cargo(&words_for_cargo(code))
        } else if *first == CI {
            words[1..].iter().all(|word| word.starts_with("--") || self.is_step(word))
        } else if first.starts_with(".ci/") {
            self.has(&words)
        } else if let Some(program) = self.program(first)
            && words.len() > 1
        {
            self.runs_program(program, &words[1..])
        } else {
            true
        };
        let advice =
            format!("show `{code}` in a block that is run, or correct it: nothing runs it");
        (!is_run).then(|| Finding::new(RULE, path, number, advice))
    }

    /// The program of the workspace that `word` calls, by its name or by a path.
    fn program(&self, word: &str) -> Option<&str> {
        let name = word.rsplit('/').next()?;
        self.programs.iter().map(String::as_str).find(|program| *program == name)
    }

    fn is_step(&self, word: &str) -> bool {
        word == "STEP" || word == "STEP..." || self.steps.contains(&word)
    }

    /// Whether some line has all of these words, in any order.
    fn has(&self, words: &[&str]) -> bool {
        self.lines.iter().any(|line| has_all(line, words))
    }

    /// Whether some line calls the program, or lets cargo run it, with all of these words.
    fn runs_program(&self, program: &str, arguments: &[&str]) -> bool {
        let path = format!("/{program}");
        let calls = self.lines.iter().filter_map(|line| {
            let mut rest = line.split_whitespace();
            rest.find(|word| *word == program || word.ends_with(&path))?;
            Some(rest.collect::<Vec<_>>())
        });
        calls.into_iter().any(|call| arguments.iter().all(|word| call.contains(word)))
    }

    fn runs_cargo(&self, words: &[&str]) -> bool {
        let Some(command) = words.get(1) else {
            return true;
        };
        if let Some(alias) = self.aliases.get(*command).and_then(toml::Value::as_str) {
            let alias: Vec<&str> =
                std::iter::once("cargo").chain(alias.split_whitespace()).collect();
            let end = alias.iter().position(|word| *word == "--").unwrap_or(alias.len());
            return self.runs_cargo(&alias[..end]);
        }
        match *command {
            "test" => self.tests(words),
            "run" | "build" => ["run", "build"].iter().any(|command| {
                let wanted = words.iter().skip(2).filter(|word| !INDIFFERENT.contains(word));
                let wanted: Vec<&str> =
                    ["cargo", command].into_iter().chain(wanted.copied()).collect();
                self.has(&wanted)
            }),
            // Whoever runs all benches runs each, and those of all packages those of each.
            "bench" => {
                let all = ["cargo", "bench", "--workspace", "--bench", ALL];
                self.has(&chosen(words, "cargo bench")) || self.has(&all)
            }
            _ => self.has(words),
        }
    }

    /// Whether the gate runs these tests: those of the packages that plain `cargo test` takes, or of others that have a step.
    fn tests(&self, words: &[&str]) -> bool {
        let plain = |word: &&str| !word.contains("features") && *word != "--release";
        let packages = words.windows(2).filter(|pair| is_package(pair[0])).map(|pair| pair[1]);
        let mut known = packages.map(|name| {
            let step = OTHER_TESTS.iter().find(|(package, _)| *package == name);
            match step {
                Some((_, step)) => self.is_step(step),
                None => self.tested.iter().any(|tested| tested == name),
            }
        });
        words.iter().all(plain) && known.all(|known| known)
    }
}

/// The words of `command`, and the packages that `words` choose.
fn chosen<'w>(words: &[&'w str], command: &'w str) -> Vec<&'w str> {
    let packages = words.windows(2).filter(|pair| is_package(pair[0]));
    command.split(' ').chain(packages.flatten().copied()).collect()
}

fn has_all(line: &str, words: &[&str]) -> bool {
    let there: Vec<&str> = line.split_whitespace().collect();
    words.iter().all(|word| there.contains(word))
}

#[cfg(test)]
mod tests;
