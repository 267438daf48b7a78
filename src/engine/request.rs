//! What If in Graph's words: its request read into a sign-in, the answer written in the shape of its response.
//!
//! Source: Microsoft Graph v1.0, `conditionalAccessRoot: evaluate`. The member `extra` is ours: what a real sign-in
//! has and the request can't say.

mod members;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Model;
use super::evaluate::{Applies, Outcome};
use crate::tenant::policy::TransferMethod;
use crate::tenant::sign_in::{DeviceInfo, Identity, Known, LeftOpen, SignIn, Target};
use crate::tenant::well_known::{APP_INTUNE, REGISTER_DEVICE, REGISTER_SECURITY_INFO};
use crate::tenant::words::Word;
use crate::tenant::write::export_policy;
use crate::tenant::{Snapshot, country};

/// What a condition means that the request doesn't state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unstated {
    /// There is none, as Graph takes it.
    None,
    /// It isn't known, as questions mean it.
    Unknown,
}

/// Why a request can't be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}: expected {expected}", place(pointer))]
pub struct RequestError {
    /// JSON pointer of the member; empty for the whole request.
    pub pointer: String,
    /// What was expected there.
    pub expected: String,
}

fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "the document" } else { pointer }
}

/// Answers a What If request as Graph's `evaluate` does: what it doesn't state, there isn't.
///
/// # Errors
/// As [`read_request`].
pub fn what_if(model: &Model, request: &Value) -> Result<Value, RequestError> {
    let outcome = model.evaluate(&read_request(request, Unstated::None)?);
    let applied_only = request.get("appliedPoliciesOnly").and_then(Value::as_bool) == Some(true);
    Ok(respond(&model.snapshot, &outcome, applied_only))
}

/// Where two answers to the same request differ: object id of the policy, and what each says (`notSet` is: it applies;
/// empty where the policy isn't listed). So a recorded answer of a live tenant can be held against ours.
#[must_use]
pub fn differences(recorded: &Value, ours: &Value) -> BTreeMap<String, (String, String)> {
    let said = |answer: &Value| -> BTreeMap<String, String> {
        let rows = answer.get("value").and_then(Value::as_array).into_iter().flatten();
        let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        rows.map(|row| (text(row, "id").to_lowercase(), text(row, "analysisReasons"))).collect()
    };
    let (theirs, ours) = (said(recorded), said(ours));
    let ids = theirs.keys().chain(ours.keys()).cloned();
    let of = |answer: &BTreeMap<String, String>, id: &str| answer.get(id).cloned().unwrap_or_default();
    ids.map(|id| (id.clone(), (of(&theirs, &id), of(&ours, &id)))).filter(|(_, (one, other))| one != other).collect()
}

/// Reads a What If request (`signInIdentity`, `signInContext`, `signInConditions`, and our `extra`).
///
/// # Errors
/// A member that holds a value which its kind doesn't have, or that no such request has.
pub fn read_request(request: &Value, unstated: Unstated) -> Result<SignIn, RequestError> {
    members::check(request)?;
    let part = |name: &str| request.get(name).unwrap_or(&Value::Null);
    let (conditions, extra) =
        (Part { at: "/signInConditions", value: part("signInConditions"), unstated }, part("extra"));
    let text = |name: &str| extra.get(name).and_then(Value::as_str).map(str::to_lowercase);
    let flag = |name: &str| extra.get(name).and_then(Value::as_bool);
    let flow = conditions.value.get("authenticationFlow").unwrap_or(&Value::Null);
    let flow = Part { at: "/signInConditions/authenticationFlow", value: flow, unstated };
    let ours = Part { at: "/extra", value: extra, unstated };
    let began = ours.word::<TransferMethod>("originalTransferMethod")?;
    Ok(SignIn {
        identity: read_identity(part("signInIdentity"), extra, unstated)?,
        target: read_target(part("signInContext"))?,
        client_app: conditions.word("clientAppType")?,
        platform: conditions.word("devicePlatform")?,
        ip: conditions.text("ipAddress", |text| text.parse().ok())?,
        country: conditions.country("country")?,
        gps_country: ours.country("gpsCountry")?,
        device: read_device(conditions.value.get("deviceInfo"), extra, unstated),
        sign_in_risk: conditions.word("signInRiskLevel")?,
        user_risk: conditions.word("userRiskLevel")?,
        service_principal_risk: conditions.word("servicePrincipalRiskLevel")?,
        insider_risk: conditions.word("insiderRiskLevel")?,
        agent_risk: conditions.word("agentIdRiskLevel")?,
        agent_context: ours.text("agentContext", |word| Some(word.to_owned()))?,
        flow: flow.word("transferMethod")?,
        began: match &began {
            Known::Is(method) => Some(*method),
            _ => None,
        },
        open: LeftOpen {
            direct_connect: unstated == Unstated::Unknown && flag("eligibleForB2bDirectConnect").is_none(),
            began: began == Known::Unknown,
            client: unstated == Unstated::Unknown,
        },
        compliant_network: flag("compliantNetwork").or((unstated == Unstated::None).then_some(false)),
        scopes: extra.get("scopes").and_then(Value::as_array).map(|list| strings(list)),
        confidential_client: text("clientType").map(|kind| kind == "confidential"),
        client_app_id: text("clientAppId"),
        interrupted: flag("securityInfoInterruptMode") == Some(true),
        agent_user: is_agent_sign_in(part("signInIdentity")),
        ..SignIn::default()
    })
}

fn strings(list: &[Value]) -> Vec<String> {
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// An object of the request, and what its absent members mean.
struct Part<'a> {
    at: &'a str,
    value: &'a Value,
    unstated: Unstated,
}

impl Part<'_> {
    /// A member that is one word, without regard to case. `null` and `none` say that there is none; `all` and `hidden`
    /// that it isn't known.
    fn word<W: Word>(&self, name: &str) -> Result<Known<W>, RequestError> {
        match self.text(name, |text| Some(text.to_owned()))? {
            Known::Is(text) if ["all", "hidden", "unknownFutureValue"].contains(&text.as_str()) => Ok(Known::Unknown),
            Known::Is(text) if text.eq_ignore_ascii_case("none") => Ok(Known::Absent),
            Known::Is(text) => W::parse(&text).map(Known::Is).ok_or_else(|| self.no_word::<W>(name)),
            Known::Absent => Ok(Known::Absent),
            Known::Unknown => Ok(Known::Unknown),
        }
    }

    /// A member that is a text of some form.
    fn text<T>(&self, name: &str, read: impl Fn(&str) -> Option<T>) -> Result<Known<T>, RequestError> {
        match self.value.get(name) {
            None if self.unstated == Unstated::Unknown => Ok(Known::Unknown),
            None | Some(Value::Null) => Ok(Known::Absent),
            Some(Value::String(text)) if text.is_empty() => Ok(Known::Absent),
            Some(value) => value.as_str().and_then(read).map(Known::Is).ok_or_else(|| self.wrong(name)),
        }
    }

    /// A member that is the code of a country. A name of one would be judged as a country that no policy names.
    fn country(&self, name: &str) -> Result<Known<String>, RequestError> {
        self.text(name, country::code).map_err(|_| self.expected(name, "a two-letter country code (ISO 3166-1)"))
    }

    fn wrong(&self, name: &str) -> RequestError {
        self.expected(name, &format!("a value of {name}"))
    }

    /// The same with the words that there are.
    fn no_word<W: Word>(&self, name: &str) -> RequestError {
        let words: Vec<&str> = W::WORDS.iter().map(|(word, _)| *word).filter(|word| *word != "all").collect();
        self.expected(name, &format!("one of {} or none", words.join(", ")))
    }

    fn expected(&self, name: &str, what: &str) -> RequestError {
        let found = members::brief(self.value.get(name).unwrap_or(&Value::Null));
        RequestError { pointer: format!("{}/{name}", self.at), expected: format!("{what}, found {found}") }
    }
}

/// Who signs in is said to be an agent, or an agent's user account.
fn is_agent_sign_in(identity: &Value) -> bool {
    let kind = identity.get("@odata.type").and_then(Value::as_str).unwrap_or_default();
    kind.to_ascii_lowercase().ends_with("agentsignin")
}

fn read_identity(identity: &Value, extra: &Value, unstated: Unstated) -> Result<Identity, RequestError> {
    let text = |name: &str| identity.get(name).and_then(Value::as_str).map(str::to_lowercase);
    if let Some(id) = text("agentServicePrincipalId").or_else(|| text("agentId")) {
        return Ok(Identity::Agent(id));
    }
    if let Some(id) = text("servicePrincipalId") {
        return Ok(if is_agent_sign_in(identity) { Identity::Agent(id) } else { Identity::ServicePrincipal(id) });
    }
    let part = Part { at: "/signInIdentity", value: identity, unstated: Unstated::None };
    let guest = match part.word("externalUserType")? {
        Known::Is(kind) => Some(kind),
        _ => None,
    };
    let id = text("userId");
    let tenant = match text("externalTenantId") {
        Some(tenant) => Known::Is(tenant),
        // Who is said to be a guest and not of which organisation is of none that a policy names.
        None if unstated == Unstated::None && guest.is_some() => Known::Absent,
        None => Known::Unknown,
    };
    if id.is_none() && guest.is_none() {
        return Ok(Identity::Unstated);
    }
    let direct_connect = extra.get("eligibleForB2bDirectConnect").and_then(Value::as_bool) == Some(true);
    Ok(Identity::User { id, guest, tenant, direct_connect })
}

fn read_target(context: &Value) -> Result<Target, RequestError> {
    let wrong = |name: &str, what: &str| {
        let found = context.get(name).map(members::brief).unwrap_or_default();
        RequestError { pointer: format!("/signInContext/{name}"), expected: format!("{what}, found {found}") }
    };
    if let Some(apps) = context.get("includeApplications").and_then(Value::as_array) {
        let apps: Vec<String> = strings(apps).iter().map(|id| id.to_lowercase()).collect();
        if apps.is_empty() {
            return Err(wrong("includeApplications", "the app that is signed in to"));
        }
        return Ok(Target::Apps(apps));
    }
    if let Some(id) = context.get("authenticationContextValue").and_then(Value::as_str) {
        let number = id.strip_prefix(['c', 'C']).and_then(|number| number.parse::<u8>().ok());
        // Old tenants have ids such as urn:microsoft:req1.
        if !number.is_some_and(|number| (1..=99).contains(&number)) && !id.starts_with("urn:") {
            return Err(wrong("authenticationContextValue", "c1 to c99"));
        }
        return Ok(Target::Context(id.to_ascii_lowercase()));
    }
    match context.get("userAction").and_then(Value::as_str) {
        None => Ok(Target::Unstated),
        Some("registerSecurityInformation") => Ok(Target::UserAction(REGISTER_SECURITY_INFO.into())),
        Some("registerOrJoinDevices") => Ok(Target::UserAction(REGISTER_DEVICE.into())),
        Some(urn) if urn.starts_with("urn:user:") => Ok(Target::UserAction(urn.into())),
        Some(_) => Err(RequestError {
            pointer: "/signInContext/userAction".into(),
            expected: "registerSecurityInformation or registerOrJoinDevices".into(),
        }),
    }
}

/// The device; without one, Graph's evaluation takes it as unregistered.
fn read_device(info: Option<&Value>, extra: &Value, unstated: Unstated) -> Known<DeviceInfo> {
    let flag = |name: &str| extra.get(name).and_then(Value::as_bool);
    let registered = flag("deviceRegistered");
    let stated = info.and_then(Value::as_object);
    if registered == Some(false) || (stated.is_none() && registered.is_none()) {
        let unknown = unstated == Unstated::Unknown && registered.is_none() && info.is_none();
        return if unknown { Known::Unknown } else { Known::Absent };
    }
    let mut attributes = BTreeMap::new();
    for (name, value) in stated.into_iter().flatten() {
        let name = if name == "ownership" { "deviceownership".into() } else { name.to_lowercase() };
        let values = match value {
            Value::Null => continue,
            Value::Array(list) => strings(list),
            Value::String(text) => vec![text.clone()],
            other => vec![other.to_string()],
        };
        attributes.insert(name, values);
    }
    let first = |name: &str| attributes.get(name).and_then(|values: &Vec<String>| values.first());
    let by_intune = first("mdmappid").is_some_and(|id| id.eq_ignore_ascii_case(APP_INTUNE));
    Known::Is(DeviceInfo {
        registered: true,
        partial: unstated == Unstated::Unknown,
        compliant: first("iscompliant").map(|text| text.eq_ignore_ascii_case("true")),
        managed: flag("deviceManagedByIntune").unwrap_or(by_intune),
        trust_type: first("trusttype").cloned(),
        attributes,
    })
}

/// The answer in the shape of Graph's: each policy with `policyApplies` and `analysisReasons`.
#[must_use]
pub fn respond(snapshot: &Snapshot, outcome: &Outcome, applied_only: bool) -> Value {
    let listed = outcome.policies.iter().filter(|one| !applied_only || one.applies == Applies::Yes);
    let rows = listed.filter_map(|one| {
        let mut row = export_policy(snapshot.policy(&one.policy_id)?);
        let reason = match one.applies {
            Applies::Yes => "notSet",
            Applies::No(kind) => kind.as_str(),
            Applies::DependsOn(_) => "notEnoughInformation",
            Applies::NotDecided(_) => "invalidCondition",
        };
        let verdict = [("policyApplies", json!(one.applies == Applies::Yes)), ("analysisReasons", json!(reason))];
        row.as_object_mut()?.extend(verdict.map(|(name, value)| (name.to_owned(), value)));
        Some(row)
    });
    json!({ "value": rows.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::tenant::{SnapshotBuilder, read_policy};

    fn model() -> Model {
        let mut builder = SnapshotBuilder::default();
        for (id, platforms) in [("any", json!(null)), ("phones", json!({"includePlatforms": ["iOS", "android"]}))] {
            let policy = json!({"id": id, "displayName": id, "state": "enabled", "conditions": {"users": {"includeUsers": ["All"]},
                "applications": {"includeApplications": ["All"]}, "platforms": platforms},
                "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}});
            builder.policy(read_policy(&policy).unwrap());
        }
        Model::new(Arc::new(builder.build()))
    }

    fn request(conditions: &Value) -> Value {
        json!({"signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": "alice"},
            "signInContext": {"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": ["app"]},
            "signInConditions": conditions})
    }

    #[test]
    fn the_answer_has_the_shape_of_graphs() {
        let answer = what_if(&model(), &request(&json!({"devicePlatform": "windows"}))).unwrap();
        let rows = answer["value"].as_array().unwrap();
        let told = |row: &Value| (row["id"].clone(), row["policyApplies"].clone(), row["analysisReasons"].clone());
        assert_eq!(told(&rows[0]), (json!("any"), json!(true), json!("notSet")));
        assert_eq!(told(&rows[1]), (json!("phones"), json!(false), json!("devicePlatform")));
        assert_eq!(rows[0]["grantControls"]["builtInControls"], json!(["mfa"]), "the whole policy is there");
        let mut applied = request(&json!({}));
        applied["appliedPoliciesOnly"] = json!(true);
        assert_eq!(what_if(&model(), &applied).unwrap()["value"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_recorded_answer_is_held_against_ours() {
        let ours = what_if(&model(), &request(&json!({"devicePlatform": "iOS"}))).unwrap();
        assert_eq!(differences(&ours, &ours), BTreeMap::new());
        let recorded = json!({"value": [{"id": "any", "analysisReasons": "notSet"}, {"id": "phones", "analysisReasons": "devicePlatform"},
            {"id": "new", "analysisReasons": "users"}]});
        let found = differences(&recorded, &ours);
        assert_eq!(found["phones"], ("devicePlatform".into(), "notSet".into()));
        assert_eq!(found["new"], ("users".into(), String::new()));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_is_not_stated_is_none_or_unknown_as_asked_and_words_have_any_case() {
        let read = |unstated| read_request(&request(&json!({"devicePlatform": "IOS"})), unstated).unwrap();
        assert_eq!(read(Unstated::None).platform, Known::Is(crate::tenant::policy::Platform::Ios));
        assert_eq!(
            (read(Unstated::None).sign_in_risk, read(Unstated::Unknown).sign_in_risk),
            (Known::Absent, Known::Unknown)
        );
        assert_eq!((read(Unstated::None).device, read(Unstated::Unknown).device), (Known::Absent, Known::Unknown));
    }

    #[test]
    fn a_question_leaves_open_what_stands_beside_the_conditions() {
        let read = |more: Value| {
            let mut request = request(&json!({"authenticationFlow": {"transferMethod": "none"}}));
            request["extra"] = more;
            let left_open = |unstated| read_request(&request, unstated).unwrap().open;
            (left_open(Unstated::None), left_open(Unstated::Unknown))
        };
        let all = LeftOpen { direct_connect: true, began: true, client: true };
        assert_eq!(read(json!({})), (LeftOpen::default(), all));
        let said = json!({"eligibleForB2bDirectConnect": false, "originalTransferMethod": "none"});
        assert_eq!(read(said), (LeftOpen::default(), LeftOpen { client: true, ..LeftOpen::default() }));
    }

    #[test]
    fn a_wrong_value_is_named() {
        let error = read_request(&request(&json!({"devicePlatform": "amiga"})), Unstated::None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/signInConditions/devicePlatform: expected one of android, iOS, windows, windowsPhone, macOS, linux or none, found \"amiga\""
        );
        let to = |context: Value| {
            let mut request = request(&json!({}));
            request["signInContext"] = context;
            read_request(&request, Unstated::None).map(|read| read.target).map_err(|error| error.to_string())
        };
        let nowhere = "/signInContext/includeApplications: expected the app that is signed in to, found an array";
        assert_eq!(to(json!({"includeApplications": []})), Err(nowhere.to_owned()));
        let context = "/signInContext/authenticationContextValue: expected c1 to c99, found \"c100\"";
        assert_eq!(to(json!({"authenticationContextValue": "c100"})), Err(context.to_owned()));
        assert_eq!(to(json!({"authenticationContextValue": "C7"})), Ok(Target::Context("c7".into())));
        let error = read_request(&request(&json!({"ipAddress": 7})), Unstated::None).unwrap_err();
        assert_eq!(error.pointer, "/signInConditions/ipAddress");
        let error = read_request(&request(&json!({"country": "Brazil"})), Unstated::None).unwrap_err();
        let expected = "/signInConditions/country: expected a two-letter country code (ISO 3166-1), found \"Brazil\"";
        assert_eq!(error.to_string(), expected);
        let read = read_request(&request(&json!({"country": "br"})), Unstated::None).unwrap();
        assert_eq!(read.country, Known::Is("BR".to_owned()));
    }
}
