//! A database that comes later, and one that never will.

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    process,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use migrate_diesel::core::DatabaseUrl;
use migrate_tests::database::{Backend, Scratch};

use crate::line::types;

/// Hands on to `target` what comes to `address`, from `later` on.
fn comes_later(address: SocketAddr, target: String, later: Duration) {
    thread::spawn(move || {
        thread::sleep(later);
        let listener = TcpListener::bind(address).unwrap();
        for client in listener.incoming() {
            let client = client.unwrap();
            let server = TcpStream::connect(&target).unwrap();
            let one_way = |mut from: TcpStream, mut to: TcpStream| {
                thread::spawn(move || {
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
            };
            one_way(client.try_clone().unwrap(), server.try_clone().unwrap());
            one_way(server, client);
        }
    });
}

/// Where nobody listens yet. Below the ports that systems give to connections: one of those would be
/// somebody's by the time that it is used.
pub(crate) fn nobodys_address() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let port = 12_000 + (process::id() * 37 + NEXT.fetch_add(1, Relaxed)) % 18_000;
        if let Ok(listener) = TcpListener::bind(format!("127.0.0.1:{port}")) {
            return listener.local_addr().unwrap();
        }
    }
}

fn is_waited_for(backend: Backend) {
    let scratch = Scratch::new(backend);
    let address = nobodys_address();
    let url = scratch.url_at(address);
    let seen = types(&url, scratch.directory(), "", "up --wait-for-db 300ms");
    assert_eq!(seen.code, 6, "{seen:?}");
    assert!(seen.err.contains("still so after"), "{}", seen.err);

    comes_later(
        address,
        scratch.address().to_owned(),
        Duration::from_secs(1),
    );
    let seen = types(&url, scratch.directory(), "", "up --wait-for-db 1m");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(
        seen.err.contains("waiting for database `startup`: "),
        "{}",
        seen.err
    );
    assert!(scratch.has_table("readers"));
}

fn is_given_up_at_once(backend: Backend) {
    let scratch = Scratch::new(backend);
    let user = match backend {
        Backend::Postgres => "postgres",
        _ => "migrate",
    };
    let url = scratch.url();
    let unknown = url.reveal().replace(scratch.name(), "no_such_database");
    for url in [
        scratch.url_as(user, "wrong-password"),
        scratch.url_as("nobody_of_that_name", "another-password"),
        DatabaseUrl::new(unknown),
    ] {
        for line in ["up --wait-for-db 10m", "wait --timeout 10m"] {
            let begun = Instant::now();
            let seen = types(&url, scratch.directory(), "", line);
            assert_eq!(seen.code, 6, "{seen:?}");
            assert!(begun.elapsed() < Duration::from_secs(20), "{line} at {url}");
            assert!(!seen.err.contains("waiting"), "{}", seen.err);
        }
    }
}

#[test]
fn postgres_is_waited_for() {
    is_waited_for(Backend::Postgres);
}

#[test]
fn mysql_is_waited_for() {
    is_waited_for(Backend::Mysql);
}

#[test]
fn postgres_is_given_up_at_once() {
    is_given_up_at_once(Backend::Postgres);
}

#[test]
fn mysql_is_given_up_at_once() {
    is_given_up_at_once(Backend::Mysql);
}
