//! Aligned columns.

use comfy_table::{CellAlignment, Table, presets::NOTHING};

use super::text::{truncated, width};

/// Space between two columns.
const GAP: u16 = 2;
/// Narrower than this, the last column is of no use.
const LAST_AT_LEAST: usize = 20;

/// Where a column's text stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Align {
    Left,
    Right,
}

/// What becomes of the last column where a terminal has no room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Narrow {
    /// It can be missed.
    Hide,
    /// It cannot: the terminal wraps it.
    Keep,
}

/// Lines of aligned cells, one for each row. In a terminal of `columns`, the last column is
/// truncated to what is left; elsewhere nothing is.
pub(super) fn lines(
    alignments: &[Align],
    rows: impl IntoIterator<Item = Vec<String>>,
    columns: Option<usize>,
    narrow: Narrow,
) -> Vec<String> {
    let mut rows: Vec<Vec<String>> = rows.into_iter().collect();
    let last = rows
        .iter()
        .map(Vec::len)
        .max()
        .unwrap_or(0)
        .saturating_sub(1);
    if let Some(columns) = columns {
        fit(&mut rows, last, columns, narrow);
    }
    if rows.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new();
    table.load_style(NOTHING).add_rows(rows);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if at == last { 0 } else { GAP }));
        if let Some(Align::Right) = alignments.get(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// Shortens the last cells to what the others leave. (The table library would break them between
/// words, some early and some late.)
fn fit(rows: &mut [Vec<String>], last: usize, columns: usize, narrow: Narrow) {
    let widest = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        cells.map(|cell| width(cell)).max().unwrap_or(0)
    };
    let fixed: usize = (0..last).map(|at| widest(at) + usize::from(GAP)).sum();
    let left = columns.saturating_sub(fixed);
    for cell in rows.iter_mut().filter_map(|row| row.get_mut(last)) {
        if left >= LAST_AT_LEAST {
            *cell = truncated(cell, left);
        } else if narrow == Narrow::Hide {
            cell.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<String>> {
        [
            ["a", "1.3 ms", "short"],
            ["bbb", "34 ms", "a rather long description of what it does"],
        ]
        .map(|row| row.map(str::to_owned).to_vec())
        .to_vec()
    }

    #[test]
    fn aligned_and_whole_when_piped() {
        assert_eq!(
            lines(&[Align::Left, Align::Right], rows(), None, Narrow::Hide),
            [
                "a    1.3 ms  short",
                "bbb   34 ms  a rather long description of what it does"
            ]
        );
    }

    #[test]
    fn a_terminal_truncates_the_last_column_to_one_line() {
        let lines = lines(&[Align::Left, Align::Right], rows(), Some(40), Narrow::Keep);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| width(line) <= 40), "{lines:?}");
        assert!(lines[1].ends_with('…'), "{lines:?}");
    }

    #[test]
    fn without_room_the_last_column_is_hidden_or_kept_whole() {
        let of = |narrow| lines(&[Align::Left, Align::Right], rows(), Some(20), narrow);
        assert_eq!(of(Narrow::Hide), ["a    1.3 ms", "bbb   34 ms"]);
        assert!(of(Narrow::Keep)[1].ends_with("what it does"));
    }

    #[test]
    fn no_rows_no_lines() {
        assert_eq!(lines(&[], Vec::new(), Some(80), Narrow::Keep), [""; 0]);
    }
}
