//! What packages popfetch says the same as Cargo.toml, and each package holds the same files.
//!
//! The Debian package's files are in Cargo.toml, everybody else's in contrib/install. `.ci/package` builds and
//! tries what can be built and tried; this only keeps the descriptions together.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The descriptions that build with Cargo and install with contrib/install.
const BUILDERS: [&str; 4] = [
    "contrib/aur/PKGBUILD",
    "contrib/container/Containerfile",
    "contrib/homebrew/popfetch.rb",
    "contrib/nix/package.nix",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn manifest() -> toml::Table {
    read("Cargo.toml").parse().unwrap()
}

/// What cargo-deb is told.
fn debian() -> toml::Table {
    let package = manifest()["package"].clone();
    package["metadata"]["deb"].as_table().unwrap().clone()
}

/// Where the Debian package has its files, by what Cargo.toml says, without those that only Debian wants.
fn in_debian() -> BTreeSet<String> {
    let assets = debian()["assets"].as_array().unwrap().clone();
    let mut files = BTreeSet::new();
    for asset in assets {
        let source = asset[0].as_str().unwrap();
        let to = asset[1].as_str().unwrap();
        if source.starts_with("contrib/debian/") {
            continue;
        }
        match to.ends_with('/') {
            true => files.extend(matching(source).iter().map(|name| format!("{to}{name}"))),
            false => {
                assert!(root().join(source).is_file(), "{source}");
                files.insert(to.to_owned());
            }
        }
    }
    files
}

/// The names of the files for a pattern with a star at its end, or for no pattern.
fn matching(source: &str) -> Vec<String> {
    let (directory, name) = source.rsplit_once('/').unwrap();
    let Some(start) = name.strip_suffix('*') else {
        let is_built = source.starts_with("target/");
        assert!(is_built || root().join(source).is_file(), "{source}");
        return vec![name.to_owned()];
    };
    let entries = fs::read_dir(root().join(directory)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names.filter(|name| name.starts_with(start)).collect();
    assert!(!names.is_empty(), "{source}");
    names
}

/// All files below a directory, relative to it.
fn below(directory: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(current) = waiting.pop() {
        for entry in fs::read_dir(current).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            match path.is_dir() {
                true => waiting.push(path),
                false => {
                    let name = path.strip_prefix(directory).unwrap();
                    files.insert(name.to_str().unwrap().to_owned());
                }
            }
        }
    }
    files
}

/// Runs contrib/install with a program that is none, and gives the directory that stands for /.
fn installed(prefix: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("popfetch");
    fs::write(&program, "").unwrap();
    let status = Command::new("sh")
        .arg(root().join("contrib/install"))
        .args([&program, Path::new(prefix)])
        .arg(directory.path().join("root"))
        .status()
        .unwrap();
    assert!(status.success());
    directory
}

#[test]
fn every_package_holds_what_the_debian_package_holds() {
    let directory = installed("/usr");
    let found = below(&directory.path().join("root"));
    // Debian has its own place for zsh, its own form for licences, and its own name for a changelog.
    let found: BTreeSet<String> = found
        .iter()
        .filter(|it| !it.starts_with("usr/share/licenses/"))
        .map(|it| it.replace("zsh/site-functions", "zsh/vendor-completions"))
        .map(|it| it.replace("/CHANGELOG.md", "/changelog"))
        .collect();
    assert_eq!(found, in_debian());
    for builder in BUILDERS {
        let text = read(builder);
        assert!(text.contains("sh contrib/install") || text.contains(r#""sh", "contrib/install""#));
    }
}

#[test]
fn system_units_start_the_program_where_it_was_installed() {
    let directory = installed("/opt/popfetch");
    let units = directory
        .path()
        .join("root/opt/popfetch/lib/systemd/system");
    let mut started = 0;
    for unit in below(&units) {
        let text = fs::read_to_string(units.join(&unit)).unwrap();
        for line in text.lines().filter(|it| it.starts_with("ExecStart=")) {
            assert!(
                line.starts_with("ExecStart=/opt/popfetch/bin/popfetch "),
                "{line}"
            );
            started += 1;
        }
    }
    assert!(started >= 3, "{started}");
}

#[test]
fn every_package_has_the_version_of_cargo_toml() {
    for (path, line) in [
        ("contrib/aur/PKGBUILD", format!("\npkgver={VERSION}\n")),
        ("contrib/aur/PKGBUILD", format!("popfetch-{VERSION}.crate ")),
        (
            "contrib/homebrew/popfetch.rb",
            format!("/popfetch-{VERSION}.crate\"\n"),
        ),
        (
            "contrib/nix/package.nix",
            "version = cargo.version;".to_owned(),
        ),
    ] {
        assert!(read(path).contains(&line), "{path} lacks {line:?}");
    }
    let changelog = read("contrib/debian/changelog");
    let deb = debian();
    let revision = deb.get("revision").map_or("1", |it| it.as_str().unwrap());
    assert!(changelog.starts_with(&format!("popfetch ({VERSION}-{revision}) ")));
}

#[test]
fn every_package_says_what_popfetch_is_in_the_same_words() {
    let description = manifest()["package"]["description"]
        .as_str()
        .unwrap()
        .to_owned();
    for path in ["contrib/aur/PKGBUILD", "contrib/homebrew/popfetch.rb"] {
        assert!(read(path).contains(&description), "{path}");
    }
}

#[test]
fn the_container_is_built_by_the_rust_that_cargo_toml_asks_for() {
    let rust = manifest()["package"]["rust-version"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(read("contrib/container/Containerfile").contains(&format!("/rust:{rust}-")));
}

#[test]
fn the_debian_package_bears_the_licences_of_the_source() {
    // A paragraph of a Debian copyright file is indented, with a dot for an empty line.
    let copyright = read("contrib/debian/copyright");
    let plain: Vec<_> = copyright.lines().map(|it| it.trim_start()).collect();
    let mut lines = plain.iter().filter(|it| **it != ".");
    for line in read("LICENSE-MIT")
        .lines()
        .skip(1)
        .filter(|it| !it.is_empty())
    {
        assert!(lines.any(|it| *it == line), "{line}");
    }
    assert!(copyright.contains("/usr/share/common-licenses/Apache-2.0"));
}
