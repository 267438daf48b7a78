//! On unmanaged devices no browser stays signed in.

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::SessionControls;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// On unmanaged devices no browser stays signed in.
#[derive(Debug)]
pub(super) struct PersistentBrowserUnmanaged;

static ABOUT: About = About {
    id: "persistent-browser-unmanaged",
    title: "No persistent browser session on unmanaged devices",
    severity: Severity::Medium,
    rationale: "On a shared or private computer a browser that stays signed in hands the session to whoever opens it next.",
    references: &[
        "MT.1017",
        "prowler:entra_conditional_access_policy_non_corporate_device_persistent_browser_disabled",
        "template:62e51ccc-c9c3-4554-ac70-066172c81007",
    ],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for PersistentBrowserUnmanaged {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let never = SessionControls { persistent_browser: Some("never".to_owned()), ..SessionControls::default() };
        let draft = drafts::for_everyone(&context.model.snapshot, "No persistent browser, unmanaged devices", &[]);
        let draft = drafts::on_unmanaged_devices(drafts::with_session(draft, never));
        let scope = Scope { unmanaged_devices: true, ..Scope::default() };
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "persistent_browser_unmanaged",
                requirement: Requirement::NoPersistentBrowser,
                scope,
                missing: None,
                draft: Some(("Never keep browsers signed in on unmanaged devices", draft)),
            },
        )
    }
}
