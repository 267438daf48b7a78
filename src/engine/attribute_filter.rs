//! Filters over the custom security attributes of service principals.
//!
//! Source: Microsoft Learn, Conditional Access: Filter for applications.

use super::Model;
use super::rule::{Comparison, Held, parse};
use super::truth::Truth;
use crate::tenant::directory::Tag;
use crate::tenant::{Kind, ServicePrincipal};

/// Whether attributes could be read at all.
pub(super) fn readable(model: &Model) -> bool {
    model.snapshot.has(Kind::ServicePrincipals)
        && model.snapshot.directory.service_principals.iter().all(|app| app.attributes.is_some())
}

/// Whether a rule can be judged: it can be read, and is about custom security attributes.
pub(super) fn is_sound(rule: &str) -> bool {
    parse(rule).is_ok_and(|rule| rule.comparisons().iter().all(|one| attribute(one).is_some()))
}

/// The attribute that is compared, without its prefix; none if it is no custom security attribute.
fn attribute(comparison: &Comparison) -> Option<&str> {
    let (prefix, name) = comparison.attribute.split_once('.')?;
    prefix.eq_ignore_ascii_case("CustomSecurityAttribute").then_some(name)
}

/// Whether the rule takes in an app; one without a service principal in the tenant never matches.
pub(super) fn app_matches(model: &Model, rule: &str, app_id: &str) -> Truth {
    match model.app(app_id) {
        Some(principal) => principal_matches(rule, principal),
        None => {
            if model.snapshot.has(Kind::ServicePrincipals) {
                Truth::No
            } else {
                Truth::Maybe
            }
        }
    }
}

/// Whether the rule takes in a service principal. `-contains` finds a part of a single value, and a whole one of several.
pub(super) fn principal_matches(rule: &str, principal: &ServicePrincipal) -> Truth {
    let (Ok(rule), Some(attributes)) = (parse(rule), &principal.attributes) else { return Truth::Maybe };
    rule.holds(&|comparison: &Comparison| {
        let Some(name) = attribute(comparison) else { return Held::Unknown };
        let value = attributes.iter().find(|(attribute, _)| attribute.eq_ignore_ascii_case(name));
        match value {
            None => Held::Null,
            Some((_, Tag::Text(text))) => Held::Text(text),
            Some((_, Tag::List(items))) => Held::List(items),
        }
    })
}
