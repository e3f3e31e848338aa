//! [`Throttle`]: signals that hold a run back, for the sake of those who use the database meanwhile.

mod signals;

pub use signals::{Load, LockWaits, Query, ReplicaLag, Sessions};

use std::time::{Duration, Instant};

use crate::{backend::Driver, migration::BoxError};

/// A signal that holds a run back: the path to a static of such a type stands in
/// `throttle = [..]` of `#[mass_migration]`.
///
/// It is asked by each worker between two batches, though not more often than [`every`](Self::every).
///
/// ```
/// use std::time::Duration;
/// use migrate_diesel::{BoxError, backend::Driver, mass::Throttle};
///
/// /// Nothing but the shop at lunch time.
/// pub struct Lunch;
///
/// impl Throttle for Lunch {
///     fn check(&self, _: &mut dyn Driver) -> Result<Option<String>, BoxError> {
///         Ok(is_lunch_time().then(|| "it is lunch time".to_owned()))
///     }
///
///     fn back_off(&self) -> Duration {
///         Duration::from_secs(600)
///     }
/// }
/// # fn is_lunch_time() -> bool { false }
/// ```
pub trait Throttle: Sync {
    /// Why the run is to wait; `None` to go on. `ask` is the connection of the worker, in no transaction.
    ///
    /// # Errors
    /// When the signal cannot be had: then the run waits, too, and shows why.
    fn check(&self, ask: &mut dyn Driver) -> Result<Option<String>, BoxError>;

    /// How long an answer holds.
    fn every(&self) -> Duration {
        Duration::from_secs(2)
    }

    /// How long to wait before it is asked again, when the run is held back.
    fn back_off(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// A signal that is asked more or less often than it would be by itself.
///
/// ```
/// use std::time::Duration;
/// use migrate_diesel::mass::{Paced, Query};
///
/// pub static SALE: Paced<Query> = Paced::new(Query::new("SELECT name FROM sales WHERE now() < ends_at"))
///     .every(Duration::from_secs(60))
///     .back_off(Duration::from_secs(300));
/// ```
#[derive(Clone, Debug)]
pub struct Paced<T> {
    signal: T,
    every: Option<Duration>,
    back_off: Option<Duration>,
}

impl<T> Paced<T> {
    /// As often as it would be by itself.
    #[must_use]
    pub const fn new(signal: T) -> Self {
        Self {
            signal,
            every: None,
            back_off: None,
        }
    }

    /// How long an answer holds.
    #[must_use]
    pub const fn every(mut self, every: Duration) -> Self {
        self.every = Some(every);
        self
    }

    /// How long to wait before it is asked again, when the run is held back.
    #[must_use]
    pub const fn back_off(mut self, back_off: Duration) -> Self {
        self.back_off = Some(back_off);
        self
    }
}

impl<T: Throttle> Throttle for Paced<T> {
    fn check(&self, ask: &mut dyn Driver) -> Result<Option<String>, BoxError> {
        self.signal.check(ask)
    }

    fn every(&self) -> Duration {
        self.every.unwrap_or_else(|| self.signal.every())
    }

    fn back_off(&self) -> Duration {
        self.back_off.unwrap_or_else(|| self.signal.back_off())
    }
}

/// Why a run is held back, and for how long at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldBack {
    pub(crate) reason: String,
    pub(crate) back_off: Duration,
}

/// The signals of one migration, as one worker asks them.
pub(crate) struct Throttles {
    signals: &'static [&'static dyn Throttle],
    /// When each was asked last.
    asked: Vec<Option<Instant>>,
}

impl Throttles {
    pub(crate) fn new(signals: &'static [&'static dyn Throttle]) -> Self {
        Self {
            signals,
            asked: vec![None; signals.len()],
        }
    }

    /// Asks those whose last answer holds no longer; the first one that says so holds the run back.
    pub(crate) fn ask(&mut self, driver: &mut dyn Driver) -> Option<HeldBack> {
        for (signal, asked) in self.signals.iter().zip(&mut self.asked) {
            if asked.is_some_and(|then| then.elapsed() < signal.every()) {
                continue;
            }
            let reason = match signal.check(driver) {
                Ok(None) => {
                    *asked = Some(Instant::now());
                    continue;
                }
                Ok(Some(reason)) => reason,
                Err(error) => format!("a throttle signal cannot be had: {error}"),
            };
            // Asked again as soon as the run goes on.
            *asked = None;
            return Some(HeldBack {
                reason,
                back_off: signal.back_off(),
            });
        }
        None
    }
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use diesel::{Connection as _, SqliteConnection};

    use super::*;

    struct Counted {
        times: AtomicU32,
        every: Duration,
    }

    impl Throttle for Counted {
        fn check(&self, _: &mut dyn Driver) -> Result<Option<String>, BoxError> {
            match self.times.fetch_add(1, Relaxed) {
                0 => Ok(None),
                1 => Ok(Some("busy".to_owned())),
                _ => Err("gone".into()),
            }
        }

        fn every(&self) -> Duration {
            self.every
        }
    }

    #[test]
    fn an_answer_holds_for_a_while_and_no_answer_holds_back() {
        static SELDOM: Counted = Counted {
            times: AtomicU32::new(0),
            every: Duration::from_secs(3600),
        };
        static ALWAYS: Counted = Counted {
            times: AtomicU32::new(0),
            every: Duration::ZERO,
        };
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        static BOTH: [&dyn Throttle; 2] = [&SELDOM, &ALWAYS];
        let mut throttles = Throttles::new(&BOTH);
        let mut ask = || throttles.ask(&mut connection).map(|it| it.reason);
        assert_eq!(ask(), None);
        assert_eq!(ask().as_deref(), Some("busy"));
        assert_eq!(
            ask().as_deref(),
            Some("a throttle signal cannot be had: gone")
        );
        assert_eq!(SELDOM.times.load(Relaxed), 1);
        assert_eq!(ALWAYS.times.load(Relaxed), 3);
    }

    #[test]
    fn a_query_holds_back_by_a_row_that_is_true() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        let mut says = |query| Query::new(query).check(&mut connection).unwrap();
        assert_eq!(says("SELECT 1 WHERE 1 = 2"), None);
        assert_eq!(says("SELECT 0"), None);
        assert_eq!(says("SELECT NULL"), None);
        assert_eq!(says("SELECT 1"), Some("`SELECT 1` says so".to_owned()));
        assert_eq!(
            says("SELECT 'sale until 8'"),
            Some("sale until 8".to_owned())
        );
        assert!(Query::new("SELECT nothing").check(&mut connection).is_err());
    }

    #[test]
    fn load_is_that_of_this_host() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        assert_eq!(Load::above(1e9).check(&mut connection).unwrap(), None);
        let reason = Load::above(-1.0).check(&mut connection).unwrap().unwrap();
        assert!(reason.contains("load"), "{reason}");
    }

    #[test]
    fn what_a_database_does_not_have_is_said() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        for signal in [
            &ReplicaLag::above(Duration::from_secs(1)) as &dyn Throttle,
            &LockWaits::above(0),
            &Sessions::above(10),
        ] {
            let error = signal.check(&mut connection).unwrap_err().to_string();
            assert!(error.contains("sqlite"), "{error}");
        }
    }
}
