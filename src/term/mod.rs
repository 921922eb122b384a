//! What reaches a terminal: text made harmless, sizes in words, widths, colour, tables.
//!
//! Everything a server or a message says is hostile until it went through [`escape()`] (for people)
//! or [`json_line`] (for programs). A message that could move the cursor could also draw a
//! convincing password prompt.

mod escape;
mod json;
mod percent;
mod readable;
mod style;
mod table;
mod veil;
mod visible;
mod words;
mod wrap;

pub(crate) use escape::is_unsafe;
pub use escape::{
    LIMIT, escape, escape_bytes_up_to, escape_str, escape_up_to, is_ignorable, unique_id,
};
pub use json::json_line;
pub use percent::{percent, unpercent};
pub use readable::readable;
pub use style::{Color, Paint, columns, rows};
pub use table::{Column, Table, fit, width};
pub use veil::Veil;
pub(crate) use visible::{visible, visible_same_width};
pub use words::{count, hex, is_hex, nearest, quoted, size, unhex, without_numbers};
pub use wrap::{WIDEST, fold, hang, wrap, wrap_item};
