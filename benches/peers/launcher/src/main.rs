//! `launcher PROGRAM ARGUMENT..`: runs one program and prints one JSON object about that run.
//!
//! A program of its own because Linux counts, in a process's peak memory, that of the process which it was forked from:
//! this one is smaller than anything that is measured.

use std::env;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

fn main() -> ExitCode {
    let mut words = env::args_os().skip(1);
    let Some(program) = words.next() else {
        eprintln!("usage: launcher PROGRAM ARGUMENT..");
        return ExitCode::from(2);
    };
    let mut command = Command::new(&program);
    command
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let start = Instant::now();
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("cannot start {}: {error}", program.display());
            return ExitCode::FAILURE;
        }
    };
    let mut status = 0;
    // SAFETY: plain old data that the kernel fills in.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let id = child.id().cast_signed();
    // SAFETY: both pointers are to locals of the right type; nobody else waits for this child.
    while unsafe { libc::wait4(id, &raw mut status, 0, &raw mut usage) } == -1 {
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            eprintln!("cannot wait for {}: {error}", program.display());
            return ExitCode::FAILURE;
        }
    }
    let wall = start.elapsed();
    let code = if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        128 + libc::WTERMSIG(status)
    };
    println!(
        "{{\"wall_us\":{},\"cpu_us\":{},\"peak_rss_kb\":{},\"code\":{code}}}",
        wall.as_micros(),
        microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
        usage.ru_maxrss,
    );
    ExitCode::SUCCESS
}

fn microseconds(time: libc::timeval) -> i64 {
    time.tv_sec * 1_000_000 + time.tv_usec
}
