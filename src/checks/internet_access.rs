//! Where Internet Access is used, a policy carries its security profile.

use crate::tenant::well_known::APP_INTERNET_ACCESS;
use crate::tenant::{Kind, Policy};

use super::{
    About, Check, Context, Cure, CureAction, CureKind, Finding, HandOver, Severity, Verdict, listing, policies,
};

/// Where Internet Access is used, a policy carries its security profile.
#[derive(Debug)]
pub(super) struct InternetAccess;

static ABOUT: About = About {
    id: "internet-access",
    title: "Security profile for Internet Access",
    severity: Severity::Low,
    rationale: "The rules of Internet Access live in security profiles, and a profile reaches people only through a policy that names it. The baseline profile alone reaches everybody.",
    references: &["ZT 25407", "ZT 25408", "ZT 25409", "ZT 25411", "ZT 25413", "ZT 25415", "ZT 27000"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for InternetAccess {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::ServicePrincipals) {
            let what = "whether Internet Access is used (servicePrincipals.json would settle it)";
            return listing::unread(context, (ABOUT.id, "internet_access"), what);
        }
        let open = |key, verdict| listing::open(context, ABOUT.id, key, verdict);
        if snapshot.directory.app(APP_INTERNET_ACCESS).is_none() {
            return open("internet_access.nowhere", Verdict::NotApplicable);
        }
        if policies::on(snapshot).any(|policy| carries(policy, context)) {
            return open("internet_access.pass", Verdict::Pass);
        }
        let action = CureAction::HandOver(Box::new(link()));
        let title = "Name a security profile in a policy for Internet Access".to_owned();
        let mut finding = open("internet_access.fail", Verdict::Fail);
        finding.cures.push(Cure::new("", title, action));
        finding.not_checked.push("what the security profiles filter (they aren't read)".into());
        finding
    }
}

/// Whether a policy brings a profile to the traffic of somebody.
fn carries(policy: &Policy, context: &Context<'_>) -> bool {
    let (users, apps) = (&policy.conditions.users, &policy.conditions.applications);
    let at = (apps.all || apps.include.contains(APP_INTERNET_ACCESS)) && !apps.exclude.contains(APP_INTERNET_ACCESS);
    // Guests need no account here, and without a directory nobody knows who is in a group.
    let (_, possibly) = context.model.users_of(&policy.id);
    let somebody = users.include.all || users.include.guests.is_some() || !possibly.is_empty();
    at && somebody && policy.session.as_ref().is_some_and(|session| session.filtering_profile.is_some())
}

/// Only the organisation knows which of its profiles is meant.
fn link() -> HandOver {
    HandOver {
        target_kind: "Security profile".into(),
        changes: vec![(
            "Session > Use Global Secure Access security profile".into(),
            "selected in no policy that is On for this traffic".into(),
            "selected in a policy for \"All internet resources with Global Secure Access\"".into(),
        )],
        portal: "Entra admin center > Conditional Access > Policies > New policy".into(),
        ..HandOver::default()
    }
}
