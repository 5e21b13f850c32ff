//! Looks at everything that runs, and makes one [`Moment`] of it.

mod agents;
mod cloud;
mod nodes;
mod tell;
#[cfg(test)]
mod tests;

use std::time::Duration;

use berth_operator::board::{Board, Readiness};
use ec2_sim::face::shared::Shared;

use self::agents::Agents;
use self::cloud::{Cloud, Returns};
use self::tell::Teller;
use crate::audit::{Audit, Operator, Outages, Patience, Said};
use crate::book::Book;
use crate::moment::{Moment, Node};
use crate::news::News;
use crate::nodes::Nodes;

/// Whoever looks: once a second is often enough.
#[derive(Debug)]
pub struct Watcher {
    ec2: Shared,
    nodes: Nodes,
    book: Book,
    news: News,
    outages: Outages,
    audit: Audit,
    agents: Agents,
    returns: Returns,
    teller: Teller,
    /// Findings that were told.
    told: usize,
    /// The nodes as they were seen last.
    before: Vec<Node>,
}

impl Watcher {
    /// Whoever looks at these.
    #[must_use]
    pub fn new(ec2: Shared, nodes: Nodes, book: Book, news: News, outages: Outages) -> Self {
        Self {
            ec2,
            nodes,
            book,
            news,
            outages,
            audit: Audit::new(Patience::default()),
            agents: Agents::default(),
            returns: Returns::default(),
            teller: Teller::default(),
            told: 0,
            before: Vec::new(),
        }
    }

    /// Looks, audits what it sees, and tells what is new. It takes no longer than the slowest agent, and a second at most where there are
    /// no more of them than are asked at once. `board` is that of the operator that runs, if one does.
    pub async fn look(&mut self, board: Option<&Board>) -> Moment {
        let all = self.nodes.all();
        let used_before = self.book.in_use_since();
        self.agents.ask(&all).await;
        let at = self.news.elapsed();
        let operator = board.map(operator);
        let said = Said {
            at,
            used_before,
            reports: self.agents.answers(),
            operator: operator.as_ref(),
            outage: self.outages.excuse(self.audit.patience().outage),
        };
        let findings = self.audit.look(&self.ec2, &self.nodes, &self.book, &said);
        let cloud = Cloud::read(&self.ec2, &all);
        let rows = operator.as_ref().map(|operator| &operator.rows);
        let moment = Moment {
            at,
            nodes: nodes::all(&all, &self.agents, &cloud, rows, &self.before),
            pods: self.book.counts(),
            waiting: self.book.waiting(),
            calls: cloud.calls,
            given_back: self.returns.read(&self.ec2),
            operator: board.map_or("away", |board| readiness(board.readiness())).to_owned(),
            findings,
        };
        self.tell(&moment);
        self.before.clone_from(&moment.nodes);
        moment
    }

    fn tell(&mut self, moment: &Moment) {
        for told in self.teller.look(moment) {
            if told.is_trouble {
                self.news.warn(told.text);
            } else {
                self.news.tell(told.text);
            }
        }
        for (_, text) in self.audit.findings().iter().skip(self.told) {
            self.news.warn(format!("a promise is broken: {text}"));
        }
        self.told = self.audit.findings().len();
    }

    /// What was broken so far, each once, with the moment at which it was seen first.
    #[must_use]
    pub fn findings(&self) -> &[(Duration, String)] {
        self.audit.findings()
    }

    /// The book that is looked at.
    #[must_use]
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// Where it tells what is new.
    #[must_use]
    pub const fn news(&self) -> &News {
        &self.news
    }
}

fn operator(board: &Board) -> Operator {
    let rows = board.rows().into_iter().map(|row| (row.name.clone(), row));
    Operator { is_ready: board.readiness() == Readiness::Ready, rows: rows.collect() }
}

const fn readiness(readiness: Readiness) -> &'static str {
    match readiness {
        Readiness::Starting => "starting",
        Readiness::Standby => "standby",
        Readiness::Observing => "observing",
        Readiness::Ready => "ready",
    }
}
