//! The table of tokens: which are taken, which are refused with 403. The rules are the strictest of the official SDKs'.

use portcullis::chat::Received;
use serde_json::json;

use super::lab::{APP, Draft, NOW, SERVICE, Service, Sign, TENANT, clock};

type Bend = fn(&mut Draft);

/// What is taken.
const TAKEN: &[(&str, Bend)] = &[
    ("as the service sends it", |_| {}),
    ("key without a list of channels", |d| {
        d.sign = Sign::Open;
        d.header["kid"] = json!("open");
    }),
    ("expired 4 minutes ago", |d| d.claims["exp"] = json!(NOW - 240)),
    ("expired 300 seconds ago", |d| d.claims["exp"] = json!(NOW - 300)),
    ("valid in 4 minutes", |d| d.claims["nbf"] = json!(NOW + 240)),
    ("valid in 300 seconds", |d| d.claims["nbf"] = json!(NOW + 300)),
    ("without nbf", |d| drop_claim(d, "nbf")),
    ("without typ", |d| drop_header(d, "typ")),
    ("service address without its slash", |d| d.claims["serviceurl"] = json!("https://smba.trafficmanager.net/emea")),
    ("service address in capitals", |d| d.claims["serviceurl"] = json!("HTTPS://SMBA.TRAFFICMANAGER.NET/emea/")),
    ("activity's address without its slash", |d| {
        d.activity["serviceUrl"] = json!("https://smba.trafficmanager.net/emea");
    }),
    ("tenant in capitals", |d| d.activity["channelData"]["tenant"]["id"] = json!(TENANT.to_uppercase())),
    ("scheme in small letters", |d| d.authorization = vec!["bearer {}"]),
    ("more claims than we know", |d| d.claims["azp"] = json!("someone")),
];

/// What is refused.
const REFUSED: &[(&str, Bend)] = &[
    // Authorization header
    ("no header", |d| d.authorization = vec![]),
    ("two headers", |d| d.authorization = vec!["Bearer {}", "Bearer {}"]),
    ("basic scheme", |d| d.authorization = vec!["Basic {}"]),
    ("no scheme", |d| d.authorization = vec!["{}"]),
    ("empty token", |d| d.authorization = vec!["Bearer "]),
    ("two blanks", |d| d.authorization = vec!["Bearer  {}"]),
    ("something after the token", |d| d.authorization = vec!["Bearer {} x"]),
    ("two parts", |d| d.authorization = vec!["Bearer e30.e30"]),
    ("four parts", |d| d.authorization = vec!["Bearer {}.e30"]),
    ("no base64", |d| d.authorization = vec!["Bearer !!.!!.!!"]),
    ("padding at the end", |d| d.authorization = vec!["Bearer {}=="]),
    ("header is no object", |d| d.header = json!("RS256")),
    ("claims are no object", |d| d.claims = json!([1])),
    ("too long", |d| d.claims["padding"] = json!("x".repeat(9_000))),
    // Algorithm and signature
    ("alg none, no signature", |d| {
        d.header["alg"] = json!("none");
        d.sign = Sign::Nothing;
    }),
    ("alg None", |d| {
        d.header["alg"] = json!("None");
        d.sign = Sign::Nothing;
    }),
    ("alg none, signed", |d| d.header["alg"] = json!("none")),
    ("HS256 with the public key", |d| {
        d.header["alg"] = json!("HS256");
        d.sign = Sign::HmacOfPublicKey;
    }),
    ("says RS256, HMAC with the public key", |d| d.sign = Sign::HmacOfPublicKey),
    ("RS512", |d| {
        d.header["alg"] = json!("RS512");
        d.sign = Sign::Rs512;
    }),
    ("says RS256, signed by RS512", |d| d.sign = Sign::Rs512),
    ("PS256", |d| {
        d.header["alg"] = json!("PS256");
        d.sign = Sign::Ps256;
    }),
    ("says RS256, signed by PS256", |d| d.sign = Sign::Ps256),
    ("RS384", |d| d.header["alg"] = json!("RS384")),
    ("ES256", |d| d.header["alg"] = json!("ES256")),
    ("EdDSA", |d| d.header["alg"] = json!("EdDSA")),
    ("rs256 in small letters", |d| d.header["alg"] = json!("rs256")),
    ("no alg", |d| drop_header(d, "alg")),
    ("alg is a list", |d| d.header["alg"] = json!(["RS256"])),
    ("no signature", |d| d.sign = Sign::Nothing),
    ("noise for a signature", |d| d.sign = Sign::Noise),
    ("signed by a stranger", |d| d.sign = Sign::Stranger),
    ("signed by another key of the authority", |d| d.sign = Sign::Open),
    ("critical extension", |d| d.header["crit"] = json!(["exp"])),
    // Key
    ("no key id", |d| drop_header(d, "kid")),
    ("unknown key id", |d| d.header["kid"] = json!("nobody")),
    ("empty key id", |d| d.header["kid"] = json!("")),
    ("key id like a path", |d| d.header["kid"] = json!("../../good")),
    ("key in the header", |d| {
        d.header["jwk"] = super::lab::jwk("good", &super::lab::KEYS.stranger, None);
        d.sign = Sign::Stranger;
    }),
    ("key's address in the header", |d| {
        d.header["jku"] = json!("https://evil.example/keys");
        d.header["kid"] = json!("evil");
        d.sign = Sign::Stranger;
    }),
    ("key for another channel", |d| {
        d.header["kid"] = json!("webchat");
        d.sign = Sign::Webchat;
    }),
    // Issuer
    ("no issuer", |d| drop_claim(d, "iss")),
    ("issuer of the government cloud", |d| d.claims["iss"] = json!("https://api.botframework.us")),
    ("issuer of China's cloud", |d| d.claims["iss"] = json!("https://api.botframework.azure.cn")),
    ("issuer of the emulator", |d| {
        d.claims["iss"] = json!("https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/");
    }),
    ("issuer of Entra, own tenant", |d| {
        d.claims["iss"] = json!(format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
    }),
    ("issuer with a slash", |d| d.claims["iss"] = json!("https://api.botframework.com/")),
    ("issuer in capitals", |d| d.claims["iss"] = json!("https://API.botframework.com")),
    ("list of issuers", |d| d.claims["iss"] = json!(["https://api.botframework.com"])),
    // Audience
    ("no audience", |d| drop_claim(d, "aud")),
    ("another audience", |d| d.claims["aud"] = json!("33333333-3333-3333-3333-333333333333")),
    ("audience api://botid-", |d| d.claims["aud"] = json!(format!("api://botid-{APP}"))),
    ("audience api.botframework.com", |d| d.claims["aud"] = json!("https://api.botframework.com")),
    ("two audiences", |d| d.claims["aud"] = json!([APP, "33333333-3333-3333-3333-333333333333"])),
    ("empty audience", |d| d.claims["aud"] = json!("")),
    // Time
    ("no expiry", |d| drop_claim(d, "exp")),
    ("expired 301 seconds ago", |d| d.claims["exp"] = json!(NOW - 301)),
    ("expired 6 minutes ago", |d| d.claims["exp"] = json!(NOW - 360)),
    ("expiry is a text", |d| d.claims["exp"] = json!((NOW + 3600).to_string())),
    ("expiry null", |d| d.claims["exp"] = json!(null)),
    ("expiry negative", |d| d.claims["exp"] = json!(i64::MIN)),
    ("expiry beyond numbers", |d| d.claims["exp"] = json!(1e300)),
    ("valid in 301 seconds", |d| d.claims["nbf"] = json!(NOW + 301)),
    ("valid in 10 minutes", |d| d.claims["nbf"] = json!(NOW + 600)),
    // Service address
    ("no service address", |d| drop_claim(d, "serviceurl")),
    ("another service address", |d| d.claims["serviceurl"] = json!("https://smba.trafficmanager.net/amer/")),
    ("service address without its path", |d| d.claims["serviceurl"] = json!("https://smba.trafficmanager.net/")),
    ("service address with two slashes", |d| d.claims["serviceurl"] = json!(format!("{SERVICE}/"))),
    ("service address with another path case", |d| {
        d.claims["serviceurl"] = json!("https://smba.trafficmanager.net/EMEA/");
    }),
    ("service address without TLS", |d| d.claims["serviceurl"] = json!("http://smba.trafficmanager.net/emea/")),
    ("activity's address elsewhere", |d| d.activity["serviceUrl"] = json!("https://evil.example/")),
    ("both addresses elsewhere", |d| {
        d.claims["serviceurl"] = json!("https://evil.example/");
        d.activity["serviceUrl"] = json!("https://evil.example/");
    }),
    ("both addresses with user information", |d| {
        d.claims["serviceurl"] = json!("https://smba.trafficmanager.net@evil.example/");
        d.activity["serviceUrl"] = json!("https://smba.trafficmanager.net@evil.example/");
    }),
    ("no address in the activity", |d| d.activity["serviceUrl"] = json!(null)),
    // Channel and tenant
    ("channel webchat, key for Teams", |d| d.activity["channelId"] = json!("webchat")),
    ("channel webchat, key for it", |d| {
        d.header["kid"] = json!("webchat");
        d.sign = Sign::Webchat;
        d.activity["channelId"] = json!("webchat");
    }),
    ("channel webchat, key for any", |d| {
        d.header["kid"] = json!("open");
        d.sign = Sign::Open;
        d.activity["channelId"] = json!("webchat");
    }),
    ("no channel", |d| d.activity["channelId"] = json!(null)),
    ("another tenant", |d| {
        d.activity["channelData"]["tenant"]["id"] = json!("99999999-9999-9999-9999-999999999999");
    }),
    ("no tenant", |d| d.activity["channelData"] = json!({})),
    ("tenant only beside the channel data", |d| {
        d.activity["channelData"] = json!(null);
        d.activity["tenantId"] = json!(TENANT);
    }),
];

fn drop_claim(draft: &mut Draft, name: &str) {
    draft.claims.as_object_mut().unwrap().remove(name);
}

fn drop_header(draft: &mut Draft, name: &str) {
    draft.header.as_object_mut().unwrap().remove(name);
}

#[tokio::test]
async fn tokens_that_hold_are_taken() {
    let teams = Service::start().await.teams(&clock());
    for (name, bend) in TAKEN {
        let mut draft = Draft::new();
        bend(&mut draft);
        let received = draft.sent_to(&teams).await;
        assert!(matches!(received, Ok(Received::Incoming(_))), "{name}: {received:?}");
    }
}

#[tokio::test]
async fn all_others_are_refused_without_quoting_them() {
    assert!(TAKEN.len() + REFUSED.len() >= 60);
    let teams = Service::start().await.teams(&clock());
    for (name, bend) in REFUSED {
        let mut draft = Draft::new();
        bend(&mut draft);
        let refused = draft.sent_to(&teams).await.expect_err(name);
        assert_eq!(refused.status, 403, "{name}: {refused}");
        assert!(!refused.reason.contains("evil") && !refused.reason.contains(TENANT), "{name}: {refused}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_activity_is_a_bad_request() {
    let teams = Service::start().await.teams(&clock());
    for body in [json!([]), json!("message"), json!({}), json!({"type": 7})] {
        let refused = Draft::of(body).sent_to(&teams).await.expect_err("no activity");
        assert_eq!(refused.status, 400);
    }
}
