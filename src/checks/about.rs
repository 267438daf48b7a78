//! What is known of a check without running it.

use serde::{Deserialize, Serialize};

/// What is known of a check without running it.
#[derive(Debug, Serialize)]
pub struct About {
    /// Kebab-case id, such as `legacy-authentication`.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// How bad a failure is.
    pub severity: Severity,
    /// Why it matters, in a sentence or two.
    pub rationale: &'static str,
    /// Ids in published frameworks (`MS.AAD.1.1`, `MT.1009`, `CIS 5.2.2.3`, `prowler:…`, `ZT 21796`, `template:…`); each
    /// id belongs to one check only.
    pub references: &'static [&'static str],
    /// Ids of related checks of frameworks.
    pub see_also: &'static [&'static str],
    /// Licence that the cure needs: `P1`, `P2`, `Workload ID Premium` …
    pub licence: &'static str,
    /// Numbers that settings may change, as `id.name`.
    pub thresholds: &'static [Threshold],
    /// What removes a finding.
    pub cure: CureKind,
}

/// A number that a check goes by.
#[derive(Debug, Serialize)]
pub struct Threshold {
    /// Name within the check.
    pub name: &'static str,
    /// The value where settings name none.
    pub default: f64,
    /// What it counts, and where it matters.
    pub meaning: &'static str,
}

/// What removes the findings of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CureKind {
    /// An edit of what exists where that does the job, otherwise a new policy in report-only.
    PolicyOrEdit,
    /// A change that a person makes to what exists.
    Edit,
}

/// How bad a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Tidy up some day.
    Low,
    /// Plan it.
    Medium,
    /// Soon.
    High,
    /// Now.
    Critical,
}
