//! Where the figures go.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::figures::{self, Group};
use crate::plot;
use crate::proxy::Found;
use crate::table;

/// Between these both pages have what the benchmark wrote.
const BEGIN: &str = "<!-- figures: UPDATE=1 cargo bench --bench peers -->\n";
const END: &str = "<!-- end of figures -->\n";

/// Writes all results, and says the tables.
pub fn publish(groups: &[Group], machine: &str, lines: &[Found]) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = root.join("target/bench");
    let tables = table::markdown(groups, machine, lines);
    let plot = plot::svg(groups);
    fs::create_dir_all(&directory)?;
    fs::write(directory.join("peers.md"), &tables)?;
    fs::write(
        directory.join("peers.json"),
        figures::json(groups, machine)? + "\n",
    )?;
    if let Some(plot) = &plot {
        fs::write(directory.join("peers.svg"), plot)?;
    }
    println!("{tables}");
    if env::var_os("UPDATE").is_some() {
        let plot = plot.context("nothing to draw")?;
        fs::write(root.join("benches/figures.svg"), plot)?;
        update(
            &root.join("benches/README.md"),
            &format!("{PLOT}\n\n{tables}"),
        )?;
        update(&root.join("README.md"), &table::brief(groups))?;
    }
    Ok(())
}

/// As `benches/README.md` finds it.
const PLOT: &str = "![Seconds by program and work, on a logarithmic axis](figures.svg)";

fn update(page: &Path, figures: &str) -> Result<()> {
    let text = fs::read_to_string(page)?;
    let has_no_place = || format!("{} has no place", page.display());
    let (before, rest) = text.split_once(BEGIN).with_context(has_no_place)?;
    let (_, after) = rest.split_once(END).with_context(has_no_place)?;
    fs::write(page, format!("{before}{BEGIN}\n{figures}\n{END}{after}"))?;
    Ok(())
}
