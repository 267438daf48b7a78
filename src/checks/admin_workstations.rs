//! Administrators can do nothing from a computer that isn't one of their workstations.

use crate::engine::{Requirement, Scope};
use crate::tenant::directory::Device;
use crate::tenant::policy::{Control, Filter, FilterMode};
use crate::tenant::{Policy, Snapshot};

use super::requirement::{Asked, judge_administrators};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, drafts, scopes};

/// Administrators can do nothing from a computer that isn't one of their workstations.
#[derive(Debug)]
pub(super) struct AdminWorkstations;

static ABOUT: About = About {
    id: "admin-workstations",
    title: "Privileged access workstations for administrators",
    severity: Severity::Low,
    rationale: "A privileged access workstation keeps an administrator's session off the computer that reads mail. Nothing but a filter for devices tells it apart: administrators are blocked on every device that no filter picks out, a compliant one too.",
    references: &["ZT 21830", "prowler:entra_conditional_access_policy_privileged_roles_restricted_to_paw"],
    see_also: &["MT.1014"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

/// By what Microsoft's own example tells such workstations apart.
const MARK: (&str, &str) = ("extensionAttribute1", "PAW");

impl Check for AdminWorkstations {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let draft = is_marked(&context.model.snapshot).then(|| draft(&context.model.snapshot));
        let offered = draft.is_some();
        let mut finding = judge_administrators(
            context,
            Asked {
                check: ABOUT.id,
                area: "admin_workstations",
                requirement: Requirement::Block,
                scope: Scope { ordinary_device: true, ..scopes::administrators(context.model) },
                missing: scopes::missing_administrators(context.model),
                draft: draft.map(|draft| ("Block administrators on devices that aren't marked as PAW", draft)),
            },
        );
        if finding.verdict == Verdict::Fail && !offered {
            let (attribute, mark) = MARK;
            finding.not_checked.push(format!(
                "which devices are such workstations (no device that was read has {attribute} {mark}, so nothing is suggested)"
            ));
        }
        finding
    }
}

/// Whether a device that was read bears the mark: without one, nobody could administer any more.
fn is_marked(snapshot: &Snapshot) -> bool {
    let (attribute, mark) = MARK;
    let held = |device: &Device| device.attributes.get(&attribute.to_ascii_lowercase()).cloned().unwrap_or_default();
    snapshot.directory.devices.iter().any(|device| held(device).iter().any(|text| text.eq_ignore_ascii_case(mark)))
}

fn draft(snapshot: &Snapshot) -> Policy {
    let (attribute, mark) = MARK;
    let mut draft = drafts::for_administrators(snapshot, "Block outside workstations", &[Control::Block]);
    let rule = format!("device.{attribute} -eq \"{mark}\"");
    draft.conditions.device_filter = Some(Filter { mode: FilterMode::Exclude, rule });
    draft
}
