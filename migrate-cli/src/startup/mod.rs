//! What stands around a run at the start of a container: the completion marker, Redis, a dump to begin with.

mod dump;
#[cfg(feature = "redis")]
mod flush;
#[cfg(not(feature = "redis"))]
#[path = "no_flush.rs"]
mod flush;
mod marker;

pub(crate) use dump::FileDump;
pub(crate) use flush::flush;
pub(crate) use marker::{Completion, State};
