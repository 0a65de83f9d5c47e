//! Log-in by another service: what is taken from it, and what is not.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::issuer::{Issuer, part, public_forms, shared, signed, unsigned};
use super::*;
use crate::access::who::Change;
use crate::access::who::login::tests::{House, from};
use crate::access::who::{Actor, Door};

const CLIENT_SECRET: &str = "cnry-9a7e-of-the-client";

struct Meeting {
    house: House,
    issuer: Issuer,
    oidc: Oidc,
}

/// A log-in that was begun: its cookie, and what the browser carries to the service.
struct Under {
    cookie: Secret,
    state: String,
    nonce: String,
    challenge: String,
}

impl Meeting {
    async fn new() -> Self {
        let issuer = Issuer::start().await;
        let settings = settings(&issuer.url, &["127.0.0.1"]);
        Self {
            house: House::new().await,
            oidc: Oidc::new(settings),
            issuer,
        }
    }

    async fn begin(&self) -> Under {
        let begun = self
            .oidc
            .begin_login(&self.house.who, "/reports?x=1")
            .await
            .expect("begun");
        let url = url::Url::parse(&begun.url).expect("a URL");
        let said = |name: &str| {
            let mut pairs = url.query_pairs();
            pairs
                .find(|(key, _)| key == name)
                .expect("a parameter")
                .1
                .into_owned()
        };
        assert_eq!(said("code_challenge_method"), "S256");
        assert_eq!(said("response_type"), "code");
        assert!(said("scope").starts_with("openid "), "{}", said("scope"));
        Under {
            cookie: begun.cookie,
            state: said("state"),
            nonce: said("nonce"),
            challenge: said("code_challenge"),
        }
    }

    async fn finish(&self, under: &Under) -> Result<Finished, LoginError> {
        let back = Back {
            state: &under.state,
            code: Secret::new("code-1"),
            issuer: None,
            cookie: &under.cookie,
        };
        self.oidc.finish_login(&self.house.who, back, page()).await
    }

    fn claims(&self, nonce: &str) -> Value {
        let now = self.house.now().timestamp();
        json!({
            "iss": self.issuer.url, "sub": "7", "aud": "throughline", "exp": now + 300,
            "iat": now, "nbf": now, "nonce": nonce, "email": "Ana@X.de", "email_verified": true,
            "groups": ["marketing", "staff"],
        })
    }
}

fn settings(issuer: &str, private: &[&str]) -> OidcSettings {
    let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    OidcSettings {
        issuer: issuer.to_owned(),
        client_id: "throughline".to_owned(),
        client_secret: Some(Secret::new(CLIENT_SECRET)),
        redirect_url: "http://127.0.0.1:8080/back".to_owned(),
        scopes: vec!["email".to_owned()],
        name_claim: NameClaim::Email,
        groups_claim: "groups".to_owned(),
        group_roles: [(
            "marketing".to_owned(),
            BTreeSet::from(["analyst".to_owned()]),
        )]
        .into(),
        private_hosts: set(private),
    }
}

fn page() -> Origin {
    Origin {
        door: Door::Page,
        ..from("127.0.0.1", false)
    }
}

fn header() -> Value {
    json!({"alg": "RS256", "kid": "one", "typ": "JWT"})
}

#[tokio::test]
async fn somebody_logs_in_and_groups_become_roles() {
    let meeting = Meeting::new().await;
    let under = meeting.begin().await;
    meeting
        .issuer
        .gives(signed(0, &header(), &meeting.claims(&under.nonce)));
    let finished = meeting.finish(&under).await.expect("in");
    assert_eq!(finished.return_to, "/reports?x=1");
    let principal = &finished.principal;
    assert_eq!(principal.name, "ana@x.de");
    assert!(principal.groups.contains("staff") && principal.roles.contains("analyst"));
    assert_eq!(principal.roles.len(), 1);
    assert_eq!(meeting.house.last(), "ana@x.de log_in done ");
    let who = &meeting.house.who;
    let session = who
        .by_session(&finished.session.cookie)
        .await
        .expect("read")
        .expect("one");
    assert_eq!(&session.0, principal);
    {
        let desk = meeting.issuer.desk.lock().expect("the desk");
        let verifier = desk.form["code_verifier"].as_bytes();
        assert_eq!(part(&Sha256::digest(verifier)), under.challenge, "PKCE");
        assert_eq!(desk.form["code"], "code-1");
        assert!(desk.authorization.is_some(), "the client proves itself");
    }
    // It comes back once.
    assert!(matches!(
        meeting.finish(&under).await,
        Err(LoginError::Refused)
    ));
    assert_eq!(
        meeting.house.last(),
        "- log_in refused no log-in was begun in this browser"
    );
}

#[tokio::test]
async fn what_changed_there_holds_at_the_next_log_in() {
    let meeting = Meeting::new().await;
    let under = meeting.begin().await;
    meeting
        .issuer
        .gives(signed(0, &header(), &meeting.claims(&under.nonce)));
    meeting.finish(&under).await.expect("in");
    let under = meeting.begin().await;
    let mut claims = meeting.claims(&under.nonce);
    claims["groups"] = json!("staff");
    meeting.issuer.gives(signed(0, &header(), &claims));
    let finished = meeting.finish(&under).await.expect("in");
    assert!(
        finished.principal.roles.is_empty(),
        "{:?}",
        finished.principal
    );

    let off = Change {
        is_disabled: Some(true),
        ..Change::default()
    };
    let by = Actor {
        name: "root".to_owned(),
        origin: page(),
    };
    meeting
        .house
        .who
        .change_user(&by, "ana@x.de", &off)
        .await
        .expect("disabled");
    let under = meeting.begin().await;
    meeting
        .issuer
        .gives(signed(0, &header(), &meeting.claims(&under.nonce)));
    assert!(matches!(
        meeting.finish(&under).await,
        Err(LoginError::Refused)
    ));
    assert_eq!(meeting.house.last(), "- log_in refused disabled");
    // Another person there, who has got her address.
    let under = meeting.begin().await;
    let mut claims = meeting.claims(&under.nonce);
    claims["sub"] = json!("8");
    meeting.issuer.gives(signed(0, &header(), &claims));
    assert!(matches!(
        meeting.finish(&under).await,
        Err(LoginError::Refused)
    ));
    assert_eq!(
        meeting.house.last(),
        "- log_in refused somebody else has this name"
    );
}

#[tokio::test]
async fn an_answer_belongs_to_its_browser_and_its_time() {
    let meeting = Meeting::new().await;
    let (mine, theirs) = (meeting.begin().await, meeting.begin().await);
    meeting
        .issuer
        .gives(signed(0, &header(), &meeting.claims(&mine.nonce)));
    // A page that makes my browser bring back somebody else's log-in.
    let forged = Under {
        state: theirs.state.clone(),
        ..mine
    };
    assert!(matches!(
        meeting.finish(&forged).await,
        Err(LoginError::Refused)
    ));
    assert_eq!(
        meeting.house.last(),
        "- log_in refused the state is another one"
    );
    let none = Under {
        cookie: Secret::new(""),
        ..meeting.begin().await
    };
    assert!(matches!(
        meeting.finish(&none).await,
        Err(LoginError::Refused)
    ));
    let late = meeting.begin().await;
    meeting.house.later(TimeDelta::minutes(11));
    meeting
        .issuer
        .gives(signed(0, &header(), &meeting.claims(&late.nonce)));
    assert!(matches!(
        meeting.finish(&late).await,
        Err(LoginError::Refused)
    ));
    let under = meeting.begin().await;
    meeting
        .issuer
        .gives(signed(0, &header(), &meeting.claims(&under.nonce)));
    let mixed_up = Back {
        state: &under.state,
        code: Secret::new("code-1"),
        issuer: Some("https://other.example"),
        cookie: &under.cookie,
    };
    let refused = meeting
        .oidc
        .finish_login(&meeting.house.who, mixed_up, page())
        .await;
    assert!(matches!(refused, Err(LoginError::Refused)));
    assert_eq!(
        meeting.house.last(),
        "- log_in refused the answer is of another issuer"
    );
}

/// Tokens that are forged, of another time, for others, or signed in a way that must not be taken.
fn forged(meeting: &Meeting, nonce: &str) -> Vec<(&'static str, String)> {
    let right = meeting.claims(nonce);
    let now = meeting.house.now().timestamp();
    let with = |name: &str, value: Value| {
        let mut claims = right.clone();
        claims[name] = value;
        signed(0, &header(), &claims)
    };
    let without = |name: &str| {
        let mut claims = right.clone();
        claims
            .as_object_mut()
            .expect("an object")
            .shift_remove(name);
        signed(0, &header(), &claims)
    };
    let head = |name: &str, value: Value| {
        let mut header = header();
        header[name] = value;
        header
    };
    let good = signed(0, &header(), &right);
    let (text, signature) = good.rsplit_once('.').expect("a signature");
    let other = json!({"sub": "1"});
    let changed = format!("{}.{}", unsigned(&header(), &other), signature);
    let jwk = json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"});
    let mut all = vec![
        (
            "none",
            format!("{}.", unsigned(&head("alg", json!("none")), &right)),
        ),
        (
            "None",
            format!("{}.", unsigned(&head("alg", json!("None")), &right)),
        ),
        (
            "nOnE",
            format!(
                "{}.{signature}",
                unsigned(&head("alg", json!("nOnE")), &right)
            ),
        ),
        (
            "no algorithm",
            format!("{}.", unsigned(&json!({"typ": "JWT"}), &right)),
        ),
        (
            "client's secret",
            shared(
                CLIENT_SECRET.as_bytes(),
                &head("alg", json!("HS256")),
                &right,
            ),
        ),
        (
            "no secret",
            shared(b"", &head("alg", json!("HS256")), &right),
        ),
        ("another's key", signed(1, &header(), &right)),
        (
            "an unknown key",
            signed(1, &head("kid", json!("two")), &right),
        ),
        ("a key of its own", signed(1, &head("jwk", jwk), &right)),
        (
            "a key elsewhere",
            signed(1, &head("jku", json!("http://127.0.0.1:1/")), &right),
        ),
        (
            "another algorithm",
            signed(0, &head("alg", json!("RS384")), &right),
        ),
        ("PSS", signed(0, &head("alg", json!("PS256")), &right)),
        ("ES256", signed(0, &head("alg", json!("ES256")), &right)),
        ("critical", signed(0, &head("crit", json!(["exp"])), &right)),
        (
            "an access token",
            signed(0, &head("typ", json!("at+jwt")), &right),
        ),
        ("no signature", format!("{text}.")),
        ("half a signature", format!("{text}.{}", &signature[..100])),
        ("two parts", text.to_owned()),
        ("changed claims", changed),
        ("no token", "x.y.z".to_owned()),
        ("nothing", String::new()),
        ("expired", with("exp", json!(now - 61))),
        ("no end", without("exp")),
        ("made later", with("iat", json!(now + 120))),
        ("made long ago", with("iat", json!(now - 86_400))),
        ("not made", without("iat")),
        ("not yet", with("nbf", json!(now + 120))),
        ("not ever", with("nbf", json!("soon"))),
        ("for another", with("aud", json!("other"))),
        (
            "for another too",
            with("aud", json!(["throughline", "other"])),
        ),
        ("for nobody", without("aud")),
        ("for none", with("aud", json!([]))),
        ("by another party", with("azp", json!("other"))),
        ("by another", with("iss", json!("https://other.example"))),
        (
            "by nearly the same",
            with("iss", json!(format!("{}/", meeting.issuer.url))),
        ),
        ("by nobody", without("iss")),
        ("of another log-in", with("nonce", json!("other"))),
        ("of no log-in", without("nonce")),
        ("nobody", without("sub")),
        ("no e-mail", without("email")),
        ("unverified", with("email_verified", json!(false))),
        ("not said to be verified", without("email_verified")),
        (
            "another access token",
            with("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
        ),
        ("no name", with("email", json!("ana; drop table user"))),
    ];
    for form in public_forms() {
        all.push((
            "the public key",
            shared(&form, &head("alg", json!("HS256")), &right),
        ));
    }
    all
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let meeting = Meeting::new().await;
    let count = forged(&meeting, "").len();
    assert!(count >= 40, "{count}");
    for index in 0..count {
        // Others before it slow this address otherwise.
        meeting.house.later(TimeDelta::hours(2));
        let under = meeting.begin().await;
        let (what, token) = forged(&meeting, &under.nonce).swap_remove(index);
        meeting.issuer.gives(token);
        let refused = meeting.finish(&under).await;
        assert!(
            matches!(refused, Err(LoginError::Refused)),
            "{what}: {refused:?}"
        );
    }
    assert!(
        meeting
            .house
            .who
            .store()
            .users()
            .await
            .expect("users")
            .is_empty()
    );
    // So that it is not the meeting that is wrong.
    let under = meeting.begin().await;
    meeting
        .issuer
        .gives(signed(0, &header(), &meeting.claims(&under.nonce)));
    meeting.finish(&under).await.expect("a right one");
}

#[tokio::test]
async fn new_keys_of_the_service_are_fetched() {
    let meeting = Meeting::new().await;
    let under = meeting.begin().await;
    meeting.issuer.desk.lock().expect("the desk").key = (1, "two".to_owned());
    let new = json!({"alg": "RS256", "kid": "two"});
    meeting
        .issuer
        .gives(signed(1, &new, &meeting.claims(&under.nonce)));
    assert!(meeting.finish(&under).await.is_err(), "asked a moment ago");
    meeting.house.later(TimeDelta::minutes(2));
    let under = meeting.begin().await;
    meeting
        .issuer
        .gives(signed(1, &new, &meeting.claims(&under.nonce)));
    meeting.finish(&under).await.expect("in");
    assert_eq!(meeting.issuer.desk.lock().expect("the desk").fetched, 2);
}

#[tokio::test]
async fn a_service_in_the_house_must_be_named() {
    let meeting = Meeting::new().await;
    let oidc = Oidc::new(settings(&meeting.issuer.url, &[]));
    let error = oidc
        .begin_login(&meeting.house.who, "/")
        .await
        .expect_err("refused");
    assert!(matches!(error, LoginError::Failed(_)), "{error:?}");
    assert_eq!(meeting.issuer.desk.lock().expect("the desk").fetched, 0);
    let said = format!("{oidc:?} {error:?} {error}");
    assert!(!said.contains("cnry"), "{said}");
}

#[test]
fn a_way_back_leads_to_our_own_page() {
    for path in [
        "//evil.example",
        "https://evil.example",
        "\\\\evil",
        "/\\evil",
        "",
        "/a\nb",
    ] {
        assert_eq!(path_of(path), "/", "{path}");
    }
    assert_eq!(path_of("/a/b?c=d#e"), "/a/b?c=d#e");
}
