//! A report for a person.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use super::line;
use super::report::{AddressReport, CidrReport, EniReport, Report, SandboxReport};

/// The report as text: what is used, what the operator says, what is wrong, and where the addresses are. `all`: every address in use too.
#[must_use]
pub fn render(report: &Report, all: bool) -> String {
    let mut text = head(report);
    if !report.enis.is_empty() {
        add(&mut text, &interfaces(&report.enis));
    }
    if all && !report.addresses.is_empty() {
        add(&mut text, &addresses(&report.addresses));
    }
    text
}

fn head(report: &Report) -> String {
    let mut lines = vec![format!("IPAM: {}", allocated(report))];
    lines.push(match (&report.missing, report.ready) {
        (_, true) => "Ready: yes".to_owned(),
        (Some(missing), false) => format!("Ready: no, waiting for {missing}"),
        (None, false) => "Ready: no".to_owned(),
    });
    lines.extend(report.instance.iter().map(|instance| format!("Instance: {instance}")));
    let spare = report.families.iter().map(|family| {
        let super::FamilyReport { family, free, cooling, promised, withdrawn, .. } = family;
        let withdrawn = match withdrawn {
            0 => String::new(),
            count => format!(", {count} in use that the node has no more"),
        };
        format!("{family}: {free} free, {cooling} cooling, {promised} promised{withdrawn}")
    });
    lines.extend(spare);
    lines.push(format!("Waiting: {}", report.waiting));
    lines.push(match &report.operator {
        None => "Operator: not heard yet".to_owned(),
        Some(said) => format!("Operator: heard {} ago", ago(said.age_seconds)),
    });
    let blocked = report.operator.as_ref().and_then(|said| said.blocked.as_deref());
    lines.extend(blocked.map(|blocked| format!("  blocked: {blocked}")));
    lines.push(match &report.not_durable {
        None => "Ledger: on disk".to_owned(),
        Some(why) => format!("Ledger: cannot be written: {why}"),
    });
    lines.extend(report.problems.iter().map(|problem| format!("Problem: {problem}")));
    lines.join("\n") + "\n"
}

fn allocated(report: &Report) -> String {
    if report.families.is_empty() {
        return "no family is enabled".to_owned();
    }
    let used = report.families.iter().map(|one| line(&one.family, one.used, one.attached));
    used.collect::<Vec<_>>().join(", ")
}

/// A day is the largest unit that means something to whoever looks for trouble.
fn ago(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// One row for each interface and prefix. Single addresses of an interface, of which there may be dozens, share one.
fn interfaces(enis: &[EniReport]) -> Table {
    let mut table = table(["ENI", "CIDR", "USED", "FREE", "COOLING", "PROMISED"]);
    for eni in enis {
        let (singles, prefixes): (Vec<&CidrReport>, Vec<&CidrReport>) =
            eni.cidrs.iter().partition(|one| one.cidr.prefix_len() == one.cidr.max_prefix_len());
        for one in prefixes {
            let withdrawn = if one.withdrawn { " (withdrawn)" } else { "" };
            table.add_row(row(&eni.id, format!("{}{withdrawn}", one.cidr), &[one]));
        }
        if !singles.is_empty() {
            let withdrawn = singles.iter().filter(|one| one.withdrawn).count();
            let withdrawn = match withdrawn {
                0 => String::new(),
                count => format!(" ({count} withdrawn)"),
            };
            let what = if singles.len() == 1 { "address" } else { "addresses" };
            let name = format!("{} single {what}{withdrawn}", singles.len());
            table.add_row(row(&eni.id, name, &singles));
        }
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn row(eni: &str, name: String, cidrs: &[&CidrReport]) -> [String; 6] {
    let sum = |part: fn(&CidrReport) -> u32| {
        let sum: u64 = cidrs.iter().map(|one| u64::from(part(one))).sum();
        sum.to_string()
    };
    let figures = [sum(|one| one.used), sum(|one| one.free)];
    let [used, free] = figures;
    [eni.to_owned(), name, used, free, sum(|one| one.cooling), sum(|one| one.promised)]
}

fn addresses(addresses: &[AddressReport]) -> Table {
    let mut table = table(["ADDRESS", "OWNER", "ENI", "STATE", "SANDBOX"]);
    let mut sorted: Vec<&AddressReport> = addresses.iter().collect();
    sorted.sort_by_key(|one| one.address);
    for one in sorted {
        let AddressReport { address, owner, eni, grant: _, unclaimed, sandbox } = one;
        let state = if *unclaimed { "unclaimed" } else { "used" };
        let sandbox = sandbox.as_ref().map(name).unwrap_or_default();
        table.add_row([&address.to_string(), owner, eni, state, &sandbox]);
    }
    table
}

fn name(sandbox: &SandboxReport) -> String {
    let SandboxReport { network, container_id, interface } = sandbox;
    format!("{network}/{container_id}/{interface}")
}

/// Columns, and nothing between them.
fn table<const COLUMNS: usize>(head: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head);
    table
}

fn add(text: &mut String, table: &Table) {
    text.push('\n');
    for line in table.lines() {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{}", line.trim());
    }
}
