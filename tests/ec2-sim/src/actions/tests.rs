//! Every rule of the actions, one table for each action.

mod address;
mod attachment;
mod create;
mod modify;

use crate::script::check;
