//! The administration portals, of which only the Azure portal has an id that Microsoft publishes: what is known of it alone
//! says nothing of the others.

use crate::facts::{Evidence, Fact};
use crate::tenant::{Policy, Snapshot};

use super::scopes::{ADMIN_PORTALS, other_admin_portals};
use super::{Context, Finding, Verdict};

/// The finding of a check of the portals. Where the settings don't list them, it passes only by policies that reach all of
/// them: those for all resources, or for the target of that name.
pub(super) fn judge(context: &Context<'_>, area: &str, check: impl Fn(&Context<'_>) -> Finding) -> Finding {
    let snapshot = &context.model.snapshot;
    let mut finding = check(context);
    let Some(others) = other_admin_portals(snapshot) else { return finding };
    finding.not_checked.push(others);
    if finding.verdict == Verdict::Pass {
        let model = context.model.with_policies(for_all_portals(snapshot));
        if check(&Context { model: &model, ..*context }).verdict != Verdict::Pass {
            finding.verdict = Verdict::Review;
            finding.facts =
                vec![Fact::new(&format!("{area}.azure_only"), context.stamp(Evidence::default())).must_show()];
        }
    }
    finding
}

/// The policies without what they say of single apps.
fn for_all_portals(snapshot: &Snapshot) -> Vec<Policy> {
    let mut all = snapshot.policies.clone();
    all.iter_mut().for_each(|policy| policy.conditions.applications.include.retain(|app| app == ADMIN_PORTALS));
    all
}
