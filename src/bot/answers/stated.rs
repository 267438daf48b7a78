//! The sign-in that a question describes; what it doesn't say stays unknown.

use std::sync::LazyLock;

use regex::Regex;

use crate::bot::answer::ask;
use crate::bot::describe;
use crate::bot::intent::text::regex;
use crate::bot::intent::{SlotName, Slots};
use crate::tenant::location::{NamedLocation, Place};
use crate::tenant::policy::{ClientAppType, GuestType, Platform, RiskLevel, TransferMethod};
use crate::tenant::sign_in::{DeviceInfo, Identity, Known, Target};
use crate::tenant::well_known::{APP_EXCHANGE_ONLINE, APP_SHAREPOINT_ONLINE};
use crate::tenant::{SignIn, User};

use super::named::Back;
use super::{Asked, named, places};

/// How many networks are offered as buttons.
const OFFERED: usize = 5;

/// A sign-in as asked about, with what was understood.
pub(super) struct Stated<'a> {
    /// The sign-in.
    pub(super) sign_in: SignIn,
    /// The person, if one is meant.
    pub(super) user: Option<&'a User>,
    /// What was understood, as labels and values; values may be tenant names.
    pub(super) understood: Vec<String>,
}

/// Reads the sign-in.
///
/// # Errors
/// A question back, when a name fits nothing or several.
pub(super) fn read<'a>(asked: Asked<'a>, slots: &Slots) -> Result<Stated<'a>, Back> {
    let text = asked.text.to_lowercase();
    let mut stated = Stated { sign_in: SignIn::default(), user: None, understood: Vec::new() };
    who(asked, slots, &mut stated)?;
    target(asked, slots, &text, &mut stated)?;
    place(asked, slots, &mut stated)?;
    client(slots, &mut stated);
    device(&text, &mut stated);
    risk(&text, &mut stated);
    let (sign_in, understood) = (&mut stated.sign_in, &mut stated.understood);
    if sign_in.flow == Known::Unknown {
        sign_in.flow = Known::Absent;
        understood.push("neither device code flow nor authentication transfer".into());
    }
    sign_in.service_principal_risk = Known::Absent;
    Ok(stated)
}

fn who<'a>(asked: Asked<'a>, slots: &Slots, stated: &mut Stated<'a>) -> Result<(), Back> {
    if let Some(user) = named::person(asked, slots) {
        let user = user?;
        stated.understood.push(user.display_name.to_string());
        stated.sign_in.identity = Identity::User {
            id: Some(user.id.to_string()),
            guest: None,
            tenant: Known::Unknown,
            direct_connect: false,
        };
        stated.user = Some(user);
        return Ok(());
    }
    let guest = named::first(slots, SlotName::Group).is_some_and(|group| {
        ["guest", "external", "partner", "vendor"].iter().any(|word| group.to_lowercase().contains(word))
    });
    if guest {
        stated.understood.push("a guest".into());
        let guest = Some(GuestType::B2bCollaborationGuest);
        stated.sign_in.identity = Identity::User { id: None, guest, tenant: Known::Unknown, direct_connect: false };
    }
    Ok(())
}

fn target(asked: Asked<'_>, slots: &Slots, text: &str, stated: &mut Stated<'_>) -> Result<(), Back> {
    let mail = text.split(|c: char| !c.is_alphanumeric()).any(|word| matches!(word, "mail" | "email" | "mailbox"));
    let name = named::first(slots, SlotName::App).map(str::to_owned).or(mail.then(|| "Exchange Online".to_owned()));
    let Some(name) = name else { return Ok(()) };
    let id = app_id(asked, &name)?;
    stated.understood.push(format!("to {}", crate::checks::cause_words::app_name(asked.analysis.snapshot(), &id)));
    stated.sign_in.target = Target::Apps(vec![id]);
    Ok(())
}

/// The app id that a name means; short names of Microsoft's apps are known without the directory.
pub(super) fn app_id(asked: Asked<'_>, name: &str) -> Result<String, Back> {
    let short = name.to_lowercase();
    let known = if short.starts_with("exchange") || short.starts_with("outlook") || short == "owa" {
        Some(APP_EXCHANGE_ONLINE)
    } else if short.starts_with("sharepoint") || short == "onedrive" {
        Some(APP_SHAREPOINT_ONLINE)
    } else {
        None
    };
    match known {
        Some(id) => Ok(id.to_owned()),
        None => named::app(asked, name).map(|app| app.app_id.clone()),
    }
}

fn place(asked: Asked<'_>, slots: &Slots, stated: &mut Stated<'_>) -> Result<(), Back> {
    let snapshot = asked.analysis.snapshot();
    let text = asked.text.to_lowercase();
    let by_name = snapshot.locations.values().find(|location| text.contains(&location.display_name.to_lowercase()));
    let location = match by_name {
        None if means_own_network(&text) => Some(own_network(asked)?),
        found => found,
    };
    if let Some(location) = location {
        stated.understood.push(format!("from {}", location.display_name));
        match &location.place {
            Place::Ip { ranges, .. } => {
                stated.sign_in.ip = ranges.first().map_or(Known::Unknown, |range| Known::Is(range.lower));
            }
            Place::Country { countries, .. } => {
                stated.sign_in.country = countries.first().map_or(Known::Unknown, |code| Known::Is(code.clone()));
            }
            Place::CompliantNetwork | Place::Unknown(_) => {}
        }
        return Ok(());
    }
    let Some(name) = named::first(slots, SlotName::Location) else { return Ok(()) };
    if let Ok(address) = name.parse() {
        stated.understood.push(format!("from {name}"));
        stated.sign_in.ip = Known::Is(address);
        return Ok(());
    }
    let code = places::country(name).ok_or_else(|| Box::new(named::missing("what_if.where")))?;
    stated.understood.push(format!("from {name} ({code})"));
    stated.sign_in.country = Known::Is(code.to_owned());
    // Who means a network of the tenant's own names it; otherwise each policy about one would hang in the air.
    if snapshot.locations.values().any(|location| matches!(location.place, Place::Ip { .. })) {
        stated.understood.push("at no address of a named location".into());
        stated.sign_in.ip = Known::Absent;
    }
    Ok(())
}

/// Whether it is a place of the tenant's own: "the office", and not what lies outside it.
fn means_own_network(text: &str) -> bool {
    static OWN: LazyLock<Regex> = LazyLock::new(|| {
        regex(
            r"\b(?:the|our) (?:main |head )?(?:office|hq|headquarters)\b|\b(?:corporate|company|office|internal|our own|trusted) (?:network|location|wifi)\b",
        )
    });
    static AWAY: LazyLock<Regex> =
        LazyLock::new(|| regex(r"\b(?:outside|un-?trusted|not (?:in|at|from|within)|away|home office)\b"));
    OWN.is_match(text) && !AWAY.is_match(text)
}

/// The one trusted network that was read; where there are several, which of them is asked.
fn own_network(asked: Asked<'_>) -> Result<&NamedLocation, Back> {
    let locations = asked.analysis.snapshot().locations.values();
    let trusted = locations.filter(|location| matches!(location.place, Place::Ip { trusted: true, .. }));
    let trusted: Vec<&NamedLocation> = trusted.collect();
    if let [one] = trusted.as_slice() {
        return Ok(one);
    }
    let text = asked.text.trim_end_matches(['?', '.', ' ']);
    let named = |one: &&NamedLocation| ask(&one.display_name, format!("{text}, {}", one.display_name));
    Err(Box::new(named::missing("what_if.which_network").actions(trusted.iter().take(OFFERED).map(named))))
}

fn client(slots: &Slots, stated: &mut Stated<'_>) {
    let sign_in = &mut stated.sign_in;
    if let Some(platform) = named::first(slots, SlotName::Platform).and_then(platform) {
        sign_in.platform = Known::Is(platform);
        stated.understood.push(format!("on {}", describe::platform_word(platform)));
    }
    let Some(name) = named::first(slots, SlotName::ClientApp).map(str::to_lowercase) else { return };
    if name.contains("device") && name.contains("code") {
        sign_in.flow = Known::Is(TransferMethod::DeviceCodeFlow);
        stated.understood.push("by device code flow".into());
        return;
    }
    if name.contains("transfer") {
        sign_in.flow = Known::Is(TransferMethod::AuthenticationTransfer);
        stated.understood.push("by authentication transfer".into());
        return;
    }
    if let Some(client) = client_app(&name) {
        sign_in.client_app = Known::Is(client);
        stated.understood.push(format!("by {} ({name})", describe::client_app_word(client)));
    }
}

/// The platform of a device word; none for words that fit several ("phone", "laptop").
pub(super) fn platform(word: &str) -> Option<Platform> {
    let word = word.to_lowercase();
    let starts = |words: &[&str]| words.iter().any(|one| word.starts_with(one));
    Some(if starts(&["iphone", "ipad", "ios"]) {
        Platform::Ios
    } else if starts(&["android", "samsung", "pixel"]) {
        Platform::Android
    } else if starts(&["windows", "surface"]) {
        Platform::Windows
    } else if starts(&["mac"]) {
        Platform::MacOs
    } else if starts(&["linux", "ubuntu"]) {
        Platform::Linux
    } else {
        return None;
    })
}

/// The kind of client of a protocol or browser, in lower case.
fn client_app(name: &str) -> Option<ClientAppType> {
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    Some(if has(&["browser", "edge", "chrome", "firefox", "safari"]) {
        ClientAppType::Browser
    } else if has(&["activesync", "eas"]) {
        ClientAppType::ExchangeActiveSync
    } else if has(&["imap", "pop", "smtp", "legacy", "basic", "mapi", "ews"]) {
        ClientAppType::Other
    } else if has(&["mobile", "desktop", "modern"]) {
        ClientAppType::MobileAppsAndDesktopClients
    } else {
        return None;
    })
}

fn device(text: &str, stated: &mut Stated<'_>) {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let registered = |compliant, trust: Option<&str>| {
        let trust_type = trust.map(str::to_owned);
        Known::Is(DeviceInfo {
            registered: true,
            compliant,
            managed: true,
            trust_type,
            partial: true,
            ..DeviceInfo::default()
        })
    };
    let (device, words) = if has(&["unmanaged", "personal ", "private ", "unregistered", "byod"]) {
        (Known::Absent, "an unregistered device")
    } else if has(&["non-compliant", "noncompliant", "not compliant", "incompliant"]) {
        (registered(Some(false), None), "a registered device that is not compliant")
    } else if has(&["compliant", "managed "]) {
        (registered(Some(true), None), "a compliant device")
    } else if has(&["hybrid"]) {
        (registered(None, Some("ServerAD")), "a hybrid joined device")
    } else {
        return;
    };
    stated.sign_in.device = device;
    stated.understood.push(format!("from {words}"));
}

fn risk(text: &str, stated: &mut Stated<'_>) {
    if !text.contains("risk") {
        return;
    }
    let levels = [
        ("high", RiskLevel::High),
        ("medium", RiskLevel::Medium),
        ("low", RiskLevel::Low),
        ("no risk", RiskLevel::None),
    ];
    let Some((word, level)) = levels.into_iter().find(|(word, _)| text.contains(word)) else { return };
    let (risk, kind) = if text.contains("user risk") || text.contains("risky user") {
        (&mut stated.sign_in.user_risk, "user risk")
    } else {
        (&mut stated.sign_in.sign_in_risk, "sign-in risk")
    };
    *risk = Known::Is(level);
    stated.understood.push(format!("{kind} {}", word.trim_start_matches("no risk")).trim().to_owned());
}
