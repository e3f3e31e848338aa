//! The ears are given bytes as they pass on the wire.

use super::*;

fn untyped(code: u32) -> Vec<u8> {
    [8_u32.to_be_bytes(), code.to_be_bytes()].concat()
}

fn typed(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
    [&[kind][..], &length, body].concat()
}

fn ready() -> Vec<u8> {
    typed(b'Z', b"I")
}

/// A connection past authentication.
fn connected() -> Ears {
    let mut ears = Ears::default();
    ears.client(&untyped(196_608)).expect("plain");
    ears.server(&typed(b'R', &10_u32.to_be_bytes()))
        .expect("plain");
    ears.client(&typed(b'p', b"secret")).expect("plain");
    ears.server(&[typed(b'R', &0_u32.to_be_bytes()), ready()].concat())
        .expect("plain");
    ears
}

#[test]
fn start_up_is_no_round_trip() {
    let ears = connected();
    assert_eq!(ears.tally.connections, 1);
    assert_eq!(ears.tally.startup_messages, 2);
    assert_eq!(ears.tally.round_trips(), 0);
}

#[test]
fn a_refused_request_for_tls_is_followed_by_the_real_start() {
    let mut ears = Ears::default();
    ears.client(&untyped(TLS)).expect("plain");
    ears.server(b"N").expect("refused");
    ears.client(&untyped(196_608)).expect("plain");
    ears.server(&ready()).expect("plain");
    assert_eq!(ears.tally.connections, 1);
}

#[test]
fn tls_is_an_error_and_not_a_count_of_nothing() {
    let mut ears = Ears::default();
    ears.client(&untyped(TLS)).expect("plain");
    assert!(ears.server(b"S").is_err());
}

#[test]
fn statements_of_one_simple_query_make_one_trip() {
    let mut ears = connected();
    ears.client(&typed(b'Q', b"INSERT; COMMIT; BEGIN\0"))
        .expect("plain");
    ears.server(
        &[
            typed(b'C', b"INSERT 0 1\0"),
            typed(b'C', b"COMMIT\0"),
            typed(b'C', b"BEGIN\0"),
            ready(),
        ]
        .concat(),
    )
    .expect("plain");
    assert_eq!(ears.tally.trips, ["INSERT; COMMIT; BEGIN"]);
    assert_eq!(
        (ears.tally.simple, ears.tally.extended, ears.tally.waits),
        (1, 0, 1)
    );
}

#[test]
fn a_prepared_statement_makes_two() {
    let mut ears = connected();
    ears.client(&[typed(b'P', b"s\0SELECT 1\0\0\0"), typed(b'S', b"")].concat())
        .expect("plain");
    ears.server(&[typed(b'1', b""), ready()].concat())
        .expect("plain");
    ears.client(&[typed(b'B', b""), typed(b'E', b""), typed(b'S', b"")].concat())
        .expect("plain");
    ears.server(&[typed(b'2', b""), ready()].concat())
        .expect("plain");
    assert_eq!(ears.tally.trips, ["(parse) SELECT 1", "(execute)"]);
    assert_eq!((ears.tally.extended, ears.tally.waits), (5, 2));
}

#[test]
fn a_pipeline_waits_once() {
    let mut ears = connected();
    let queries = typed(b'S', b"").repeat(3);
    ears.client(&queries).expect("plain");
    ears.server(&ready().repeat(3)).expect("plain");
    assert_eq!((ears.tally.round_trips(), ears.tally.waits), (3, 1));
}

#[test]
fn messages_may_arrive_in_pieces() {
    let mut ears = connected();
    for byte in typed(b'Q', b"SELECT 1\0") {
        ears.client(&[byte]).expect("plain");
    }
    for byte in ready() {
        ears.server(&[byte]).expect("plain");
    }
    assert_eq!(ears.tally.trips, ["SELECT 1"]);
}

#[test]
fn what_diesel_does_to_connect_is_told_apart() {
    let mut ears = connected();
    for statement in [
        "SET TIME ZONE 'UTC'\0",
        "SET CLIENT_ENCODING TO 'UTF8'\0",
        "BEGIN\0",
    ] {
        ears.client(&typed(b'Q', statement.as_bytes()))
            .expect("plain");
        ears.server(&ready()).expect("plain");
    }
    assert_eq!(ears.tally.trips_of_diesel_connecting(), 2);
    assert_eq!(ears.tally.round_trips(), 3);
}

#[test]
fn a_proxy_passes_everything_on() {
    let server = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = server.local_addr().expect("bound").to_string();
    let answering = thread::spawn(move || {
        let (mut stream, _) = server.accept().expect("a client");
        let mut start = [0_u8; 8];
        stream.read_exact(&mut start).expect("start-up");
        stream.write_all(&ready()).expect("writable");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("until the end");
        rest
    });
    let proxy = Proxy::start(&address).expect("a proxy");
    let mut client = TcpStream::connect(proxy.address()).expect("listens");
    client.write_all(&untyped(196_608)).expect("writable");
    let mut answer = [0_u8; 6];
    client.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer.as_slice(), ready());
    client
        .write_all(&typed(b'Q', b"SELECT 1\0"))
        .expect("writable");
    drop(client);
    assert_eq!(
        answering.join().expect("no panic"),
        typed(b'Q', b"SELECT 1\0")
    );
    let tally = proxy.finish().expect("it listened");
    assert_eq!((tally.connections, tally.simple), (1, 1));
}
