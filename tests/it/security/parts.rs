use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn toml(name: &str) -> toml::Table {
    let text = fs::read_to_string(root().join(name)).unwrap();
    toml::from_str(&text).unwrap()
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.extension() {
            _ if path.is_dir() => found.extend(rust_files(&path)),
            Some(extension) if extension == "rs" => found.push(path),
            _ => {}
        }
    }
    found
}

#[test]
fn s72_no_code_of_ours_is_unsafe_and_nothing_of_ours_runs_at_build_time() {
    let manifest = toml("Cargo.toml");
    assert_eq!(
        manifest["lints"]["rust"]["unsafe_code"].as_str(),
        Some("forbid")
    );
    assert!(!root().join("build.rs").exists());
    let package = manifest["package"].as_table().unwrap();
    assert!(!package.contains_key("build"), "{package:?}");
    for directory in ["src", "tests", "examples"] {
        for path in rust_files(&root().join(directory)) {
            let text = fs::read_to_string(&path).unwrap();
            // Pieced together, or this file would find itself.
            for word in [
                ["unsafe", "{"].join(" "),
                ["allow(unsafe", "code"].join("_"),
            ] {
                assert!(!text.contains(&word), "{word} in {}", path.display());
            }
        }
    }
}

#[test]
fn s72_every_part_is_pinned_with_its_checksum_and_comes_from_the_registry() {
    let lock = toml("Cargo.lock");
    let packages = lock["package"].as_array().unwrap();
    assert!(packages.len() > 50);
    for package in packages {
        let name = package["name"].as_str().unwrap();
        if name == "popfetch" {
            continue;
        }
        let source = package["source"].as_str().unwrap_or_default();
        assert!(source.starts_with("registry+"), "{name}: {source}");
        assert_eq!(
            package["checksum"].as_str().map(str::len),
            Some(64),
            "{name}"
        );
    }
    let names: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    for other in ["native-tls", "openssl", "openssl-sys"] {
        assert!(!names.contains(other), "TLS is rustls's alone: {other}");
    }
}

#[test]
fn s72_what_popfetch_may_be_built_from_is_written_down() {
    let deny = toml("deny.toml");
    let licences = deny["licenses"]["allow"].as_array().unwrap();
    let licences: Vec<&str> = licences.iter().filter_map(toml::Value::as_str).collect();
    assert!(licences.contains(&"MIT"), "{licences:?}");
    for licence in &licences {
        assert!(
            !licence.contains("GPL"),
            "{licence} binds what it is linked with"
        );
    }
    let banned = deny["bans"]["deny"].as_array().unwrap();
    let banned: Vec<&str> = banned.iter().filter_map(|b| b["crate"].as_str()).collect();
    for other in ["ring", "native-tls", "openssl-sys"] {
        assert!(banned.contains(&other), "{banned:?}");
    }
    assert_eq!(deny["advisories"]["yanked"].as_str(), Some("deny"));
    for kind in ["unknown-registry", "unknown-git"] {
        assert_eq!(deny["sources"][kind].as_str(), Some("deny"), "{kind}");
    }
}
