//! [`Proxy`]: stands between a client and its server, counts, and cuts.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

/// Where to cut a connection, once.
#[derive(Clone, Debug)]
pub enum Cut {
    /// Never.
    Nowhere,
    /// Before the first message of the client's that contains this text: the server never sees it.
    Before(&'static str),
    /// After it: the server acts on it, and the client never hears of it.
    After(&'static str),
    /// When the client has sent so many messages since the proxy was told to cut.
    AfterMessages(usize),
}

/// A proxy on a free port of this machine.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: String,
    cut: Mutex<Cut>,
    messages: AtomicUsize,
    ready: AtomicUsize,
    stopped: AtomicBool,
}

impl Proxy {
    /// Stands before the server at `server`.
    ///
    /// # Panics
    /// When no port is free.
    #[must_use]
    pub fn start(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server: server.to_owned(),
            cut: Mutex::new(Cut::Nowhere),
            messages: AtomicUsize::new(0),
            ready: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.stopped.load(SeqCst) {
                    return;
                }
                connect(client.unwrap(), &accepting);
            }
        });
        Self { address, shared }
    }

    /// Where clients connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts the next connection to which it applies.
    pub fn cut(&self, cut: Cut) {
        self.shared.messages.store(0, SeqCst);
        *self
            .shared
            .cut
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = cut;
    }

    /// Whether what was to be cut has been cut.
    #[must_use]
    pub fn has_cut(&self) -> bool {
        matches!(
            *self
                .shared
                .cut
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
            Cut::Nowhere
        )
    }

    /// How often the server was ready for the next query (PostgreSQL): once per round trip, and
    /// once per connection.
    #[must_use]
    pub fn times_ready(&self) -> usize {
        self.shared.ready.load(SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, SeqCst);
        // Wakes the listener up. It may be gone already.
        let _ = TcpStream::connect(self.address);
    }
}

/// What becomes of bytes of the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Pass,
    CutFirst,
    PassThenCut,
}

impl Shared {
    fn fate(&self, bytes: &[u8]) -> Fate {
        let messages = self.messages.fetch_add(1, SeqCst) + 1;
        let contains = |text: &str| bytes.windows(text.len()).any(|it| it == text.as_bytes());
        let mut cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        let fate = match &*cut {
            Cut::Before(text) if contains(text) => Fate::CutFirst,
            Cut::After(text) if contains(text) => Fate::PassThenCut,
            Cut::AfterMessages(count) if messages > *count => Fate::CutFirst,
            _ => Fate::Pass,
        };
        if fate != Fate::Pass {
            *cut = Cut::Nowhere;
        }
        fate
    }
}

fn connect(client: TcpStream, shared: &Arc<Shared>) {
    let Ok(server) = TcpStream::connect(&shared.server) else {
        return;
    };
    // Small messages back and forth: waiting to fill a packet would cost 40 ms each.
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let deaf = Arc::new(AtomicBool::new(false));
    let (there, back) = (Arc::clone(shared), Arc::clone(shared));
    let hears = Arc::clone(&deaf);
    thread::spawn(move || pump_there(from_client, to_server, &there, &deaf));
    thread::spawn(move || pump_back(server, client, &back, &hears));
}

fn pump_there(mut client: TcpStream, mut server: TcpStream, shared: &Shared, deaf: &AtomicBool) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        let bytes = &buffer[..length];
        let fate = shared.fate(bytes);
        if fate != Fate::Pass {
            deaf.store(true, SeqCst);
            let _ = client.shutdown(Shutdown::Both);
        }
        if fate == Fate::CutFirst || server.write_all(bytes).is_err() {
            break;
        }
        if fate == Fate::PassThenCut {
            // The server is left to itself until it has answered: see `pump_back`.
            let _ = server.shutdown(Shutdown::Write);
            return;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
}

fn pump_back(mut server: TcpStream, mut client: TcpStream, shared: &Shared, deaf: &AtomicBool) {
    let mut buffer = vec![0; 1 << 16];
    let mut counted = Messages::default();
    while let Ok(length @ 1..) = server.read(&mut buffer) {
        let bytes = &buffer[..length];
        shared.ready.fetch_add(counted.ready(bytes), SeqCst);
        if !deaf.load(SeqCst) && client.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

/// Cuts a stream of the server's into PostgreSQL's messages: a type, a length, and the rest.
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>
#[derive(Debug, Default)]
struct Messages {
    rest: Vec<u8>,
}

impl Messages {
    /// How many ReadyForQuery end in these bytes.
    fn ready(&mut self, bytes: &[u8]) -> usize {
        self.rest.extend_from_slice(bytes);
        let mut ready = 0;
        let mut at = 0;
        while let Some(head) = self.rest.get(at..at + 5) {
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize + 1;
            if self.rest.len() < at + length {
                break;
            }
            ready += usize::from(head[0] == b'Z');
            at += length;
        }
        self.rest.drain(..at);
        ready
    }
}
