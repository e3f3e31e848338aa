//! A connection within a time: the client library is given none by Diesel, and waits as long as the system does.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use diesel::{Connection as _, ConnectionError, ConnectionResult, MysqlConnection};

use crate::url;

/// Connects, for no longer than the URL says.
pub(crate) fn establish(url: &str) -> ConnectionResult<MysqlConnection> {
    let limit = url::connect_timeout(url).unwrap_or(migrate_core::DEFAULT_CONNECT_TIMEOUT);
    let url = url.to_owned();
    within(limit, move || MysqlConnection::establish(&url))
}

/// What comes later is dropped by the thread that got it, and so closed.
fn within<C: Send + 'static>(
    limit: Duration,
    connect: impl FnOnce() -> ConnectionResult<C> + Send + 'static,
) -> ConnectionResult<C> {
    let (tell, told) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("connecting".to_owned())
        .spawn(move || {
            // Nobody may be waiting any more.
            let _ = tell.send(connect());
        })
        .map_err(|error| ConnectionError::BadConnection(error.to_string()))?;
    told.recv_timeout(limit).unwrap_or_else(|why| {
        Err(ConnectionError::BadConnection(match why {
            RecvTimeoutError::Timeout => format!("no answer within {}s", limit.as_secs()),
            RecvTimeoutError::Disconnected => "the client library panicked".to_owned(),
        }))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn what_comes_too_late_is_closed() {
        struct Session(mpsc::Sender<()>);
        impl Drop for Session {
            fn drop(&mut self) {
                self.0.send(()).unwrap();
            }
        }

        let (close, closed) = mpsc::channel();
        let (let_in, let_go) = mpsc::channel::<()>();
        let connected = within(Duration::from_millis(10), move || {
            let_go.recv().unwrap();
            Ok(Session(close))
        });
        assert!(
            matches!(connected, Err(ConnectionError::BadConnection(why)) if why.contains("no answer"))
        );
        let_in.send(()).unwrap();
        closed.recv_timeout(Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn what_is_in_time_is_handed_on() {
        assert_eq!(within(Duration::from_secs(10), || Ok(7)).unwrap(), 7);
    }
}
