//! Operators: the real one, with a client of the simulated API and the SDK over the simulated EC2.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::error::CredentialsError;
use berth_operator::aws::{Aws, AwsSettings};
use berth_operator::board::Board;
use berth_operator::cloud::Cloud;
use berth_operator::settings::Settings;
use berth_operator::shell::{self, RunError};
use berth_operator::summaries::Row;
use ec2_sim::face::sdk::InProcess;
use ec2_sim::id::InterfaceId;
use ipam_core::action::Action;
use ipam_core::call::{Call, CallId, Mutation, Request};
use ipam_core::time::Tick;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Rig;
use super::edited::Edited;

/// An operator and how it is ended.
pub(super) struct Operator {
    board: Arc<Board>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), RunError>>,
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Operator {
    pub(super) fn describe(&self) -> String {
        let rows: Vec<String> = self.board.rows().iter().map(|row| format!("{row:?}")).collect();
        let readiness = self.board.readiness();
        format!("{readiness:?} finished {}\n  {}", self.task.is_finished(), rows.join("\n  "))
    }
}

impl Rig {
    /// Flags for the operators that are started from now on.
    pub(crate) fn flags<'a>(&mut self, flags: impl IntoIterator<Item = &'a str>) {
        self.flags.extend(flags.into_iter().map(str::to_owned));
    }

    /// Starts an operator. Its client and its access key are called `operator-` and its name.
    pub(crate) fn start_operator(&mut self, name: &str) {
        let who = format!("operator-{name}");
        let mut flags =
            vec!["--region", &self.region, "--cluster-name", "scenes", "--identity", &who];
        flags.extend(self.flags.iter().map(String::as_str));
        let settings = Settings::from_arguments(flags).unwrap();
        let board = Board::new();
        let aws = self.aws(&who, &board);
        let (stop, stopped) = oneshot::channel();
        let shown = Arc::clone(&board);
        let client = self.kube.client(&who);
        let task = tokio::spawn(async move {
            let stopped = async {
                // Dropped without a word is no wish to end.
                if stopped.await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            shell::run(settings, aws, client, shown, stopped).await
        });
        self.operators.insert(name.to_owned(), Operator { board, stop: Some(stop), task });
    }

    /// EC2 as an operator reaches it.
    fn aws(&self, who: &str, board: &Board) -> Aws {
        let http =
            Edited::new(InProcess::new(self.ec2.clone()), self.edit, Arc::clone(&self.edits));
        let (key, away) = (who.to_owned(), Arc::clone(&self.no_credentials));
        let credentials = provide_credentials_fn(move || {
            let (key, away) = (key.clone(), away.load(Ordering::Relaxed));
            async move {
                if away {
                    return Err(CredentialsError::provider_error("the role cannot be assumed"));
                }
                // Never kept: what is as good as expired is asked for again with each call.
                let expiry = SystemTime::now() + Duration::from_secs(1);
                Ok(Credentials::new(key, "secret", None, Some(expiry), "scenes"))
            }
        });
        let settings = AwsSettings {
            region: Some(self.region.clone()),
            observer: board.observer(),
            ..AwsSettings::new(self.kube.now())
        };
        Aws::over(http, credentials, &settings).unwrap()
    }

    /// Somebody puts an interface behind another security group.
    pub(crate) async fn regroup(&self, eni: &InterfaceId, group: &str) {
        let mutation = Mutation {
            node: None,
            instance: "i-1".parse().unwrap(),
            action: Action::SetSecurityGroups {
                eni: eni.as_str().parse().unwrap(),
                groups: vec![group.parse().unwrap()],
            },
            token: String::new(),
            first_sent: Tick::default(),
        };
        let call = Call { id: CallId(0), request: Request::Mutate(mutation) };
        self.aws("somebody", &Board::new()).call(call).await.unwrap();
    }

    /// Ends an operator where it stands.
    pub(crate) fn kill_operator(&mut self, name: &str) {
        assert!(self.operators.remove(name).is_some(), "no operator {name}");
    }

    /// Ends an operator as SIGTERM does.
    pub(crate) async fn stop_operator(&mut self, name: &str) {
        let mut operator = self.operators.remove(name).unwrap();
        operator.stop.take().unwrap().send(()).unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(10), &mut operator.task).await;
        ended.expect("it ends within 10 s").unwrap().unwrap();
    }

    /// Names of the operators that run.
    pub(crate) fn running(&self) -> Vec<String> {
        let running = self.operators.iter().filter(|(_, operator)| !operator.task.is_finished());
        running.map(|(name, _)| name.clone()).collect()
    }

    /// What an operator shows of a node; of several, the one that shows it.
    pub(crate) fn row(&self, node: &str) -> Option<Row> {
        self.operators.values().find_map(|operator| operator.board.row(node))
    }

    /// The reasons why a node does not get more.
    pub(crate) fn blocked(&self, node: &str) -> Vec<String> {
        let row = self.row(node);
        row.map_or_else(Vec::new, |row| {
            row.blocked.iter().map(|it| it.reason.to_string()).collect()
        })
    }

    /// The metrics of an operator as they are scraped.
    pub(crate) fn exposition(&self, name: &str) -> String {
        self.operators[name].board.exposition()
    }

    /// The value of a series, given with its labels; of the first operator.
    pub(crate) fn metric(&self, series: &str) -> Option<f64> {
        let (_, operator) = self.operators.first_key_value()?;
        let text = operator.board.exposition();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map(|value| value.parse().unwrap())
    }
}
