//! Tables for people.

/// Prints a table that is Markdown as well; none without rows.
pub(super) fn table(title: &str, header: &[&str], rows: &[Vec<String>]) {
    if rows.is_empty() {
        return;
    }
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells
            .chain(header.get(column).map(|cell| cell.chars().count()))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        format!("| {} |", padded.join(" | "))
    };
    println!("\n### {title}\n");
    println!("{}", line(&mut header.iter().copied()));
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    println!("{}", line(&mut rules.iter().map(String::as_str)));
    for row in rows {
        println!("{}", line(&mut row.iter().map(String::as_str)));
    }
}
