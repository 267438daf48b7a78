//! What became of a visit: each policy's result, and the error code.

use serde_json::{Value, json};

use super::scenario::Visit;
use crate::demo::devices;
use crate::demo::judge::{self, Case, Subject, Surroundings};
use crate::demo::random::written;
use crate::demo::tenant::Tenant;

/// How a visit ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// `appliedConditionalAccessPolicies`.
    pub policies: Vec<Value>,
    /// `success`, `failure`, `notApplied`.
    pub status: &'static str,
    /// 0, or why it failed.
    pub code: u32,
    /// A policy that is enforced made the person do MFA.
    pub mfa: bool,
}

/// Judges a visit; an `interrupted` one has only the password so far.
#[must_use]
pub fn outcome(tenant: &Tenant, visit: &Visit, interrupted: bool) -> Outcome {
    let request = request(tenant, visit);
    let subject = tenant.subject(visit.user, visit.at);
    let case = Case { subject: &subject, around: tenant.around(), sign_in: &request };
    let means = Means::of(tenant, visit);
    let moment = written(visit.at);
    let existing = |policy: &&Value| {
        policy.get("createdDateTime").and_then(Value::as_str).is_some_and(|made| made <= moment.as_str())
    };
    let rows: Vec<Row<'_>> =
        tenant.sign_ins.policies().iter().filter(existing).map(|policy| Row::of(policy, case, visit.failed)).collect();
    let enforced = || rows.iter().filter(|row| row.state == "enabled" && row.applies);
    let mfa = enforced().any(|row| means.does_mfa_for(&row.controls, &row.operator));
    let proof = Proof { means: &means, mfa: mfa && !interrupted };
    let unmet: Vec<&Row<'_>> = enforced().filter(|row| !proof.meets(row)).collect();
    let code = if visit.failed {
        50_126
    } else {
        unmet.iter().map(|row| error_code(row, &means)).min_by_key(|code| severity(*code)).unwrap_or(0)
    };
    let status = match (enforced().next(), unmet.is_empty()) {
        (None, _) => "notApplied",
        (Some(_), true) => "success",
        (Some(_), false) => "failure",
    };
    Outcome { policies: rows.iter().map(|row| row.json(&proof)).collect(), status, code, mfa: proof.mfa }
}

/// The What If request that describes a visit.
fn request(tenant: &Tenant, visit: &Visit) -> Value {
    let device = visit.device.as_ref().map(|device| {
        json!({ "deviceId": device.device_id, "displayName": device.name, "isCompliant": device.compliant,
            "trustType": device.trust, "operatingSystem": device.system, "operatingSystemVersion": device.version })
    });
    json!({
        "signInIdentity": { "userId": tenant.people.id(visit.user) },
        "signInContext": { "includeApplications": visit.audiences },
        "signInConditions": { "devicePlatform": visit.platform, "clientAppType": visit.kind, "ipAddress": visit.address,
            "country": visit.place.map(|(country, _)| country), "signInRiskLevel": visit.risk, "userRiskLevel": "none",
            "authenticationFlow": { "transferMethod": visit.flow.unwrap_or("none") }, "deviceInfo": device },
    })
}

/// What the person and the client can prove.
struct Means {
    legacy: bool,
    /// Controls that the device and the client meet by themselves.
    met: Vec<&'static str>,
    methods: &'static [&'static str],
}

impl Means {
    fn of(tenant: &Tenant, visit: &Visit) -> Self {
        let device = visit.device.as_ref().filter(|_| visit.kind != "other");
        let mobile = matches!(visit.platform, Some("iOS" | "android"));
        let protected = mobile && device.is_some() && visit.kind == "mobileAppsAndDesktopClients";
        let met = [
            ("compliantDevice", device.is_some_and(|device| device.compliant)),
            ("domainJoinedDevice", device.is_some_and(|device| device.trust == "ServerAd")),
            ("compliantApplication", protected),
            ("approvedApplication", protected),
        ];
        Self {
            legacy: visit.kind == "other",
            met: met.into_iter().filter(|(_, met)| *met).map(|(control, _)| control).collect(),
            methods: devices::methods(&tenant.people, visit.user),
        }
    }

    /// Whether a policy with these controls makes this person do MFA: it asks, nothing else of it is met already.
    fn does_mfa_for(&self, controls: &[String], operator: &str) -> bool {
        let asks = controls.iter().any(|control| control == "mfa" || control.starts_with("authenticationStrength:"));
        let spared = operator == "OR" && controls.iter().any(|control| self.without_mfa(control));
        asks && !spared && !self.legacy && !self.methods.is_empty()
    }

    fn without_mfa(&self, control: &str) -> bool {
        self.met.contains(&control)
    }

    /// Whether the strength can be met with what is registered.
    fn strong_enough(&self, strength: &str) -> bool {
        let has = |wanted: &[&str]| self.methods.iter().any(|method| wanted.contains(method));
        match strength.rsplit('-').next() {
            Some("000000000002") => !self.methods.is_empty(),
            Some("000000000003" | "000000000004") => has(&["fido2SecurityKey", "windowsHelloForBusiness"]),
            _ => has(&["fido2SecurityKey"]),
        }
    }
}

/// What was proved in this session.
struct Proof<'a> {
    means: &'a Means,
    mfa: bool,
}

impl Proof<'_> {
    fn control(&self, control: &str) -> bool {
        match control.split_once(':') {
            Some(("authenticationStrength", strength)) => self.mfa && self.means.strong_enough(strength),
            None if control == "mfa" => self.mfa,
            _ => self.means.without_mfa(control),
        }
    }

    fn meets(&self, row: &Row<'_>) -> bool {
        let mut controls = row.controls.iter();
        if row.controls.is_empty() {
            return true;
        }
        if row.operator == "AND" {
            controls.all(|control| self.control(control))
        } else {
            controls.any(|control| self.control(control))
        }
    }

    /// Whether what is missing is something the person could still have done.
    fn could(&self, row: &Row<'_>) -> bool {
        let mfa = !self.means.legacy && !self.means.methods.is_empty();
        Proof { means: self.means, mfa }.meets(row)
    }
}

/// A policy against a visit.
struct Row<'a> {
    policy: &'a Value,
    state: &'a str,
    applies: bool,
    controls: Vec<String>,
    operator: String,
}

impl<'a> Row<'a> {
    fn of(policy: &'a Value, case: Case<'_>, failed: bool) -> Self {
        let text = |at: &str| policy.pointer(at).and_then(Value::as_str);
        let state = text("/state").unwrap_or_default();
        Self {
            policy,
            state,
            applies: !failed && state != "disabled" && judge::applies(policy, case),
            controls: judge::controls(policy),
            operator: text("/grantControls/operator").unwrap_or("OR").to_uppercase(),
        }
    }

    fn json(&self, proof: &Proof<'_>) -> Value {
        let result = match (self.state, self.applies, proof.meets(self)) {
            ("disabled", ..) => "notEnabled",
            ("enabled", false, _) => "notApplied",
            ("enabled", true, true) => "success",
            ("enabled", true, false) => "failure",
            (_, false, _) => "reportOnlyNotApplied",
            (_, true, true) => "reportOnlySuccess",
            (_, true, false) if proof.could(self) => "reportOnlyInterrupted",
            (_, true, false) => "reportOnlyFailure",
        };
        let session = self.policy.get("sessionControls").and_then(Value::as_object);
        let session: Vec<&String> =
            session.into_iter().flatten().filter(|(_, control)| !control.is_null()).map(|(name, _)| name).collect();
        let grants: Vec<&str> = self.controls.iter().map(|control| label(control)).collect();
        json!({ "id": self.policy.get("id"), "displayName": self.policy.get("displayName"), "result": result,
            "enforcedGrantControls": if self.applies { grants } else { Vec::new() },
            "enforcedSessionControls": if self.applies { session } else { Vec::new() } })
    }
}

/// A control as the log names it.
fn label(control: &str) -> &str {
    match control {
        "block" => "Block",
        "mfa" => "Mfa",
        "compliantDevice" => "RequireCompliantDevice",
        "domainJoinedDevice" => "RequireDomainJoinedDevice",
        "approvedApplication" => "RequireApprovedApp",
        "compliantApplication" => "RequireCompliantApp",
        "passwordChange" => "PasswordChange",
        other if other.starts_with("authenticationStrength") => "AuthenticationStrength",
        other => other,
    }
}

fn error_code(row: &Row<'_>, means: &Means) -> u32 {
    let asks = |name: &str| row.controls.iter().any(|control| control == name);
    match () {
        () if asks("block") || means.legacy => 53_003,
        () if asks("compliantDevice") && !asks("mfa") => 53_000,
        () if asks("compliantApplication") || asks("approvedApplication") => 53_009,
        () if means.methods.is_empty() => 50_079,
        () => 50_074,
    }
}

/// A block decides first, then devices and apps; what asks for more comes last.
fn severity(code: u32) -> usize {
    [53_003, 53_000, 53_009, 50_079, 50_074].iter().position(|known| *known == code).unwrap_or(9)
}

/// The text beside an error code.
#[must_use]
pub fn reason(code: u32) -> &'static str {
    match code {
        0 => "Other.",
        50_074 => "Strong Authentication is required.",
        50_079 => "User needs to enroll for second factor authentication.",
        50_126 => "Error validating credentials due to invalid username or password.",
        53_000 => {
            "Device is not in required device state: compliant. Conditional Access policy requires a compliant device, and the device is not compliant."
        }
        53_009 => "Application needs to enforce Intune protection policies.",
        _ => "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    }
}

impl Tenant {
    /// What the directory said of a user at a moment.
    #[must_use]
    pub fn subject(&self, user: u32, when: jiff::Timestamp) -> Subject {
        let people = &self.people;
        let groups = self.groups.of_user(people, user, when);
        let guest = people.get(user).and_then(|record| super::row::guest_type(record.kind));
        Subject {
            id: people.id(user),
            groups: groups.into_iter().map(|at| crate::demo::groups::group_id(people, at)).collect(),
            roles: crate::demo::roles::at_first(user).map(str::to_owned).into_iter().collect(),
            home: guest.filter(|kind| *kind != "internalGuest").map(|_| people.partner(user).2),
            guest: guest.map(str::to_owned),
            ..Subject::default()
        }
    }

    /// What stands around every sign-in to this tenant.
    #[must_use]
    pub fn around(&self) -> Surroundings<'_> {
        Surroundings {
            named_locations: &self.named_locations,
            mfa_trusted_ips: &[],
            app_groups: &self.app_groups,
            service_principals: &self.service_principals,
            baseline_scopes: &Value::Null,
        }
    }
}
