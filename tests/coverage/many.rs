//! More policies than are compared a few at a time.

use std::sync::Arc;

use portcullis::engine::{Model, Requirement, Scope};
use portcullis::tenant::snapshot::BaselineScopes;
use serde_json::json;

use super::{legacy, one_of, policy, tenant};

#[test]
fn nobody_is_covered_by_many_policies_for_others() {
    let of = |at: usize| {
        let users = json!({"includeUsers": ["u-1"]});
        let group = json!({"includeGroups": ["g-out"]});
        let users = if at.is_multiple_of(2) { users } else { group };
        policy(&format!("p-{at}"), json!({"users": users}), one_of(&["mfa"]))
    };
    for many in [2, 16, 17, 40, 130] {
        let mut snapshot = (*tenant(&(0..many).map(of).collect::<Vec<_>>()).snapshot).clone();
        // Nothing is open, so that sets of users tell.
        snapshot.settings.baseline_scopes = BaselineScopes::Enforced;
        let model = Model::new(Arc::new(snapshot));
        for scope in [Scope::default(), legacy()] {
            let coverage = model.coverage(&Requirement::Mfa, &scope);
            let uncovered: Vec<u32> = coverage.uncovered.iter().collect();
            assert_eq!(uncovered, [1, 4], "of {many} policies: u-2 and the guest");
        }
    }
}
