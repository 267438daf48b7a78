//! Security defaults protect a tenant without Conditional Access, and give way to it where it is licensed.

use serde_json::json;

use crate::facts::{Evidence, Fact};

use super::licences::{Owned, owned};
use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, HandOver, Severity, Verdict, hand_over, policies};

/// Security defaults protect a tenant without Conditional Access, and give way to it where it is licensed.
#[derive(Debug)]
pub(super) struct SecurityDefaults;

static ABOUT: About = About {
    id: "security-defaults",
    title: "Security defaults that fit the licences",
    severity: Severity::High,
    rationale: "Without licences for Conditional Access, security defaults are the only protection. With them they stand in its way: no policy can be turned On beside them.",
    references: &["MT.1021"],
    see_also: &["MT.1022", "MT.1023"],
    licence: "none",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for SecurityDefaults {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let Some(on) = snapshot.security_defaults else {
            let mut finding = listing::open(context, ABOUT.id, "security_defaults.review", Verdict::Review);
            let settled = "security defaults (identitySecurityDefaultsEnforcementPolicy.json would settle it)";
            finding.not_checked.push(settled.to_owned());
            return finding;
        };
        let on_already = policies::on(snapshot).next().is_some();
        let licensed = on_already || snapshot.knows_licences() && owned(snapshot, "P1") == Owned::Yes;
        let key = match (on, licensed, snapshot.knows_licences()) {
            (true, true, _) => "security_defaults.in_the_way",
            (false, false, true) => "security_defaults.unprotected",
            (false, false, false) => {
                let mut finding = listing::open(context, ABOUT.id, "security_defaults.unlicensed", Verdict::Review);
                let settled = "whether Conditional Access is licensed (subscribedSkus.json would settle it)";
                finding.not_checked.push(settled.to_owned());
                return finding;
            }
            _ => return listing::finding(context, (ABOUT.id, "security_defaults"), Vec::new()),
        };
        let title =
            if on { "Turn security defaults off, after policies take over" } else { "Turn security defaults on" };
        let fact = Fact::new(key, context.stamp(Evidence::default()));
        let listed = Listed { fact, cure: listing::hand_over("", title.to_owned(), switch(on, context)) };
        listing::finding(context, (ABOUT.id, "security_defaults"), vec![listed])
    }
}

fn switch(on: bool, context: &Context<'_>) -> HandOver {
    let change =
        if on { ("Security defaults", "Enabled", "Disabled") } else { ("Security defaults", "Disabled", "Enabled") };
    let portal = "Entra admin center > Overview > Properties > Manage security defaults".to_owned();
    let enabled = if on { "$false" } else { "$true" };
    HandOver {
        powershell: format!(
            "Connect-MgGraph -Scopes 'Policy.Read.All','Policy.ReadWrite.SecurityDefaults'\n\
             Update-MgPolicyIdentitySecurityDefaultEnforcementPolicy -BodyParameter @{{ isEnabled = {enabled} }}"
        ),
        request: Some((
            "PATCH".to_owned(),
            "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy".to_owned(),
            json!({"isEnabled": !on}),
        )),
        ..hand_over::change_of(("Tenant", "", &context.model.snapshot.tenant_name), change, portal)
    }
}
