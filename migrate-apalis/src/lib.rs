#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod databases;
mod dispatch;
mod error;
mod handler;
mod hint;
mod name;
mod options;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redis")]
pub mod redis;

pub use databases::Databases;
pub use dispatch::Dispatcher;
pub use error::Error;
pub use handler::Handler;
pub use hint::Hint;
pub use options::Options;

#[cfg(not(any(feature = "postgres", feature = "redis")))]
compile_error!("migrate-apalis needs a queue: enable its feature `postgres` or `redis`");

/// The name of the queue, unless another one is given. apalis keeps jobs apart by it; left to itself, it takes
/// the name of a type in one place and `default` in another.
pub const QUEUE: &str = "migrate-mass";
