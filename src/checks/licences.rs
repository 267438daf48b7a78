//! Whether the tenant owns what the cure of a check needs.

use crate::tenant::Snapshot;

/// Service plans by the word of [`super::About::licence`]. Source: Microsoft Learn, product names and service plan
/// identifiers for licensing. P1 is not here: without it there is no Conditional Access to judge.
const PLANS: [(&str, &[&str]); 4] = [
    ("P2", &["eec0eb4f-6444-4f95-aba0-50c24d67f998"]),
    ("Workload ID Premium", &["84c289f0-efcb-486f-8581-07f44fc9efad", "7dc0e92d-bf15-401d-907e-0884efe7c760"]),
    ("Purview", &["d587c7a3-bda9-4f99-8776-9bcf59c84f75", "9d0c4ee5-e4a1-4625-ab39-d82b619b1a34"]),
    ("Defender for Cloud Apps", &["2e2ddb96-6af9-4b1d-a3f0-d6ecfd22edb2"]),
];

/// How the tenant stands to a licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owned {
    /// It owns it, or it is one that every tenant with policies has.
    Yes,
    /// The licences were read, and it isn't among them.
    No,
    /// The licences weren't read.
    Unknown,
}

/// How the tenant stands to the licence of a check.
#[must_use]
pub fn owned(snapshot: &Snapshot, licence: &str) -> Owned {
    let mut wanted = PLANS.iter().filter(|(word, _)| licence.split(", ").any(|part| part == *word)).peekable();
    if wanted.peek().is_none() {
        return Owned::Yes;
    }
    if snapshot.licences.is_empty() {
        return Owned::Unknown;
    }
    let owns = |plans: &[&str]| plans.iter().any(|plan| snapshot.licences.get(*plan).is_some_and(|units| *units > 0));
    if wanted.all(|(_, plans)| owns(plans)) { Owned::Yes } else { Owned::No }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
