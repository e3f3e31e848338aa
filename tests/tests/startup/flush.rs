//! Keys that go from a real Redis after a run.

use std::{
    env,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use migrate_tests::database::{Backend, Scratch};
use redis::{Commands as _, Connection};

use crate::{
    line::{Seen, types},
    wait::nobodys_address,
};

fn server() -> String {
    env::var("MIGRATE_TEST_REDIS_URL").unwrap_or_else(|_| {
        panic!("MIGRATE_TEST_REDIS_URL is not set; run `cargo xtask servers -- cargo test -p migrate-tests`")
    })
}

/// The URL of one of its databases.
fn numbered(number: u8) -> String {
    let server = server();
    let (scheme, rest) = server.split_once("://").unwrap();
    let authority = rest.split('/').next().unwrap();
    format!("{scheme}://{authority}/{number}")
}

fn connect(url: &str) -> Connection {
    redis::Client::open(url).unwrap().get_connection().unwrap()
}

fn fill(redis: &mut Connection, prefix: &str, keys: usize) {
    let mut pipe = redis::pipe();
    for at in 0..keys {
        pipe.set(format!("{prefix}{at}"), at).ignore();
    }
    pipe.exec(redis).unwrap();
}

fn count(redis: &mut Connection, pattern: &str) -> usize {
    let keys: Vec<Vec<u8>> = redis.keys(pattern).unwrap();
    keys.len()
}

fn up(scratch: &Scratch, url: &str, flush: &str, line: &str) -> Seen {
    let toml = format!("redis_url = \"{url}\"\nredis_flush = \"{flush}\"");
    let seen = types(&scratch.url(), scratch.directory(), &toml, line);
    let secrets = migrate_diesel::core::DatabaseUrl::new(url).secrets();
    for secret in secrets {
        assert!(!seen.err.contains(&secret), "{}", seen.err);
    }
    seen
}

#[test]
fn keys_that_match_go_after_a_run_that_applied_something() {
    let url = server();
    let mut redis = connect(&url);
    let scratch = Scratch::new(Backend::Sqlite);
    let mine = format!("startup-{}:", scratch.name());
    // More than one turn of SCAN.
    fill(&mut redis, &mine, 5_000);
    redis.set::<_, _, ()>(&[0xff, b':', b'x'][..], 1).unwrap();
    redis.set::<_, _, ()>(format!("other-{mine}"), 1).unwrap();

    let seen = up(&scratch, &url, &format!("{mine}*"), "up");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(seen.err.contains("5000 keys removed"), "{}", seen.err);
    assert_eq!(count(&mut redis, &format!("{mine}*")), 0);
    assert_eq!(count(&mut redis, &format!("other-{mine}")), 1);

    // Nothing applied: nothing touched.
    fill(&mut redis, &mine, 3);
    let seen = up(&scratch, &url, &format!("{mine}*"), "up");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(!seen.err.contains("removed"), "{}", seen.err);
    assert_eq!(count(&mut redis, &format!("{mine}*")), 3);

    let seen = up(&scratch, &url, &format!("{mine}*"), "up --flush-redis");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(count(&mut redis, &format!("{mine}*")), 0);
}

#[test]
fn a_database_is_emptied_and_no_other() {
    let (here, there) = (numbered(5), numbered(6));
    fill(&mut connect(&here), "k", 2_500);
    fill(&mut connect(&there), "k", 1);
    let scratch = Scratch::new(Backend::Sqlite);
    let seen = up(&scratch, &here, "db", "up --steps 1");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(count(&mut connect(&here), "*"), 0);
    assert_eq!(count(&mut connect(&there), "k*"), 1);

    // What was applied before a failure has changed something, too.
    fill(&mut connect(&here), "k", 2);
    scratch.sql("CREATE TABLE readers (id INTEGER)");
    let scratch = Scratch::new(Backend::Sqlite);
    scratch.sql("CREATE TABLE readers (id INTEGER)");
    let seen = up(&scratch, &here, "db", "up");
    assert_eq!(seen.code, 1, "{seen:?}");
    assert_eq!(count(&mut connect(&here), "*"), 0);
}

#[test]
fn a_wrong_password_is_told_without_it() {
    let url = server();
    let (_, address) = url.rsplit_once('@').unwrap();
    let url = format!("redis://:wrong-s3cret@{address}");
    let scratch = Scratch::new(Backend::Sqlite);
    let seen = up(&scratch, &url, "x:*", "up");
    assert_eq!(seen.code, 1, "{seen:?}");
    assert!(
        seen.err
            .contains("2 migrations applied, and then Redis could not be flushed"),
        "{}",
        seen.err
    );
    assert!(scratch.has_table("readers"));
}

/// The first run cannot, the next one that can makes up for it, and then nobody does again.
#[test]
fn what_failed_is_made_up_for_by_the_next_run() {
    for backend in [Backend::Sqlite, Backend::Postgres, Backend::Mysql] {
        let scratch = Scratch::new(backend);
        let url = server();
        let mine = format!("owed-{}:", scratch.name());
        let pattern = format!("{mine}*");
        let mut redis = connect(&url);
        fill(&mut redis, &mine, 3);
        let nowhere = format!("redis://{}", nobodys_address());
        let seen = up(&scratch, &nowhere, &pattern, "up");
        assert_eq!(seen.code, 1, "{seen:?}");
        assert!(seen.err.contains("the next `up` tries"), "{}", seen.err);
        // Looking does not, and does not forget it.
        assert_eq!(up(&scratch, &url, &pattern, "check").code, 0);
        assert_eq!(count(&mut redis, &pattern), 3);

        let seen = up(&scratch, &url, &pattern, "up");
        assert_eq!(seen.code, 0, "{seen:?}");
        assert!(seen.err.contains("trying again"), "{}", seen.err);
        assert!(seen.err.contains("3 keys removed"), "{}", seen.err);
        assert_eq!(count(&mut redis, &pattern), 0);

        fill(&mut redis, &mine, 1);
        let seen = up(&scratch, &url, &pattern, "up");
        assert_eq!(seen.code, 0, "{seen:?}");
        assert!(!seen.err.contains("Redis"), "{}", seen.err);
        assert_eq!(count(&mut redis, &pattern), 1);
    }
}

/// A Redis of the test's own.
struct Own(Child);

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Own {
    fn start(directory: &Path, options: &[&str], url: &str) -> (Self, Connection) {
        let child = Command::new("redis-server")
            .args(["--save", "", "--daemonize", "no", "--dir"])
            .arg(directory)
            .args(options)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let own = Self(child);
        let begun = Instant::now();
        loop {
            let client = redis::Client::open(url).unwrap();
            match client.get_connection_with_timeout(Duration::from_secs(5)) {
                Ok(connection) => return (own, connection),
                Err(error) if begun.elapsed() > Duration::from_secs(20) => panic!("{error}"),
                Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

#[test]
fn a_socket() {
    let scratch = Scratch::new(Backend::Sqlite);
    let socket = scratch.directory().join("redis.sock");
    let socket = socket.to_str().unwrap();
    let options = [
        "--port",
        "0",
        "--unixsocket",
        socket,
        "--requirepass",
        "p@ss",
    ];
    let url = format!("redis+unix://{socket}?db=2&pass=p%40ss");
    let (_own, mut redis) = Own::start(scratch.directory(), &options, &url);
    fill(&mut redis, "a:", 10);
    let seen = up(&scratch, &url, "a:*", "up --steps 1");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(count(&mut redis, "*"), 0);
    // The shorter scheme.
    fill(&mut redis, "a:", 10);
    let url = url.replace("redis+unix", "unix");
    let seen = up(&scratch, &url, "db", "up");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(count(&mut redis, "*"), 0);
}

#[test]
fn tls() {
    let scratch = Scratch::new(Backend::Sqlite);
    let directory = scratch.directory();
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let (key, certificate) = (path("key.pem"), path("certificate.pem"));
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
    let port = nobodys_address().port().to_string();
    let options = [
        "--port",
        "0",
        "--tls-port",
        &port,
        "--tls-auth-clients",
        "no",
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--requirepass",
        "s3cret",
    ];
    let url = format!("rediss://:s3cret@127.0.0.1:{port}/1");
    // Nobody has signed it.
    let trusting = format!("{url}#insecure");
    // The first to speak TLS in this process is the product, without any preparation.
    let seen = up(&scratch, &url, "a:*", "up --flush-redis --steps 1");
    assert_eq!(seen.code, 1, "nobody is there yet: {seen:?}");
    let (_own, mut redis) = Own::start(directory, &options, &trusting);
    fill(&mut redis, "a:", 10);
    let seen = up(&scratch, &url, "a:*", "up --steps 1");
    assert_eq!(seen.code, 1, "a certificate that nobody signed: {seen:?}");
    assert!(seen.err.contains("certificate"), "{}", seen.err);
    assert_eq!(count(&mut redis, "a:*"), 10);
    let seen = up(&scratch, &trusting, "a:*", "up --flush-redis");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(count(&mut redis, "a:*"), 0);
}
