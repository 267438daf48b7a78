//! Whether the tenant owns what the cure of a check needs.

use crate::tenant::Snapshot;
use crate::tenant::well_known::{PLAN_P1, PLAN_P2, PLAN_WORKLOAD_P1, PLAN_WORKLOAD_P2};

use super::policies;

/// Service plans by the word of [`super::About::licence`]. Source: Microsoft Learn, product names and service plan
/// identifiers for licensing.
const PLANS: [(&str, &[&str]); 5] = [
    ("P1", &[PLAN_P1, PLAN_P2]),
    ("P2", &[PLAN_P2]),
    ("Workload ID Premium", &[PLAN_WORKLOAD_P1, PLAN_WORKLOAD_P2]),
    ("Purview", &["d587c7a3-bda9-4f99-8776-9bcf59c84f75", "9d0c4ee5-e4a1-4625-ab39-d82b619b1a34"]),
    ("Defender for Cloud Apps", &["2e2ddb96-6af9-4b1d-a3f0-d6ecfd22edb2"]),
];

/// How the tenant stands to a licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owned {
    /// It owns it, or has policies On, which takes it.
    Yes,
    /// The licences were read, and it isn't among them.
    No,
    /// The licences weren't read.
    Unknown,
}

/// How the tenant stands to the licence of a check. Who has a policy On has P1, and without any licence that was read nobody
/// asks for it: Conditional Access is what this program is for.
#[must_use]
pub fn owned(snapshot: &Snapshot, licence: &str) -> Owned {
    let in_use = !snapshot.knows_licences() || policies::on(snapshot).next().is_some();
    let named = |word: &str| licence.split(", ").any(|part| part == word) && !(word == "P1" && in_use);
    let mut wanted = PLANS.iter().filter(|(word, _)| named(word)).peekable();
    if wanted.peek().is_none() {
        return Owned::Yes;
    }
    if !snapshot.knows_licences() {
        return Owned::Unknown;
    }
    let owns = |plans: &[&str]| plans.iter().any(|plan| snapshot.licences.get(*plan).is_some_and(|units| *units > 0));
    if wanted.all(|(_, plans)| owns(plans)) { Owned::Yes } else { Owned::No }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::policy::PolicyState;
    use crate::tenant::{Kind, Policy, Reading};

    #[test]
    fn what_was_not_read_is_unknown_and_what_is_not_there_is_not_owned() {
        let mut tenant = Snapshot::default();
        assert_eq!(owned(&tenant, "P1"), Owned::Yes);
        assert_eq!(owned(&tenant, "P2"), Owned::Unknown);
        tenant.licences.insert("41781fb2-bc02-4b7c-bd55-b576c07bb09d".into(), 10);
        assert_eq!(owned(&tenant, "P2"), Owned::No);
        tenant.licences.insert("eec0eb4f-6444-4f95-aba0-50c24d67f998".into(), 10);
        assert_eq!(owned(&tenant, "P2"), Owned::Yes);
        assert_eq!(owned(&tenant, "P2, Purview"), Owned::No);
    }

    #[test]
    fn a_tenant_that_owns_nothing_has_no_conditional_access_unless_a_policy_is_on() {
        let mut tenant = Snapshot::default();
        tenant.readings.insert(Kind::SubscribedSkus, Reading::Complete { count: 0 });
        assert_eq!(
            [owned(&tenant, "P1"), owned(&tenant, "P2"), owned(&tenant, "none")],
            [Owned::No, Owned::No, Owned::Yes]
        );
        tenant.policies.push(Policy { state: PolicyState::Enabled, ..Policy::default() });
        assert_eq!([owned(&tenant, "P1"), owned(&tenant, "P2")], [Owned::Yes, Owned::No]);
    }
}
