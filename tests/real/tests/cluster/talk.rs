//! Pods that speak with each other all the time, and what of it arrived.

use crate::bed::{Bed, script, until};
use crate::crowd::Pod;
use crate::runtime;

/// Where each pod says again what it is told.
const PORT: u16 = 7007;
/// From one word to the next, and from one ping to the next.
const PAUSE_MICROSECONDS: u32 = 150_000;
/// Longer than an answer takes on a busy machine. What comes later was lost.
const ANSWERED_WITHIN_SECONDS: u32 = 20;
/// Fewer would say little: these take six seconds.
const WORDS_MIN: usize = 40;

/// Each pod pings the next one of a ring, and has one TCP connection to it over which each word comes back.
#[derive(Debug)]
pub(crate) struct Talk(Vec<Pod>);

impl Talk {
    /// Lets pods begin to speak.
    pub(crate) fn begin(bed: &Bed, pods: &[Pod]) -> Self {
        for pod in pods {
            inside(bed, pod, &answering());
        }
        for (pod, next) in pods.iter().zip(pods.iter().cycle().skip(1)) {
            inside(bed, pod, &asking(next));
        }
        Self(pods.to_vec())
    }

    /// Lets them end: every ping was answered, and every word came back, over the one connection.
    #[track_caller]
    pub(crate) fn end_unbroken(self, bed: &Bed) {
        for pod in &self.0 {
            inside(bed, pod, "touch /enough");
        }
        let mut words = 0;
        for pod in &self.0 {
            let [pings, echoes] = ["pings", "echoes"].map(|file| said(bed, pod, file));
            assert_eq!(pings.len(), 1, "{pod:?} had no answer: {}", pings.join(", "));
            assert!(counts_up(&echoes), "{pod:?} heard of its words: {}", echoes.join(", "));
            assert!(echoes.len() > WORDS_MIN, "{pod:?} said too little: {}", echoes.len());
            words += echoes.len();
        }
        bed.say(&format!("{} pods spoke, and heard all of {words} words again", self.0.len()));
    }
}

/// Serves until the pod ends. It is there when this is done.
fn answering() -> String {
    format!(
        "nc -ll -p {PORT} -e cat >/dev/null 2>&1 </dev/null & \
         until netstat -ltn | grep -q :{PORT}; do usleep 20000; done"
    )
}

/// Asks until the file `/enough` is there. A connection that breaks is not made again.
fn asking(next: &Pod) -> String {
    let Pod { address, .. } = next;
    let repeated = |act: &str| {
        format!(
            "n=0; until [ -e /enough ]; do n=$((n+1)); {act}; usleep {PAUSE_MICROSECONDS}; done; \
             echo end $n"
        )
    };
    let ping = format!(
        "ping -q -c 1 -W {ANSWERED_WITHIN_SECONDS} {address} >/dev/null 2>&1 || echo lost $n"
    );
    let (pings, words) = (repeated(&ping), repeated("echo $n"));
    format!(
        "({pings}) >/pings 2>&1 </dev/null & \
         (({words}) | nc {address} {PORT}) >/echoes 2>&1 </dev/null &"
    )
}

/// The lines of a file of the pod, when its last one is written.
#[track_caller]
fn said(bed: &Bed, pod: &Pod, file: &str) -> Vec<String> {
    until(&format!("{pod:?} does not end to speak"), || {
        let text = inside(bed, pod, &format!("cat /{file}"));
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let is_ended = lines.last().is_some_and(|line| line.starts_with("end "));
        if is_ended { Ok(lines) } else { Err(lines.join(", ")) }
    })
}

/// Whether the lines are 1 to some number, and that number again.
fn counts_up(lines: &[String]) -> bool {
    let count = lines.len().saturating_sub(1);
    let numbers = (1..=count).map(|number| number.to_string());
    numbers.chain([format!("end {count}")]).eq(lines.iter().cloned())
}

fn inside(bed: &Bed, pod: &Pod, text: &str) -> String {
    script(pod.node(bed), &runtime::inside(&pod.container, text))
}
