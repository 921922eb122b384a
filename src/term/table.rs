//! Tables for people, fitted to the terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Spaces between two columns.
const GAP: usize = 2;

/// A flexible column is not made narrower than this while the columns can come closer.
const NARROW: usize = 8;

/// Nor ever narrower than this; a line rather wraps.
const NARROWEST: usize = 4;

/// A terminal that is narrower shows a row of headings in two lines.
const IN_TWO: usize = 72;

/// The second of them is indented so far.
const BELOW: usize = 4;

/// How one column is laid out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Column {
    /// As wide as its widest cell, text at the left.
    Left,
    /// As wide as its widest cell, text at the right: numbers.
    Right,
    /// What is left of the line, longer text cut with "…". Of several, the last gives way first.
    Flexible,
}

/// Rows of cells. The cells must be escaped already.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    widest: Vec<usize>,
    rows: Vec<Vec<String>>,
}

/// Columns that are as wide as they will be.
#[derive(Clone, Debug)]
pub struct Fitted<'a> {
    columns: &'a [Column],
    widths: Vec<usize>,
    /// Spaces between two.
    gap: usize,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            widest: vec![0; columns.len()],
            rows: Vec::new(),
        }
    }

    /// Adds a row. Missing cells are empty, cells beyond the columns are dropped.
    pub fn row<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        let mut row: Vec<String> = cells.into_iter().map(Into::into).collect();
        row.resize(self.columns.len(), String::new());
        self.measure(&row);
        self.rows.push(row);
    }

    /// Makes room for a row that is not kept: those of a million are made twice instead.
    pub fn measure(&mut self, row: &[String]) {
        for (widest, cell) in self.widest.iter_mut().zip(row) {
            *widest = width(cell).max(*widest);
        }
    }

    /// The rows as lines, each with its LF, of at most `columns` columns where that is possible;
    /// uncut where it is `None` (output that is no terminal).
    pub fn render(&self, columns: Option<usize>) -> String {
        let fitted = self.fit(columns);
        let lines = self.rows.iter().map(|row| fitted.line(row));
        lines.collect()
    }

    /// The same, with the last cell of each row in a line of its own where the terminal is too narrow to
    /// show much of it beside the others.
    pub fn render_in_two(&self, columns: Option<usize>) -> String {
        let narrow = columns.filter(|columns| *columns < IN_TWO);
        let (Some(columns), Some((_, first))) = (narrow, self.columns.split_last()) else {
            return self.render(columns);
        };
        let mut table = Self::new(first);
        let rows = self.rows.iter().filter_map(|row| row.split_last());
        for (_, cells) in rows.clone() {
            table.row(cells.iter().cloned());
        }
        let fitted = table.fit(Some(columns));
        let below = columns.saturating_sub(BELOW);
        let lines = rows.map(|(last, cells)| {
            let last = fit(last, below);
            format!("{}{}{last}\n", fitted.line(cells), " ".repeat(BELOW))
        });
        lines.collect()
    }

    /// The columns for lines of at most `columns`, as wide as the rows so far need them; closer to each
    /// other before a line wraps.
    pub fn fit(&self, columns: Option<usize>) -> Fitted<'_> {
        let mut widths = self.widest.clone();
        let columns = columns.unwrap_or(usize::MAX);
        let gap = match self.narrow(&mut widths, columns, GAP, NARROW) {
            true => GAP,
            false => 1,
        };
        self.narrow(&mut widths, columns, gap, NARROWEST);
        Fitted {
            columns: &self.columns,
            widths,
            gap,
        }
    }

    /// Makes flexible columns narrower, to `least` at most. Whether the line fits then.
    fn narrow(&self, widths: &mut [usize], columns: usize, gap: usize, least: usize) -> bool {
        let line = widths.iter().sum::<usize>() + gap * widths.len().saturating_sub(1);
        let mut excess = line.saturating_sub(columns);
        let flexible = widths.iter_mut().zip(&self.columns).rev();
        for (widest, _) in flexible.filter(|(_, column)| **column == Column::Flexible) {
            let less = excess.min(widest.saturating_sub(least));
            *widest -= less;
            excess -= less;
        }
        excess == 0
    }
}

impl Fitted<'_> {
    /// A row as a line with its LF.
    pub fn line(&self, row: &[String]) -> String {
        let mut line = String::new();
        for ((cell, column), columns) in row.iter().zip(self.columns).zip(&self.widths) {
            let cell = fit(cell, *columns);
            let padding = " ".repeat(columns.saturating_sub(width(&cell)));
            match column {
                Column::Right => line.extend([padding.as_str(), &cell]),
                Column::Left | Column::Flexible => line.extend([cell.as_str(), &padding]),
            }
            line.push_str(&" ".repeat(self.gap));
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }
}

/// The columns that `text` takes on a terminal. The text must be escaped already.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` in at most `columns` columns, cut with "…" where it is longer. The text must be escaped
/// already.
pub fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut used = 0;
    let mut cut = String::new();
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        // One column is for the ellipsis.
        if used >= columns {
            break;
        }
        cut.push(c);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Table {
        let mut table = Table::new(&[Column::Right, Column::Left, Column::Flexible]);
        table.row(["1", "Ada", "A subject that is rather long"]);
        table.row(["12", "你好", "Short"]);
        table
    }

    #[test]
    fn columns_are_aligned_and_lines_have_no_trailing_spaces() {
        assert_eq!(
            sample().render(None),
            " 1  Ada   A subject that is rather long\n12  你好  Short\n"
        );
    }

    #[test]
    fn the_flexible_column_gives_way_to_the_terminal() {
        assert_eq!(
            sample().render(Some(24)),
            " 1  Ada   A subject tha…\n12  你好  Short\n"
        );
        assert_eq!(sample().render(Some(3)), " 1 Ada  A s…\n12 你好 Sho…\n");
    }

    #[test]
    fn on_a_narrow_terminal_the_last_cell_stands_below() {
        let mut table = Table::new(&[Column::Left, Column::Flexible, Column::Flexible]);
        table.row(["2026-11-26", "Ada Lovelace", "你好吗你好吗你好吗你好吗"]);
        assert_eq!(
            table.render_in_two(Some(20)),
            "2026-11-26  Ada Lov…\n    你好吗你好吗你…\n"
        );
        assert_eq!(table.render_in_two(Some(80)), table.render(Some(80)));
        assert_eq!(table.render_in_two(None), table.render(None));
    }

    #[test]
    fn a_row_may_have_too_few_or_too_many_cells() {
        let mut table = Table::new(&[Column::Left, Column::Right]);
        table.row(["a"]);
        table.row(["b", "c", "d"]);
        assert_eq!(table.render(None), "a\nb  c\n");
    }

    #[test]
    fn wide_characters_are_not_cut_in_half() {
        assert_eq!(fit("你好吗", 6), "你好吗");
        assert_eq!(fit("你好吗", 5), "你好…");
        assert_eq!(fit("你好吗", 4), "你…");
        assert_eq!(fit("abc", 0), "");
    }

    proptest! {
        #[test]
        fn what_is_fitted_fits(text in "\\PC*", columns in 0_usize..30) {
            prop_assert!(width(&fit(&text, columns)) <= columns);
        }
    }

    #[test]
    fn columns_come_closer_before_a_line_wraps() {
        let mut table = Table::new(&[Column::Flexible, Column::Right, Column::Right]);
        table.row(["ACCOUNT NAME", "MESSAGES", "NEW SIZE"]);
        assert_eq!(table.render(Some(28)), "ACCOUNT…  MESSAGES  NEW SIZE\n");
        assert_eq!(table.render(Some(27)), "ACCOUNT… MESSAGES NEW SIZE\n");
        assert_eq!(table.render(Some(22)), "ACC… MESSAGES NEW SIZE\n");
    }
}
