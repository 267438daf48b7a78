//! `portcullis report`: one HTML file to open and print, and CSV lists beside it.

mod lists;
mod page;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::clock::Clock;
use crate::facts::Wording;

use super::{Ended, folder, output};

const EXAMPLE: &str = "One HTML file to open and print, and a CSV file for each list:\n\n  \
    portcullis report export\n  \
    portcullis report policies.json --out report";

/// So many lists are named where there are more.
const NAMED: usize = 6;

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Report {
    /// A folder, or one file, of exported policies and whatever else of the tenant there is
    path: PathBuf,
    /// Folder for the report
    #[arg(long, value_name = "DIR", default_value = "portcullis-report")]
    out: PathBuf,
}

impl Report {
    /// Reads, judges, writes.
    pub(super) fn run(self) -> anyhow::Result<Ended> {
        let is_file = self.out.exists() && !self.out.is_dir();
        anyhow::ensure!(!is_file, "--out {}: expected a folder, found a file", self.out.display());
        let clock = Clock::system();
        let analysis = folder::analysis(&self.path, &clock)?;
        let wording = Wording::new(jiff::tz::TimeZone::system())?;
        std::fs::create_dir_all(&self.out).with_context(|| format!("making {}", self.out.display()))?;
        let open = lists::read(&analysis, clock.now());
        let mut files = vec![lists::policies(analysis.snapshot()), lists::exclusions(&analysis.model)];
        for list in &open {
            files.push(lists::accounts(list, &analysis, &wording)?);
        }
        files.extend(lists::failing(&analysis, clock.now()));
        files.retain(|file| file.lines.len() > 1);
        for file in &files {
            self.write(&file.name, &file.text())?;
        }
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        self.write("report.html", &page::html(&analysis, &wording, (&open, &names))?)?;
        let page = self.out.join("report.html");
        output::line(&format!("{} and {} beside it", page.display(), beside(&names)));
        Ok(Ended::Fine)
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.out.join(name);
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }
}

/// The first lists by their names, and how many more there are: a folder of a large tenant fails dozens of checks.
fn beside(names: &[&str]) -> String {
    let (named, more) = names.split_at(names.len().min(NAMED));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more CSV lists", more.len()) };
    named.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn a_long_row_of_lists_is_counted() {
        assert_eq!(beside(&["a.csv", "b.csv"]), "a.csv, b.csv");
        let many = ["a", "b", "c", "d", "e", "f", "g", "h"];
        assert_eq!(beside(&many), "a, b, c, d, e, f and 2 more CSV lists");
    }
}
