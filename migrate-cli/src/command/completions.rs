//! `completions SHELL`.

use crate::{args, invocation::Program, render::Console};

pub(super) fn run(program: &Program, shell: clap_complete::Shell, console: &mut Console<'_>) {
    let mut script = Vec::new();
    let mut command = args::command(program, None);
    clap_complete::generate(shell, &mut command, program.name, &mut script);
    console.out(&String::from_utf8_lossy(&script));
}
