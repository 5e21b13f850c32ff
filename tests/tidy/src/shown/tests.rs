use super::*;

const GATE: &str = "\
readonly STEPS=(
  \"test       passes\"
  \"readme     passes\"
  \"no-std     passes\"
  \"benches    passes\"
  \"real       passes\"
)
step_test() {
  .ci/readme --step test
}
step_readme() {
  .ci/readme
}
step_no_std() {
  cargo build -p core --target none
}
step_benches() {
  .ci/readme --step benches
}
step_real() {
  .ci/readme --step real
}
step_fuzz() {
  .ci/fuzz 60
}
";

const SUITE: &str = "command.args([\"--suite\", \"documents\"]);\n";

/// What `check_blocks` says of a document with one block.
#[track_caller]
fn check_block(block: &str, expected: &str) {
    let text = format!(
        "== .ci/run\n{GATE}\n== tests/real/tests/documents.rs\n{SUITE}\n== a.md\n{block}\n```\n"
    );
    let expected = if expected.is_empty() { String::new() } else { format!("a.md:1: {expected}") };
    crate::testing::check(check_blocks, &text, &expected);
}

#[test]
fn blocks_that_are_run_are_fine() {
    check_block("```sh\ncargo run", "");
    check_block("```sh step=test\ncargo test", "");
    check_block("```sh suite=documents\nkubectl get nodes", "");
    check_block("```text\nwhat it prints", "");
    check_block("```rust\ncargo ", "");
}

#[test]
fn blocks_that_nobody_runs_are_found() {
    check_block("```console\n$ ls", "mark it ```sh instead of ```console, so that it is run");
    check_block("```bash\nls", "mark it ```sh instead of ```bash, so that it is run");
    let text = |line: &str| format!("put `{line}` into a block marked ```sh, so that it is run");
    check_block("```text\n$ ls", &text("$ ls"));
    check_block("```\na\ncargo run", &text("cargo run"));
    check_block("```sh by=hand\nls", "mark it `step=NAME` or `suite=NAME`, not `by=hand`");
    check_block("```sh step=tests\nls", "let the step `tests` run `.ci/readme --step tests`");
    check_block("```sh step=no-std\nls", "let the step `no-std` run `.ci/readme --step no-std`");
    let suite = "let tests/real/tests/kubectl.rs run `.ci/readme --suite kubectl`";
    check_block("```sh suite=kubectl\nls", suite);
}

#[test]
fn the_step_of_plain_blocks_is_there() {
    let text = "== a.md\n```sh\nls\n```\n";
    crate::testing::check(check_blocks, text, "a.md:1: let the step `readme` run `.ci/readme`");
}

#[test]
fn the_gate_repeats_no_command() {
    let copied = GATE.replace(".ci/readme --step test", ".ci/readme --step test\n  cargo test");
    let text = format!("== .ci/run\n{copied}\n== a.md\n```sh step=test\ncargo test\n```\n");
    let expected = ".ci/run:10: let `.ci/readme --step` read the command from its document";
    crate::testing::check(check_blocks, &text, expected);
}

/// What `check_inline` says of a code span. Of the commands in blocks, some are run.
#[track_caller]
fn check_span(code: &str, is_run: bool) {
    let text = format!(
        "
== Cargo.toml
workspace.default-members = [\"agent\", \"core\"]
== .cargo/config.toml
[alias]
gen = \"run -q --bin gen --\"
lost = \"run -q --bin lost --\"
== .ci/run
{GATE}
== agent/Cargo.toml
package.name = \"berth-agent\"
== agent/src/main.rs
== core/Cargo.toml
package.name = \"core\"
== tests/real/Cargo.toml
package.name = \"real\"
== benches/Cargo.toml
package.name = \"benches\"
== a.md
```sh
cargo build --quiet --bin berth-agent
cargo run -q --bin gen
cargo bench -p benches --locked -- --test
PATH=$PWD berth-agent run --node-name=a 2> log
target/debug/berth-agent status --all -o json
```
`{code}`
"
    );
    let advice =
        format!("a.md:8: show `{code}` in a block that is run, or correct it: nothing runs it");
    crate::testing::check(check_inline, &text, if is_run { "" } else { &advice });
}

#[test]
fn commands_in_sentences_that_are_run_are_fine() {
    for code in [
        "cargo",
        "cargo-deny",
        "cargo test",
        "cargo test --workspace --locked",
        "cargo test -p core --test any -- name",
        "cargo test -p real",
        "A=1 cargo bench -p benches --bench one -- --save",
        "cargo run --release --bin berth-agent -- status",
        "cargo gen --output x",
        "cargo build -p core --target none",
        ".ci/run",
        ".ci/run --list",
        ".ci/run no-std STEP",
        ".ci/fuzz 60",
        "berth-agent",
        "berth-agent run",
        "berth-agent status --all",
        "target/release/berth-agent run",
        "kubectl get nodes",
    ] {
        check_span(code, true);
    }
}

#[test]
fn commands_in_sentences_that_nobody_runs_are_found() {
    for code in [
        "cargo test -p benches",
        "cargo test -p core --features more",
        "cargo test -p core --no-default-features",
        "cargo bench -p core",
        "cargo run --bin other",
        "cargo run -p core --example plan",
        "cargo lost",
        "cargo check -p core",
        ".ci/run no-such-step",
        ".ci/fuzz 61",
        "berth-agent check",
        "target/debug/berth-agent check",
        "berth-agent run --all",
    ] {
        check_span(code, false);
    }
}

#[test]
fn whoever_runs_the_benches_of_all_packages_runs_those_of_each() {
    let check = |run: &str, expected: &str| {
        let text = format!(
            "== Cargo.toml\n== .ci/run\n{GATE}\n== benches/Cargo.toml\npackage.name = \"benches\"\n== a.md\n```sh\n{run}\n```\n`cargo bench -p benches --bench one`\n"
        );
        crate::testing::check(check_inline, &text, expected);
    };
    check("cargo bench --workspace --profile dev --bench '*' -- --test", "");
    let missing = "a.md:4: show `cargo bench -p benches --bench one` in a block that is run, or correct it: nothing runs it";
    check("cargo bench --workspace --bench other", missing);
    check("cargo test --workspace --bench '*'", missing);
}
