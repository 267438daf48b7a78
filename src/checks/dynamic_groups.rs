//! No dynamic group that policies go by stands still or leaves people out.

use roaring::RoaringBitmap;
use serde_json::json;

use crate::facts::{Fact, Term};
use crate::tenant::directory::{AccountKind, Group};
use crate::tenant::{Kind, Policy};

use super::accounts::emergency_access;
use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, HandOver, Severity, Verdict, hand_over, policies, rows};

/// No dynamic group that policies go by stands still or leaves people out.
#[derive(Debug)]
pub(super) struct DynamicGroups;

static ABOUT: About = About {
    id: "dynamic-groups",
    title: "Dynamic groups that are paused or leave people out",
    severity: Severity::Medium,
    rationale: "A policy for a dynamic group is for those whom its rule finds. A paused rule finds no newcomer, and a rule over an attribute misses those in whom it is empty.",
    references: &[],
    see_also: &["MT.1036"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for DynamicGroups {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::Groups) {
            let mut finding = listing::open(context, ABOUT.id, "dynamic_groups.review", Verdict::Review);
            finding.not_checked.push("groups and their rules (groups.json would settle it)".to_owned());
            return finding;
        }
        let dynamic = snapshot.directory.groups.values().filter(|group| group.membership_rule.is_some());
        let used: Vec<(&Group, Vec<&Policy>)> = dynamic
            .clone()
            .map(|group| (group, policies_for(group, context)))
            .filter(|(_, policies)| !policies.is_empty())
            .collect();
        let held: Vec<Listed> = dynamic.filter_map(|group| paused_exclusion(context, group)).collect();
        if used.is_empty() && held.is_empty() {
            return listing::open(context, ABOUT.id, "dynamic_groups.nobody", Verdict::NotApplicable);
        }
        let found = used.iter().filter_map(|(group, policies)| {
            if group.rule_paused {
                return Some(paused(context, "dynamic_groups.paused", (group, policies)));
            }
            let left_out = left_out(context, group);
            (!left_out.is_empty()).then(|| leaves_out(context, (group, policies), &left_out))
        });
        let found = found.chain(held);
        let mut finding = listing::finding(context, (ABOUT.id, "dynamic_groups"), found.collect());
        let open: Vec<&Group> =
            used.iter().map(|(group, _)| *group).filter(|group| is_open(group, snapshot.has(Kind::Users))).collect();
        let not_checked =
            open.iter().map(|group| format!("whether the rule of {} leaves people out", group.display_name));
        finding.not_checked.extend(not_checked);
        if finding.verdict == Verdict::Pass && !open.is_empty() {
            finding.verdict = Verdict::Review;
            finding.facts = vec![open_rules(context, &open)];
        }
        finding
    }
}

/// Policies that are On and include the group.
fn policies_for<'a>(group: &Group, context: &'a Context<'_>) -> Vec<&'a Policy> {
    let on = policies::on(&context.model.snapshot);
    on.filter(|policy| policy.conditions.users.include.groups.contains(&group.id)).collect()
}

/// A group that only keeps out of policies whomever its rule took in before it was paused.
fn paused_exclusion(context: &Context<'_>, group: &Group) -> Option<Listed> {
    let on = policies::on(&context.model.snapshot);
    let from: Vec<&Policy> = on.filter(|policy| policy.conditions.users.exclude.groups.contains(&group.id)).collect();
    // One that policies are for is told already, and resumed by the same change.
    let told = !policies_for(group, context).is_empty();
    (group.rule_paused && !told && !from.is_empty())
        .then(|| paused(context, "dynamic_groups.paused_exclusion", (group, &from)))
}

/// What rules may ask for without anybody being left out by accident: every account has these, or is none that works.
const HARMLESS: [&str; 4] = ["user.department", "user.accountenabled", "user.usertype", "user.objectid"];

/// Whether a rule asks for something by which nobody judged whom it leaves out, or its members aren't known.
fn is_open(group: &Group, users: bool) -> bool {
    let rule = group.membership_rule.as_deref().unwrap_or_default().to_ascii_lowercase();
    let words = rule.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_');
    let mut attributes = words.filter(|word| word.starts_with("user.") || word.starts_with("device."));
    !users || group.transitive.is_none() || attributes.any(|attribute| !HARMLESS.contains(&attribute))
}

fn open_rules(context: &Context<'_>, open: &[&Group]) -> Fact {
    let evidence = context.evidence(open.iter().map(|group| rows::group(group)));
    let names = open.iter().map(|group| group.display_name.clone()).collect();
    Fact::new("dynamic_groups.open", evidence).with("count", open.len()).with("groups", Term::Names(names)).must_show()
}

/// People whose department is empty, where the rule asks for it.
fn left_out(context: &Context<'_>, group: &Group) -> RoaringBitmap {
    let directory = &context.model.snapshot.directory;
    let rule = group.membership_rule.as_deref().unwrap_or_default().to_ascii_lowercase();
    let Some(members) = group.transitive.as_ref().filter(|_| rule.contains("user.department")) else {
        return RoaringBitmap::new();
    };
    let users = directory.users.iter().zip(0u32..).filter(|(user, at)| {
        let person = user.enabled && user.guest.is_none() && user.account == AccountKind::Person;
        person && user.department.is_none() && !members.contains(*at)
    });
    users.map(|(_, at)| at).collect::<RoaringBitmap>() - emergency_access(&context.model.snapshot)
}

fn fact(context: &Context<'_>, key: &str, (group, policies): (&Group, &[&Policy]), left: &RoaringBitmap) -> Fact {
    let head = std::iter::once(rows::group(group)).chain(policies.iter().map(|policy| rows::policy(policy)));
    let evidence = context.evidence(head.chain(rows::users(left, &context.model.snapshot, None)));
    Fact::new(key, evidence)
        .with("group", Term::Name(group.display_name.clone()))
        .with("count", left.len())
        .with("policies", policies::names(policies.iter().copied()))
}

fn edit(group: &Group, change: (&str, &str, &str), body: serde_json::Value) -> HandOver {
    let id = group.id.replace('\'', "");
    HandOver {
        powershell: format!(
            "Connect-MgGraph -Scopes 'Group.ReadWrite.All'\nUpdate-MgGroup -GroupId '{id}' -BodyParameter (ConvertFrom-Json '{body}' -AsHashtable)"
        ),
        request: Some(("PATCH".to_owned(), format!("/v1.0/groups/{}", group.id), body)),
        ..hand_over::change_of(
            ("Group", &group.id, &group.display_name),
            change,
            format!("Entra admin center > Groups > {} > Dynamic membership rules", group.display_name),
        )
    }
}

fn paused(context: &Context<'_>, key: &str, (group, policies): (&Group, &[&Policy])) -> Listed {
    let action = edit(group, ("Rule processing", "Paused", "On"), json!({"membershipRuleProcessingState": "On"}));
    Listed {
        fact: fact(context, key, (group, policies), &RoaringBitmap::new()),
        cure: listing::hand_over(&group.id, format!("Resume the rule of {}", group.display_name), action),
    }
}

fn leaves_out(context: &Context<'_>, (group, policies): (&Group, &[&Policy]), left: &RoaringBitmap) -> Listed {
    let before = format!("empty for {} who aren't in {}", left.len(), group.display_name);
    let change = ("Department", before.as_str(), "filled in, or no longer asked for by the rule");
    let portal = "Entra admin center > Users > Edit properties > Job information > Department".to_owned();
    let action = hand_over::change_of(("Users", &group.id, &group.display_name), change, portal);
    let who = if left.len() == 1 { "1 person".to_owned() } else { format!("{} people", left.len()) };
    Listed {
        fact: fact(context, "dynamic_groups.leaves_out", (group, policies), left),
        cure: listing::hand_over(
            &group.id,
            format!("Fill in the department of {who}, so that {} finds them", group.display_name),
            action,
        ),
    }
}
