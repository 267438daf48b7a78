//! Excluding an app from "All resources" doesn't let sign-ins for basic permissions through.
//!
//! Source: Microsoft Learn, Conditional Access: Target resources, "Conditional Access behavior when an all resources
//! policy has an app exclusion" (change of 2026).

use std::collections::BTreeSet;

use crate::facts::{Fact, Term};
use crate::tenant::Policy;
use crate::tenant::policy::Applications;
use crate::tenant::snapshot::BaselineScopes;
use crate::tenant::well_known::APP_WINDOWS_AZURE_AD;

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, fallback, hand_over, policies, rows};

/// Excluding an app from "All resources" doesn't let sign-ins for basic permissions through.
#[derive(Debug)]
pub(super) struct BaselineScopesEnforced;

static ABOUT: About = About {
    id: "baseline-scopes",
    title: "Sign-ins for basic permissions beside an app exclusion",
    severity: Severity::Medium,
    rationale: "Under the old rule, excluding one app from All resources also lets sign-ins through that ask for basic permissions alone (email, profile, User.Read). Microsoft closes this in 2026: such sign-ins are then judged as sign-ins to Windows Azure Active Directory, and apps that nobody was prompted for may prompt.",
    references: &[],
    see_also: &["MT.1003"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for BaselineScopesEnforced {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let with_exclusion: Vec<&Policy> =
            policies::on(snapshot).filter(|policy| policies::is_everyday(policy) && excludes_apps(policy)).collect();
        if with_exclusion.is_empty() {
            return listing::open(context, ABOUT.id, "baseline_scopes.nobody", Verdict::NotApplicable);
        }
        let scopes = &snapshot.settings.baseline_scopes;
        let mut open: Vec<&Policy> = with_exclusion.into_iter().filter(|policy| lets_through(policy, scopes)).collect();
        let made_up = made_up(context, &open);
        open.retain(|policy| !made_up.contains(&policy.id));
        let names = policies::names(open.iter().copied());
        let listed = open.into_iter().map(|policy| listed(policy, context)).collect();
        let mut finding = listing::finding(context, (ABOUT.id, "baseline_scopes"), listed);
        if *scopes == BaselineScopes::Unknown && finding.verdict == Verdict::Fail {
            finding.verdict = Verdict::Review;
            finding.cures.clear();
            // All of them hang on one setting, so they are named in one sentence.
            finding.facts.truncate(1);
            finding.not_checked.push(
                "the tenant's \"baseline scopes\" setting, which Graph doesn't give (baselineScopes in settings.json would settle it)"
                    .to_owned(),
            );
            if let Some(headline) = finding.facts.first_mut() {
                "baseline_scopes.review".clone_into(&mut headline.key);
                headline.terms.insert("policies".to_owned(), names.into());
            }
        }
        finding
    }
}

fn excludes_apps(policy: &Policy) -> bool {
    let apps = &policy.conditions.applications;
    !apps.exclude.is_empty() || apps.filter.is_some()
}

/// Whether sign-ins for baseline scopes alone escape the policy; under the new rule only where their target is excluded.
fn lets_through(policy: &Policy, scopes: &BaselineScopes) -> bool {
    target(scopes).is_none_or(|target| policy.conditions.applications.exclude.contains(target))
}

/// What sign-ins for baseline scopes are judged as under the new rule.
fn target(scopes: &BaselineScopes) -> Option<&str> {
    match scopes {
        BaselineScopes::Unknown | BaselineScopes::Legacy => None,
        BaselineScopes::Enforced => Some(APP_WINDOWS_AZURE_AD),
        BaselineScopes::CustomTarget(app) => Some(app),
    }
}

/// Ids of those for which others ask for as much: at the target of such sign-ins, or else wherever they do. One that asks
/// there excludes no app, so that it judges sign-ins for basic permissions as well.
fn made_up(context: &Context<'_>, open: &[&Policy]) -> BTreeSet<String> {
    let snapshot = &context.model.snapshot;
    let ids: BTreeSet<String> = open.iter().map(|policy| policy.id.clone()).collect();
    if ids.is_empty() {
        return ids;
    }
    let mut policies = snapshot.policies.clone();
    for policy in policies.iter_mut().filter(|policy| ids.contains(&policy.id)) {
        *policy = fallback::sparing(policy, snapshot);
        if let Some(target) = target(&snapshot.settings.baseline_scopes) {
            let include = BTreeSet::from([target.to_owned()]);
            policy.conditions.applications = Applications { include, ..Applications::default() };
        }
    }
    context.model.with_policies(policies).made_up(&ids)
}

fn listed(policy: &Policy, context: &Context<'_>) -> Listed {
    let change = ("Baseline scopes", "not judged once an app is excluded", "judged as Windows Azure Active Directory");
    let portal = "Entra admin center > Conditional Access > Settings > Baseline scopes".to_owned();
    let tenant = ("Tenant", "", context.model.snapshot.tenant_name.as_str());
    Listed {
        fact: Fact::new("baseline_scopes.policy", context.evidence([rows::policy(policy)]))
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("apps", policy.conditions.applications.exclude.len()),
        cure: listing::hand_over(
            "",
            "Have sign-ins for basic permissions judged".to_owned(),
            hand_over::change_of(tenant, change, portal),
        ),
    }
}
