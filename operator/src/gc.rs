//! `berth-operator gc`: interfaces that Berth made and that are left behind, shown or deleted by hand.
//!
//! What goes is decided by [`Rule`], the rule of the running operator. Only the nodes are not known here.

mod report;

use std::collections::BTreeSet;
use std::time::Duration;

use ipam_core::action::Action;
use ipam_core::call::{Call, CallId, EniScope, Mutation, PageToken, Read, Reply, Request};
use ipam_core::clean_up::{Judgement, Look, Rule, Sights};
use ipam_core::failure::{Failure, Refusal};
use ipam_core::ids::{EniId, InstanceId, VpcId};
use ipam_core::time::Tick;
use tokio::time::{Instant, sleep};

pub use self::report::{Counts, Report, Row, Verdict};
use crate::cloud::Cloud;

/// What is looked for and done.
#[derive(Debug, Clone)]
pub struct Order {
    /// Which interfaces go.
    pub rule: Rule,
    /// The VPCs that are looked at; all of the Region when it is empty.
    pub vpcs: BTreeSet<VpcId>,
    /// The time between the two looks.
    pub settle: Duration,
    /// Whether it ends with a first look.
    pub dry_run: bool,
}

/// Why nothing could be found out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GcError {
    /// A listing failed.
    #[error("interfaces cannot be listed: {0}")]
    NotListed(Failure),
    /// A listing has no end.
    #[error("interfaces cannot be listed: EC2 named a next page {PAGES_MAX} times")]
    Endless,
}

/// Pages that a Region's quota of interfaces never fills, whatever their size.
const PAGES_MAX: usize = 10_000;
/// How often something is asked that is throttled or not answered.
const TRIES: u32 = 5;
/// The pause after the first try, doubled after each.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks, and deletes what is due unless it is only to be shown. `tell` is told how it goes, line by line.
///
/// # Errors
/// What kept it from looking. What could not be deleted is in the report.
pub async fn collect(
    ec2: &impl Cloud,
    order: &Order,
    mut tell: impl FnMut(&str),
) -> Result<Report, GcError> {
    let began = Instant::now();
    let now = || Tick::from_millis(began.elapsed().as_millis().try_into().unwrap_or(u64::MAX));
    let mut sights = Sights::default();
    let mut judge = |look: &Look| {
        let verdicts = order.rule.judge(look, &mut sights, now(), |_| false);
        Report::new(order.dry_run, &verdicts)
    };
    let seen = judge(&look(ec2, order, now(), &mut tell).await?);
    let left_behind = seen.counts.left_behind;
    if order.dry_run || left_behind == 0 {
        return Ok(seen);
    }
    tell(&format!(
        "{left_behind} seen, of which a second look in {:?} has to show the same",
        order.settle
    ));
    sleep(order.settle).await;
    let mut report = judge(&look(ec2, order, now(), &mut tell).await?);
    for row in &mut report.interfaces {
        if let (Verdict::Judged(Judgement::Due), Some(instance)) = (&row.verdict, &row.made_for) {
            row.verdict = delete(ec2, &row.interface, instance).await;
            tell(&format!("{}: {}", row.interface, row.verdict));
        }
    }
    report.count();
    Ok(report)
}

/// One look at all VPCs.
async fn look(
    ec2: &impl Cloud,
    order: &Order,
    now: Tick,
    tell: &mut impl FnMut(&str),
) -> Result<Look, GcError> {
    let mut look = Look::new(now);
    let named: Vec<_> = order.vpcs.iter().cloned().map(Some).collect();
    for vpc in if named.is_empty() { vec![None] } else { named } {
        let scope = EniScope::Unattached { vpc, tags: order.rule.tags().clone() };
        let mut page: Option<PageToken> = None;
        for number in 0.. {
            if number == PAGES_MAX {
                return Err(GcError::Endless);
            }
            let read = Read::Enis { scope: scope.clone(), page };
            let answer = ask(ec2, Request::Read(read)).await.map_err(GcError::NotListed)?;
            let Reply::Enis(listed) = answer else { return Err(GcError::NotListed(unfit())) };
            for what in &listed.unreadable {
                tell(&format!("left alone, since it cannot be read: {what}"));
            }
            page = look.add(listed);
            if page.is_none() {
                break;
            }
        }
    }
    Ok(look)
}

async fn delete(ec2: &impl Cloud, eni: &EniId, instance: &InstanceId) -> Verdict {
    let mutation = Mutation {
        node: None,
        instance: instance.clone(),
        action: Action::DeleteEni { eni: eni.clone() },
        token: String::new(),
        first_sent: Tick::default(),
    };
    match ask(ec2, Request::Mutate(mutation)).await {
        Ok(Reply::Done) => Verdict::Deleted,
        Ok(_) => Verdict::Failed(unfit().to_string()),
        Err(Failure::Refused { refusal: Refusal::EniNotFound, .. }) => Verdict::Gone,
        Err(failure) => Verdict::Failed(failure.to_string()),
    }
}

/// Asks again what is throttled or not answered: a listing changes nothing, and an interface is deleted once at most.
async fn ask(ec2: &impl Cloud, request: Request) -> Result<Reply, Failure> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        let call = Call { id: CallId(0), request: request.clone() };
        match ec2.call(call).await {
            Err(Failure::Throttled | Failure::NoAnswer { .. }) => sleep(pause).await,
            answer => return answer,
        }
        pause *= 2;
    }
    ec2.call(Call { id: CallId(0), request }).await
}

fn unfit() -> Failure {
    Failure::NoAnswer { cause: "the answer is not one to this request".to_owned() }
}
