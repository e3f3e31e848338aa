//! Aligned columns.

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, presets::NOTHING,
};

/// Space between two columns.
const GAP: u16 = 2;
/// Narrower than this, the last column is of no use and the terminal wraps instead.
const LAST_AT_LEAST: usize = 12;

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
    let mut table = Table::new();
    table.load_style(NOTHING);
    for cells in rows {
        let mut row = Row::from(cells);
        row.max_height(1);
        table.add_row(row);
    }
    if table.is_empty() {
        return Vec::new();
    }
    let last = table.column_count().saturating_sub(1);
    let fixed: usize = table
        .column_max_content_widths()
        .iter()
        .take(last)
        .map(|width| usize::from(*width) + usize::from(GAP))
        .sum();
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if at == last { 0 } else { GAP }));
        if let Some(Align::Right) = alignments.get(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if at != last {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    match columns {
        Some(columns) if columns >= fixed + LAST_AT_LEAST => {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(u16::try_from(columns).unwrap_or(u16::MAX));
        }
        Some(_) if narrow == Narrow::Hide => {
            if let Some(column) = table.column_mut(last) {
                column.set_constraint(ColumnConstraint::Hidden);
            }
        }
        _ => {}
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
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
        let lines = lines(&[Align::Left, Align::Right], rows(), Some(30), Narrow::Keep);
        assert_eq!(lines.len(), 2);
        assert!(
            lines
                .iter()
                .all(|line| super::super::text::width(line) <= 30),
            "{lines:?}"
        );
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
