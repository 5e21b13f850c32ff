//! The main job on one machine: the real operator and real agents, a simulated EC2, a small Kubernetes API, and pods that come and go.
//!
//! | module | what it knows |
//! |---|---|
//! | [`settings`], [`scenario`], [`plan`] | the command line, the files of scenarios, and what is to be played, checked |
//! | [`hangup`] | what a closed terminal asks for |
//! | [`play`] | one run, which puts all of the following together |
//! | [`stage`] | what is played on: EC2, the API server, the operator, the nodes with their agents |
//! | [`pods`], [`plugin`] | pods that come and go, who places and runs them, and how the plugin is run for them |
//! | [`nodes`], [`book`], [`news`] | what all share while it is played: the nodes, the pods, what happened |
//! | [`watch`], [`audit`] | who looks at all of it, and holds Berth to its promises |
//! | [`moment`], [`record`], [`summary`] | what was seen at a moment, over the run, and what came of it |
//! | [`view`], [`report`] | what a person sees of it: live or a line a second, and the HTML report |

pub mod audit;
pub mod book;
pub mod hangup;
pub mod moment;
pub mod news;
pub mod nodes;
pub mod plan;
pub mod play;
pub mod plugin;
pub mod pods;
pub mod record;
pub mod report;
pub mod scenario;
pub mod settings;
pub mod stage;
pub mod summary;
pub mod view;
pub mod watch;
