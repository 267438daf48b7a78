//! Holds the direction of dependencies, the purity of the engine, and the registries to the source tree itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may look at whom (`crate::X` in a file of `X`'s owner). What isn't listed may look at everything.
///
/// `config`, `clock`, `error` are leaves. The judging modules (`engine`, `checks`, `suggestions`, `approval`) are one group;
/// `graph`, `explain`, `chat` and `store` never look at each other.
const MAY_SEE: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("error", &[]),
    ("tenant", &["tenant"]),
    ("facts", &["facts", "tenant"]),
    ("config", &["config", "tenant"]),
    ("log", &["log"]),
    ("engine", &["engine", "tenant"]),
    ("checks", &["checks", "engine", "suggestions", "facts", "tenant"]),
    ("suggestions", &["suggestions", "checks", "engine", "facts", "tenant"]),
    ("approval", &["approval", "log"]),
    ("identity", &["identity", "config", "clock"]),
    ("graph", &["graph", "identity", "config", "clock", "tenant", "suggestions"]),
    ("explain", &["explain", "facts", "clock"]),
    ("chat", &["chat", "identity", "facts", "clock"]),
    ("store", &["store", "log", "tenant"]),
    ("jobs", &["jobs", "store", "clock"]),
    ("demo", &["demo"]),
];

/// The one type that `graph` takes from the judging modules: what the writer accepts.
const GRAPH_TAKES: &str = "suggestions::draft::ReportOnlyPolicy";

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files.extend(sources(&entry));
        } else if entry.extension().is_some_and(|kind| kind == "rs") {
            files.push(entry);
        }
    }
    files.sort();
    files
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The top-level module that a file belongs to.
fn module(file: &Path) -> String {
    let path = file.strip_prefix(root()).unwrap();
    path.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The code of a file without its tests and comments: what stands before `#[cfg(test)]`.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let before = text.split("#[cfg(test)]").next().unwrap();
    let lines = before.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn is_test(file: &Path) -> bool {
    let name = file.file_stem().unwrap().to_str().unwrap();
    matches!(name, "tests" | "testing" | "samples" | "fixtures")
        || file.components().any(|part| part.as_os_str() == "samples")
}

#[test]
fn dependencies_point_inwards_only() {
    let mut broken = Vec::new();
    for file in sources(&root()).into_iter().filter(|file| !is_test(file)) {
        let owner = module(&file);
        let Some((_, allowed)) = MAY_SEE.iter().find(|(name, _)| *name == owner) else { continue };
        let code = code(&file);
        for piece in code.split("crate::").skip(1) {
            let seen: String = piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let one = owner == "graph" && seen == "suggestions" && !piece.starts_with(GRAPH_TAKES);
            if !seen.is_empty() && (!allowed.contains(&seen.as_str()) || one) {
                broken.push(format!("{} looks at {seen}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "forbidden directions:\n{}", broken.join("\n"));
}

#[test]
fn the_engine_is_pure() {
    let impure = ["async ", "std::env", "SystemTime", "Instant", "Clock", "reqwest", "tokio"];
    for file in sources(&root().join("engine")) {
        let code = code(&file);
        for word in impure {
            assert!(!code.contains(word), "{} holds `{word}`", file.display());
        }
    }
}

#[test]
fn every_check_and_every_answer_is_registered() {
    for (folder, registry, shared) in [
        ("checks", "checks/mod.rs", &["accounts", "drafts", "gaps", "hand_over", "requirement", "rows", "scopes"][..]),
        ("bot/answers", "bot/answers/mod.rs", &["testing"][..]),
    ] {
        let registry = fs::read_to_string(root().join(registry)).unwrap();
        let table = registry.split("static ").nth(1).unwrap().split("];").next().unwrap().to_owned();
        for entry in fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_stem().unwrap().to_str().unwrap().to_owned();
            let is_file = entry.extension().is_some_and(|kind| kind == "rs") && name != "mod";
            let implements = is_file && {
                let text = fs::read_to_string(&entry).unwrap();
                text.contains("impl Check for") || text.contains("fn answer")
            };
            if implements && !shared.contains(&name.as_str()) {
                assert!(table.contains(&format!("{name}::")), "{} is not in its registry", entry.display());
            }
        }
    }
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    for file in sources(&root()) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} doesn't say what it is for", file.display());
        assert!(text.lines().count() <= 500, "{} is longer than 500 lines", file.display());
    }
}

#[test]
fn nothing_in_the_program_can_change_or_enable_a_policy() {
    let writers: BTreeSet<PathBuf> = sources(&root().join("graph"))
        .into_iter()
        .filter(|file| {
            let code = code(file);
            code.contains("PATCH") || code.contains("\"enabled\"") || code.contains(".patch(") || code.contains(".put(")
        })
        .collect();
    assert!(writers.is_empty(), "these files of the Graph client could change a policy: {writers:?}");
}

/// The program's `regex` is built without the tables for Unicode properties; those of the tests' own dependencies have
/// them, so such a pattern works in every test and stops the program at its first question.
#[test]
fn no_pattern_needs_what_the_program_is_built_without() {
    let using: Vec<PathBuf> = sources(&root()).into_iter().filter(|file| code(file).contains(r"\p{")).collect();
    assert!(using.is_empty(), "Unicode properties in patterns: {using:?}");
}
