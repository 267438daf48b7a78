//! The engine audits itself: its own verdict on past sign-ins beside the one that Microsoft logged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::evaluate::Applies;
use super::super::past::{is_of_a_person, sign_in_of};
use crate::engine::Model;
use crate::tenant::{PastSignIn, Policy};

/// How often our verdict on a policy equals the one in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agreement {
    /// Object id of the policy.
    pub policy_id: String,
    /// Rows on which both say that it applied, or both that it didn't.
    pub agreed: u64,
    /// Ids of the rows on which they differ.
    pub differed: Vec<String>,
    /// Rows on which ours hangs on something that the log lacks.
    pub open: u64,
}

impl Agreement {
    /// The share of rows on which both verdicts are the same, of those on which ours is sure; none without such rows.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let (agreed, differed) = (u32::try_from(self.agreed).ok()?, u32::try_from(self.differed.len()).ok()?);
        let decided = f64::from(agreed) + f64::from(differed);
        (decided > 0.0).then(|| f64::from(agreed) / decided)
    }
}

impl Model {
    /// Compares our verdicts with the log's, for every policy that hasn't changed since the row was written.
    #[must_use]
    pub fn agreement(&self) -> Vec<Agreement> {
        let snapshot = &self.snapshot;
        let positions = snapshot.policies.iter().enumerate().map(|(at, policy)| (policy.id.as_str(), (at, policy)));
        let positions = positions.collect::<BTreeMap<_, _>>();
        let mut found: BTreeMap<&str, Agreement> = BTreeMap::new();
        let judged = |row: &&PastSignIn| !row.applied.is_empty() && !row.first_factor_failed() && is_of_a_person(row);
        for row in snapshot.sign_ins.iter().filter(judged) {
            let sign_in = sign_in_of(snapshot, row);
            for logged in row.applied.iter() {
                let Some((at, policy)) = positions.get(logged.id.as_str()) else { continue };
                let Some(applied) = applied(&logged.result).filter(|_| unchanged_since(policy, row)) else { continue };
                let agreement = found.entry(&policy.id).or_default();
                match self.judge(*at, policy, &sign_in) {
                    Applies::DependsOn(_) | Applies::NotDecided(_) => agreement.open += 1,
                    ours if (ours == Applies::Yes) == applied => agreement.agreed += 1,
                    _ => agreement.differed.push(row.id.to_string()),
                }
            }
        }
        found.into_iter().map(|(id, agreement)| Agreement { policy_id: id.to_owned(), ..agreement }).collect()
    }
}

/// Whether a logged result means that the policy applied; none for results that say neither.
fn applied(result: &str) -> Option<bool> {
    match result.to_ascii_lowercase().as_str() {
        "success" | "failure" | "reportonlysuccess" | "reportonlyfailure" | "reportonlyinterrupted" => Some(true),
        "notapplied" | "reportonlynotapplied" => Some(false),
        _ => None,
    }
}

fn unchanged_since(policy: &Policy, row: &PastSignIn) -> bool {
    policy.modified.or(policy.created).is_none_or(|changed| changed < row.at)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::tenant::read::{read_sign_in, read_user};
    use crate::tenant::{Kind, Reading, SnapshotBuilder, read_policy};

    fn agreement(results: &[(&str, &str, &str)]) -> Vec<Agreement> {
        let mut builder = SnapshotBuilder::default();
        builder.reading(Kind::Users, Reading::Complete { count: 1 });
        builder.user(read_user(&json!({"id": "alice"})).unwrap());
        let policy = json!({"id": "p", "state": "enabled", "modifiedDateTime": "2026-11-10T00:00:00Z",
            "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]},
                "platforms": {"includePlatforms": ["windows"]}}, "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}});
        builder.policy(read_policy(&policy).unwrap());
        for (day, system, result) in results {
            let row = json!({"id": format!("{day}-{result}"), "createdDateTime": format!("2026-11-{day}T00:00:00Z"), "userId": "alice",
                "resourceId": "r", "deviceDetail": {"operatingSystem": system},
                "appliedConditionalAccessPolicies": [{"id": "p", "result": result}, {"id": "deleted", "result": "success"}]});
            builder.sign_in(read_sign_in(&row).unwrap());
        }
        Model::new(Arc::new(builder.build())).agreement()
    }

    #[test]
    fn verdicts_are_compared_row_by_row() {
        let found = agreement(&[
            ("11", "Windows", "success"),
            ("12", "MacOs", "notApplied"),
            ("13", "MacOs", "success"),
            ("14", "", "failure"),
            ("15", "Windows", "notEnabled"),
        ]);
        assert_eq!((found.len(), found[0].agreed, found[0].open), (1, 2, 1));
        assert_eq!(found[0].differed, ["13-success"]);
        assert!((found[0].rate().unwrap() - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn what_the_log_does_not_tell_is_open_and_not_a_difference() {
        let mut builder = SnapshotBuilder::default();
        builder.reading(Kind::Users, Reading::Complete { count: 1 });
        builder.user(read_user(&json!({"id": "alice"})).unwrap());
        let policy = json!({"id": "p", "state": "enabled", "conditions": {"users": {"includeUsers": ["All"]},
            "applications": {"includeAuthenticationContextClassReferences": ["c1"]}},
            "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}});
        builder.policy(read_policy(&policy).unwrap());
        for user in ["alice", ""] {
            let row = json!({"id": user, "createdDateTime": "2026-11-20T00:00:00Z", "userId": user, "resourceId": "r",
                "appliedConditionalAccessPolicies": [{"id": "p", "result": "success"}]});
            builder.sign_in(read_sign_in(&row).unwrap());
        }
        let found = Model::new(Arc::new(builder.build())).agreement();
        assert_eq!((found[0].open, found[0].agreed, found[0].differed.len()), (1, 0, 0));
    }

    #[test]
    fn rows_from_before_the_last_change_say_nothing() {
        assert_eq!(agreement(&[("09", "MacOs", "success")]), []);
        assert_eq!(Agreement::default().rate(), None);
    }
}
