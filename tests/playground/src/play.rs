//! One run, from the first node to the summary. It puts the parts together and decides nothing about them.

use std::io::{self, Write as _};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use berth_shell::signals::Stop;
use futures::FutureExt;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::audit::Outages;
use crate::book::Book;
use crate::moment::Moment;
use crate::news::News;
use crate::plan::{Happening, What};
use crate::plugin::{FindError, Plugin};
use crate::pods::{ADDRESS_WAIT, Pods, PodsOptions};
use crate::record::Recorder;
use crate::report::{self, ReportError};
use crate::settings::{Output, Settings};
use crate::stage::{Evict, Place, Stage, StageError};
use crate::summary::Summary;
use crate::view::{Screen, Show};
use crate::watch::Watcher;

/// Between two pictures.
const PICTURE: Duration = Duration::from_millis(250);
/// Between two looks at everything.
const LOOK: Duration = Duration::from_secs(1);
/// How long pods that wait at the end may still be served.
const SETTLE: Duration = Duration::from_secs(5);
/// How long starting may still take once the end is asked for: what is whole can be taken away again.
const START_ENDS: Duration = Duration::from_secs(2);
/// Events that are handed to the screen.
const NEWS: usize = 200;

/// Why a run came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// There is no plugin.
    #[error(transparent)]
    Plugin(#[from] FindError),
    /// What is played on cannot be built.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Standard output cannot be written.
    #[error("standard output cannot be written")]
    Output(#[from] io::Error),
    /// The end was asked for, and what is waited for does not come, such as an answer of a real API server.
    #[error("stopped before the first node was there")]
    Stopped,
    /// The report cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// Everything that runs.
struct Play<'a> {
    settings: &'a Settings,
    stop: &'a Stop,
    stage: Stage,
    pods: Arc<Pods>,
    book: Book,
    news: News,
    outages: Outages,
    watcher: Watcher,
    recorder: Recorder,
}

/// Plays what is set, until its time is over or `stop` is asked for. The time counts from when the nodes of the start have joined. Answers
/// whether all was well.
///
/// # Errors
/// Something cannot be started or written. What goes wrong in a run is a part of its summary.
pub async fn play(settings: &Settings, folder: &Path, stop: &Stop) -> Result<bool, PlayError> {
    let mut start = pin!(Play::start(settings, stop));
    let mut play = tokio::select! {
        started = &mut start => started?,
        () = stop.asked() => timeout(START_ENDS, start).await.map_err(|_| PlayError::Stopped)??,
    };
    let performed = play.perform(folder).await;
    // Whatever happened: what was made in a real cluster is taken away.
    let broken = play.end().await;
    for what in &broken {
        say_to_people(settings.output, &format!("broken: {what}\n"))?;
    }
    Ok(performed? && broken.is_empty())
}

impl<'a> Play<'a> {
    async fn start(settings: &'a Settings, stop: &'a Stop) -> Result<Self, PlayError> {
        let plugin = if settings.in_process {
            Plugin::InProcess
        } else {
            let named = settings.plugin.clone();
            // Cargo may have to build it first.
            spawn_blocking(move || Plugin::find(named.as_deref()))
                .await
                .map_err(io::Error::from)??
        };
        let (news, book, outages) = (News::default(), Book::default(), Outages::default());
        for notice in &settings.notices {
            news.warn(notice.clone());
        }
        let place = Place { kubeconfig: settings.kubeconfig.clone(), ..Place::default() };
        let stage = Stage::build(&settings.plan, place, news.clone()).await?;
        let (ec2, nodes) = (stage.ec2().clone(), stage.nodes().clone());
        let watcher = Watcher::new(ec2, nodes.clone(), book.clone(), news.clone(), outages.clone());
        let pods = Pods::start(PodsOptions {
            client: stage.client(),
            nodes,
            book: book.clone(),
            news: news.clone(),
            plugin,
            address_wait: ADDRESS_WAIT,
            seed: settings.plan.seed,
        });
        let (pods, recorder) = (Arc::new(pods), Recorder::default());
        Ok(Self { settings, stop, stage, pods, book, news, outages, watcher, recorder })
    }

    /// Everything from the first node to the summary, and what comes behind it with `--keep`. Answers whether all was well.
    async fn perform(&mut self, folder: &Path) -> Result<bool, PlayError> {
        self.run().await?;
        self.pods.stop_making();
        let summary = self.sum_up(folder).await?;
        let is_asked_to_stop = self.stop.asked().now_or_never().is_some();
        if self.settings.keep && !is_asked_to_stop {
            self.stay().await?;
        }
        let later = self.watcher.findings().iter().skip(summary.findings.len());
        for (at, finding) in later.clone() {
            let text = format!("a promise was broken after {:.0} s: {finding}\n", at.as_secs_f64());
            say_to_people(self.settings.output, &text)?;
        }
        Ok(summary.is_well() && later.count() == 0)
    }

    /// Pods come and go, and what the timeline says happens, until the time is over or the end is asked for.
    async fn run(&mut self) -> Result<(), PlayError> {
        let mut screen = Screen::open(&self.settings.plan, show(self.settings))?;
        let ran = self.run_on(&mut screen).await;
        screen.close()?;
        ran
    }

    async fn run_on(&mut self, screen: &mut Screen) -> Result<(), PlayError> {
        let plan = &self.settings.plan;
        self.pods.play(&plan.pods);
        let mut timeline = plan.timeline.iter().peekable();
        let mut opening = pin!(self.stage.open().fuse());
        let mut asked = pin!(self.stop.asked());
        let mut pictures = interval(PICTURE);
        pictures.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut moment, mut looked) = (Moment::default(), None::<Instant>);
        // However long the nodes take to join: the run's length and its timeline count from when they have.
        let mut open_since = None::<Instant>;
        let lasted = |since: Option<Instant>| since.map_or(Duration::ZERO, |since| since.elapsed());
        while lasted(open_since) < plan.length && !screen.wants_to_end() {
            tokio::select! {
                () = &mut asked => break,
                opened = &mut opening => {
                    opened?;
                    open_since = Some(Instant::now());
                    let at = self.news.elapsed();
                    self.recorder.begin(at);
                    screen.begin(at);
                }
                _ = pictures.tick() => {}
            }
            let due_now = |next: &&Happening| open_since.is_some() && next.at <= lasted(open_since);
            while let Some(due) = timeline.next_if(due_now) {
                happen(due, &self.stage, &self.pods, &self.book, &self.outages);
            }
            if looked.is_none_or(|last| last.elapsed() >= LOOK) {
                looked = Some(Instant::now());
                moment = look(&self.stage, &mut self.watcher, &mut self.recorder).await;
            }
            moment.at = self.news.elapsed();
            moment.pods = self.book.counts();
            screen.show(&moment, &self.news.last(NEWS))?;
        }
        Ok(())
    }

    async fn look(&mut self) -> Moment {
        look(&self.stage, &mut self.watcher, &mut self.recorder).await
    }

    /// What came of it, printed and written. Pods that wait get a moment to be served, since the last ones were made just now.
    async fn sum_up(&mut self, folder: &Path) -> Result<Summary, PlayError> {
        let settled = Instant::now() + SETTLE;
        while self.look().await.pods.waiting > 0 && Instant::now() < settled {
            tokio::time::sleep(LOOK).await;
        }
        let path = self.settings.report.clone().unwrap_or_else(|| folder.join("report.html"));
        let record = std::mem::take(&mut self.recorder).finish(&self.watcher);
        let mut summary = Summary::of(&self.settings.plan, &record, Some(path.clone()));
        let written = report::write(&path, &self.settings.plan, &record, &summary);
        if written.is_err() {
            summary.report = None;
        }
        let mut out = io::stdout().lock();
        match self.settings.output {
            Output::Text => write!(out, "{}", summary.table())?,
            Output::Json => writeln!(out, "{:#}", summary.json())?,
        }
        out.flush()?;
        written?;
        Ok(summary)
    }

    /// Goes on without new pods of its own, for people, until the end is asked for.
    async fn stay(&mut self) -> Result<(), PlayError> {
        self.say_how_to_reach()?;
        let mut asked = pin!(self.stop.asked());
        loop {
            tokio::select! {
                () = &mut asked => return Ok(()),
                () = tokio::time::sleep(LOOK) => {}
            }
            let board = self.stage.board();
            self.watcher.look(board.as_deref()).await;
        }
    }

    fn say_how_to_reach(&self) -> io::Result<()> {
        let (kubeconfig, ec2, region) =
            (self.stage.kubeconfig(), self.stage.ec2_endpoint(), self.stage.region());
        let operator = self.stage.operator_address();
        let nodes = operator.map_or_else(String::new, |at| format!("  curl http://{at}/nodes\n"));
        let text = format!(
            "
Everything goes on until ctrl-c, without new pods of its own. To look at it and to take part:

  export KUBECONFIG={}
  export AWS_ENDPOINT_URL_EC2={ec2}
  export AWS_ACCESS_KEY_ID=playground AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION={region}
  kubectl get cn -w
  kubectl apply -f pod.yaml
  aws ec2 describe-network-interfaces
{nodes}",
            kubeconfig.display(),
        );
        say_to_people(self.settings.output, &text)
    }

    /// Ends everything. Answers what of it broke.
    async fn end(self) -> Vec<String> {
        self.pods.end().await;
        self.stage.end().await
    }
}

/// Lets something of the timeline happen.
fn happen(happening: &Happening, stage: &Stage, pods: &Arc<Pods>, book: &Book, outages: &Outages) {
    match happening.what {
        What::Burst { pods: count, over } => return pods.burst(count, over),
        What::Ec2Outage { length } | What::ApiOutage { length } => outages.begin(length),
        _ => {}
    }
    stage.happen(&happening.what, book, pods);
}

/// Looks at everything, and keeps what is seen.
async fn look(stage: &Stage, watcher: &mut Watcher, recorder: &mut Recorder) -> Moment {
    let board = stage.board();
    let moment = watcher.look(board.as_deref()).await;
    recorder.add(&moment);
    moment
}

impl Evict for Pods {
    async fn evict(&self, node: &str) {
        Self::evict(self, node).await;
    }
}

/// What is shown while it runs: with a summary for programs, standard output is the summary's alone.
const fn show(settings: &Settings) -> Show {
    match (settings.output, settings.lines) {
        (Output::Json, _) => Show::LinesToStderr,
        (Output::Text, true) => Show::Lines,
        (Output::Text, false) => Show::Live,
    }
}

/// Something for people beside the summary.
fn say_to_people(output: Output, text: &str) -> io::Result<()> {
    match output {
        Output::Text => io::stdout().lock().write_all(text.as_bytes()),
        Output::Json => io::stderr().lock().write_all(text.as_bytes()),
    }
}
