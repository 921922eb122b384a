//! What the fuzz targets call. It lies in tests/fuzz/, because the tests there call it as well.

#[path = "../../tests/fuzz/entry/mod.rs"]
pub mod entry;
