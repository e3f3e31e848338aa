//! [`Host`]: a machine, which is a loopback address. Its programs reach servers only through proxies that
//! listen there, and its network can be cut.

use std::{
    collections::HashMap,
    env, io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
};

/// A machine.
pub(crate) struct Host {
    address: &'static str,
    network: Arc<Network>,
    /// Addresses of proxies, by server.
    proxies: Mutex<HashMap<String, SocketAddr>>,
}

#[derive(Default)]
struct Network {
    is_cut: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

impl Host {
    /// `address` is one of 127.0.0.0/8, all of which are this machine.
    pub(crate) fn new(address: &'static str) -> Self {
        Self {
            address,
            network: Arc::default(),
            proxies: Mutex::default(),
        }
    }

    /// The URL by which this machine reaches what `url` names.
    pub(crate) fn reaches(&self, url: &str) -> String {
        let (before, rest) = url.rsplit_once('@').unwrap();
        let (server, path) = rest.split_once('/').unwrap();
        let mut proxies = self.proxies.lock().unwrap();
        let proxy = proxies
            .entry(server.to_owned())
            .or_insert_with(|| self.network.clone().proxy(self.address, server));
        format!("{before}@{proxy}/{path}")
    }

    /// Nothing comes through any more: connections end, and no new ones are made.
    pub(crate) fn cut(&self) {
        self.network.is_cut.store(true, SeqCst);
        for stream in self.network.streams.lock().unwrap().drain(..) {
            // It may have ended by itself.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Everything comes through again.
    pub(crate) fn mend(&self) {
        self.network.is_cut.store(false, SeqCst);
    }
}

impl Network {
    fn proxy(self: Arc<Self>, address: &str, server: &str) -> SocketAddr {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let at = listener.local_addr().unwrap();
        let server = server.to_owned();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), false) = (client, self.is_cut.load(SeqCst)) else {
                    continue;
                };
                let Ok(there) = TcpStream::connect(&server) else {
                    continue;
                };
                let mut streams = self.streams.lock().unwrap();
                for (from, to) in [(&client, &there), (&there, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    streams.push(from.try_clone().unwrap());
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        at
    }
}

/// A process of `examples/worker.rs`; killed, should the test forget it.
pub(crate) struct Worker(pub(crate) Child);

impl Worker {
    pub(crate) fn start(host: &Host, database: &str, queue: &str, arguments: &[&str]) -> Self {
        let child = Command::new(program())
            .args(arguments)
            .env("DATABASE_URL", host.reaches(database))
            .env("QUEUE_URL", host.reaches(queue))
            .env("WORKER_LEASE", "3")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        let pid = self.0.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(asked.success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // An error when it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where cargo puts it, beside the directory of this program.
fn program() -> PathBuf {
    let own = env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join("examples/worker");
    assert!(
        program.is_file(),
        "the example is not built: `cargo build --examples`, or `cargo xtask test apalis`"
    );
    program
}
