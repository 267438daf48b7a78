//! Workload identities are kept to trusted networks.

use crate::engine::Scope;
use crate::engine::coverage::Workload;
use crate::facts::{Fact, Term};
use crate::tenant::location::Place;
use crate::tenant::policy::{ClientApplications, Control, Sides, UserSide, Users};
use crate::tenant::{Kind, Policy, Snapshot};

use super::licences::{Owned, owned};
use super::workload_gaps::{self, Judged};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, drafts, listing};

/// Workload identities are kept to trusted networks.
#[derive(Debug)]
pub(super) struct WorkloadIdentities;

static ABOUT: About = About {
    id: "workload-identities",
    title: "Workload identities kept to trusted networks",
    severity: Severity::Medium,
    rationale: "A service principal has no second factor: whoever finds its secret is it. Conditional Access can keep those of this tenant to the networks that they run on; managed identities and apps of other organisations it can't reach.",
    references: &["ZT 21884"],
    see_also: &[],
    licence: "Workload ID Premium",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for WorkloadIdentities {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::ServicePrincipals) {
            if workload_gaps::blocks_whoever(context, Workload::ServicePrincipals, &untrusted()) {
                let pass = listing::open(context, ABOUT.id, "workload_identities.whoever", Verdict::Pass);
                return Finding { not_checked: not_checked(snapshot), ..pass };
            }
            let what = "which workload identities there are (servicePrincipals.json would settle it)";
            return listing::unread(context, (ABOUT.id, "workload_identities"), what);
        }
        let judged = workload_gaps::judge(context, Workload::ServicePrincipals, &untrusted());
        if judged.of == 0 {
            return listing::open(context, ABOUT.id, "workload_identities.nobody", Verdict::NotApplicable);
        }
        found(context, judged)
    }
}

/// From every address that isn't trusted, to every app, at every risk.
fn untrusted() -> Scope {
    Scope { untrusted_locations: true, ..Scope::default() }
}

fn found(context: &Context<'_>, judged: Judged) -> Finding {
    let snapshot = &context.model.snapshot;
    let verdict = match (judged.verdict(), owned(snapshot, ABOUT.licence)) {
        (Verdict::Fail, Owned::No) => Verdict::NotApplicable,
        (verdict, _) => verdict,
    };
    let mut facts = vec![headline(context, verdict, &judged)];
    facts.extend(judged.facts);
    let mut not_checked = not_checked(snapshot);
    not_checked.extend(judged.unresolved);
    let trusted = has_trusted(snapshot);
    if verdict == Verdict::Fail && !trusted {
        not_checked
            .push("a new policy is not suggested: no named location is trusted yet, so it would block all".into());
    }
    let cure = (verdict == Verdict::Fail && trusted).then(|| draft(snapshot));
    let cures = cure.and_then(|draft| drafts::offer(context, "Keep workload identities to trusted networks", draft));
    Finding { check: ABOUT.id, verdict, facts, not_checked, cures: cures.into_iter().collect() }
}

fn headline(context: &Context<'_>, verdict: Verdict, judged: &Judged) -> Fact {
    let snapshot = &context.model.snapshot;
    let name = match verdict {
        Verdict::Fail => "fail",
        Verdict::Pass => "pass",
        Verdict::Review => "unsure",
        Verdict::NotApplicable => "unlicensed",
    };
    let rows = workload_gaps::identities(&judged.open, snapshot);
    Fact::new(&format!("workload_identities.{name}"), context.evidence(rows))
        .with("count", judged.open.len())
        .with("of", judged.of)
        .with("undecided", judged.unsure.len())
        .with("names", Term::Names(workload_gaps::names(&judged.open, snapshot)))
        .must_show()
}

fn not_checked(snapshot: &Snapshot) -> Vec<String> {
    let mut all = vec!["managed identities and apps of other organisations, which no policy reaches".to_owned()];
    if owned(snapshot, ABOUT.licence) == Owned::Unknown {
        all.push("whether the tenant owns Workload ID Premium (subscribedSkus.json would settle it)".to_owned());
    }
    all
}

fn has_trusted(snapshot: &Snapshot) -> bool {
    let trusted = |place: &Place| matches!(place, Place::Ip { trusted: true, ranges } if !ranges.is_empty());
    snapshot.locations.values().any(|location| trusted(&location.place))
}

fn draft(snapshot: &Snapshot) -> Policy {
    let mut draft = drafts::for_everyone(snapshot, "Block outside trusted networks", &[Control::Block]);
    draft.display_name = drafts::name(snapshot, "Block outside trusted networks", "Workload identities");
    let nobody = UserSide { users: ["None".to_owned()].into(), ..UserSide::default() };
    draft.conditions.users = Users { include: nobody, exclude: UserSide::default() };
    let include = ["ServicePrincipalsInMyTenant".to_owned()].into();
    draft.conditions.client_applications = Some(ClientApplications { include, ..ClientApplications::default() });
    let elsewhere = Sides { include: ["All".to_owned()].into(), exclude: ["AllTrusted".to_owned()].into() };
    draft.conditions.locations = Some(elsewhere);
    draft
}
