//! A proxy that counts what a PostgreSQL client and its server say to each other.
//!
//! The protocol: <https://www.postgresql.org/docs/current/protocol-message-formats.html>.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::error::{Error, IoContext as _};
use crate::process::POLL;

/// What was said, over all connections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Connections that got as far as a first ReadyForQuery.
    pub(super) connections: u64,
    /// Client messages up to there: start-up and authentication.
    pub(super) startup_messages: u64,
    /// Simple queries; each may hold several statements.
    pub(super) simple: u64,
    /// Other messages: Parse, Bind, Describe, Execute, Sync ..
    pub(super) extended: u64,
    /// How often a client sent something for which it had to wait: less than the round trips where it pipelines.
    pub(super) waits: u64,
    /// ReadyForQuery after start-up: the statements of each round trip.
    pub(super) trips: Vec<String>,
}

impl Tally {
    pub(super) fn round_trips(&self) -> u64 {
        u64::try_from(self.trips.len()).unwrap_or(u64::MAX)
    }

    /// Those that Diesel makes while it connects, which is before any tool built on it has a say.
    pub(super) fn trips_of_diesel_connecting(&self) -> u64 {
        let own = |text: &&String| {
            text.contains("SET TIME ZONE 'UTC'") || text.contains("SET CLIENT_ENCODING TO 'UTF8'")
        };
        u64::try_from(self.trips.iter().filter(own).count()).unwrap_or(u64::MAX)
    }

    fn add(&mut self, other: Self) {
        self.connections += other.connections;
        self.startup_messages += other.startup_messages;
        self.simple += other.simple;
        self.extended += other.extended;
        self.waits += other.waits;
        self.trips.extend(other.trips);
    }
}

/// A listening proxy.
#[derive(Debug)]
pub(super) struct Proxy {
    address: String,
    stop: Arc<AtomicBool>,
    listener: JoinHandle<io::Result<Tally>>,
}

impl Proxy {
    /// Listens on a free port, on behalf of the server at `server`.
    pub(super) fn start(server: &str) -> Result<Self, Error> {
        let bind = || {
            let listener = TcpListener::bind(("127.0.0.1", 0))?;
            // Or it could not be stopped.
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?.to_string();
            Ok::<_, io::Error>((listener, address))
        };
        let (listener, address) = bind().context("start a proxy for", server)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (server, stopped) = (server.to_owned(), Arc::clone(&stop));
        let listener = thread::spawn(move || accept(&listener, &server, &stopped));
        Ok(Self {
            address,
            stop,
            listener,
        })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Waits for the clients to hang up, and hands back what was said.
    pub(super) fn finish(self) -> Result<Tally, Error> {
        self.stop.store(true, Ordering::SeqCst);
        let tally = self
            .listener
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the proxy panicked")));
        tally.context("listen at", self.address)
    }
}

fn accept(listener: &TcpListener, server: &str, stopped: &AtomicBool) -> io::Result<Tally> {
    let mut connections = Vec::new();
    while !stopped.load(Ordering::SeqCst) {
        match listener.accept() {
            Ok((client, _)) => connections.push(connect(client, server)?),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(POLL),
            Err(error) => return Err(error),
        }
    }
    let mut tally = Tally::default();
    for (ears, threads) in connections {
        for thread in threads {
            thread
                .join()
                .map_err(|_| io::Error::other("the proxy panicked"))??;
        }
        tally.add(std::mem::take(&mut lock(&ears).tally));
    }
    Ok(tally)
}

type Connection = (Arc<Mutex<Ears>>, [JoinHandle<io::Result<()>>; 2]);

fn connect(client: TcpStream, server: &str) -> io::Result<Connection> {
    let server = TcpStream::connect(server)?;
    client.set_nonblocking(false)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ears = Arc::new(Mutex::new(Ears::default()));
    let (from_client, from_server) = (Arc::clone(&ears), Arc::clone(&ears));
    let (client_again, server_again) = (client.try_clone()?, server.try_clone()?);
    let there =
        thread::spawn(move || pump(client, server, |bytes| lock(&from_client).client(bytes)));
    let back = thread::spawn(move || {
        pump(server_again, client_again, |bytes| {
            lock(&from_server).server(bytes)
        })
    });
    Ok((ears, [there, back]))
}

fn pump(
    mut from: TcpStream,
    mut to: TcpStream,
    mut listen: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0_u8; 64 * 1024];
    loop {
        let length = match from.read(&mut buffer) {
            // A killed client resets its connection, which is an end like any other.
            Ok(0) | Err(_) => break,
            Ok(length) => length,
        };
        let bytes = buffer.get(..length).unwrap_or_default();
        // Counted before it is passed on, so that no answer can be counted before its question.
        listen(bytes)?;
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    let _already_closed = to.shutdown(Shutdown::Write);
    Ok(())
}

fn lock(ears: &Mutex<Ears>) -> MutexGuard<'_, Ears> {
    ears.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Understands one connection.
#[derive(Debug, Default)]
struct Ears {
    tally: Tally,
    from_client: Vec<u8>,
    from_server: Vec<u8>,
    stage: Stage,
    /// Queries and Syncs without a ReadyForQuery yet.
    unanswered: u64,
    /// Statements since the last ReadyForQuery.
    texts: Vec<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The next client message has no type byte.
    #[default]
    Untyped,
    /// The client asked for encryption; the server answers with one byte.
    Asked,
    Authenticating,
    Ready,
}

const CANCEL: u32 = 80_877_102;
const TLS: u32 = 80_877_103;
const GSS: u32 = 80_877_104;

impl Ears {
    fn client(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.from_client.extend_from_slice(bytes);
        while self.stage == Stage::Untyped {
            let Some((_, body)) = message(&mut self.from_client, 0) else {
                return Ok(());
            };
            self.stage = match number(&body, 0) {
                Some(TLS | GSS) => Stage::Asked,
                Some(CANCEL) => Stage::Untyped,
                _ => {
                    self.tally.startup_messages += 1;
                    Stage::Authenticating
                }
            };
        }
        while let Some((kind, body)) = message(&mut self.from_client, 1) {
            self.client_message(kind, &body);
        }
        Ok(())
    }

    fn client_message(&mut self, kind: u8, body: &[u8]) {
        if self.stage != Stage::Ready {
            self.tally.startup_messages += 1;
            return;
        }
        match kind {
            // Terminate, nothing comes back.
            b'X' => return,
            b'Q' => {
                self.tally.simple += 1;
                self.texts.push(text(body));
            }
            b'P' => {
                self.tally.extended += 1;
                // The statement's name, then its text.
                let text_at = body
                    .iter()
                    .position(|byte| *byte == 0)
                    .map_or(0, |end| end + 1);
                self.texts.push(format!(
                    "(parse) {}",
                    text(body.get(text_at..).unwrap_or_default())
                ));
            }
            b'E' => {
                self.tally.extended += 1;
                self.texts.push("(execute)".to_owned());
            }
            _ => self.tally.extended += 1,
        }
        // What makes the server say ReadyForQuery: Query, Sync, FunctionCall.
        if matches!(kind, b'Q' | b'S' | b'F') {
            self.tally.waits += u64::from(self.unanswered == 0);
            self.unanswered += 1;
        }
    }

    fn server(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.from_server.extend_from_slice(bytes);
        if self.stage == Stage::Asked && !self.from_server.is_empty() {
            let answer = self.from_server.remove(0);
            if answer != b'N' {
                return Err(io::Error::other(
                    "an encrypted connection cannot be counted",
                ));
            }
            self.stage = Stage::Untyped;
        }
        while let Some((kind, _)) = message(&mut self.from_server, 1) {
            if kind != b'Z' {
                continue;
            }
            if self.stage == Stage::Authenticating {
                self.stage = Stage::Ready;
                self.tally.connections += 1;
            } else {
                self.unanswered = self.unanswered.saturating_sub(1);
                self.tally
                    .trips
                    .push(std::mem::take(&mut self.texts).join(" | "));
            }
        }
        Ok(())
    }
}

/// Takes one whole message from the front: its type, which `prefix` bytes hold, and its body.
fn message(buffer: &mut Vec<u8>, prefix: usize) -> Option<(u8, Vec<u8>)> {
    let length = usize::try_from(number(buffer, prefix)?).ok()?;
    let end = prefix + length.max(4);
    if buffer.len() < end {
        return None;
    }
    let whole: Vec<u8> = buffer.drain(..end).collect();
    let body = whole.get(prefix + 4..).unwrap_or_default().to_vec();
    Some((whole.first().copied().unwrap_or_default(), body))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

fn text(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests;
