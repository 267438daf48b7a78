//! No account is left with per-user MFA, the way before Conditional Access.

use roaring::RoaringBitmap;

use crate::facts::Fact;
use crate::tenant::{Kind, Snapshot};

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, HandOver, Severity, Verdict, hand_over, rows};

/// No account is left with per-user MFA, the way before Conditional Access.
#[derive(Debug)]
pub(super) struct PerUserMfa;

static ABOUT: About = About {
    id: "per-user-mfa",
    title: "Accounts with legacy per-user MFA",
    severity: Severity::Medium,
    rationale: "Per-user MFA asks at every sign-in, knows no conditions, remembers devices on its own terms and hides gaps in policies. Cover these accounts with a policy, then turn it off.",
    references: &["CIS 5.1.2.1"],
    see_also: &["MT.1007"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for PerUserMfa {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let users = &snapshot.directory.users;
        if !snapshot.has(Kind::Users) || users.iter().all(|user| user.per_user_mfa.is_none()) {
            let mut finding = listing::open(context, ABOUT.id, "per_user_mfa.review", Verdict::Review);
            let settled = "per-user MFA (perUserMfaState in users.json, from /users/{id}/authentication/requirements, would settle it)";
            finding.not_checked.push(settled.to_owned());
            return finding;
        }
        let bound = users.iter().zip(0u32..).filter(|(user, _)| user.enabled && user.per_user_mfa == Some(true));
        let bound: RoaringBitmap = bound.map(|(_, at)| at).collect();
        let listed = if bound.is_empty() { Vec::new() } else { vec![listed(context, &bound)] };
        let mut finding = listing::finding(context, (ABOUT.id, "per_user_mfa"), listed);
        let unread = users.iter().filter(|user| user.per_user_mfa.is_none()).count();
        finding.not_checked.extend((unread > 0).then(|| format!("{unread} accounts whose per-user MFA wasn't read")));
        finding
    }
}

fn listed(context: &Context<'_>, bound: &RoaringBitmap) -> Listed {
    let snapshot = &context.model.snapshot;
    Listed {
        fact: Fact::new("per_user_mfa.users", context.evidence(rows::users(bound, snapshot, None)))
            .with("count", bound.len()),
        cure: listing::hand_over(
            "",
            "Turn per-user MFA off, once a policy covers these accounts".to_owned(),
            off(bound, snapshot),
        ),
    }
}

fn off(bound: &RoaringBitmap, snapshot: &Snapshot) -> HandOver {
    let before = format!("enabled or enforced for {}", bound.len());
    let change = ("Per-user MFA", before.as_str(), "Disabled");
    let people = bound.iter().filter_map(|at| snapshot.directory.user_at(at)).take(50);
    let ids: Vec<String> = people.map(|user| format!("'{}'", user.id.replace('\'', ""))).collect();
    HandOver {
        powershell: format!(
            "Connect-MgGraph -Scopes 'Policy.ReadWrite.AuthenticationMethod'\n\
             foreach ($id in {}) {{\n    \
             Invoke-MgGraphRequest -Method PATCH -Uri \"/beta/users/$id/authentication/requirements\" -Body @{{ perUserMfaState = 'disabled' }}\n}}",
            ids.join(", "),
        ),
        ..hand_over::change_of(
            ("Users", "", &snapshot.tenant_name),
            change,
            "Entra admin center > Users > Per-user MFA".to_owned(),
        )
    }
}
