//! Everything a person or a program reads. Nothing outside this module writes.

pub(crate) mod console;
mod failure;
pub(crate) mod graph_dot;
mod graph_layout;
pub(crate) mod graph_mermaid;
mod graph_picture;
pub(crate) mod graph_svg;
pub(crate) mod graph_text;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod mass_progress;
pub(crate) mod matrix;
pub(crate) mod progress;
pub(crate) mod restoring;
mod style;
mod table;
mod text;

pub(crate) use console::{Answer, Console};
pub(crate) use style::Palette;
pub(crate) use text::{count, duration};
