//! Who gets in, who does not, and what is noted and said of it.

use std::collections::BTreeSet;
use std::sync::Mutex;

use chrono::TimeDelta;

use super::*;
use crate::access::who::scram::client_final;
use crate::access::who::{Change, NewToken, NewUser};
use crate::audit::{self, Place};

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
const PASSWORD: &str = "drei blaue Kühe im Regen";

/// A house with a clock that is set by hand.
pub(in crate::access::who) struct House {
    pub(in crate::access::who) who: Who,
    pub(in crate::access::who) place: Place,
    pub(in crate::access::who) folder: tempfile::TempDir,
    time: Arc<Mutex<DateTime<Utc>>>,
}

impl House {
    pub(in crate::access::who) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let begin = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let time = Arc::new(Mutex::new(begin));
        let clock: Clock = {
            let time = time.clone();
            Arc::new(move || *time.lock().expect("the time"))
        };
        let place = Place::new(&folder.path().join("audit"), None, KEY);
        let audit = Audit::open(place.clone(), clock.clone()).expect("a log");
        let settings = Settings {
            cost: Cost {
                memory_kib: 64,
                passes: 1,
            },
            ..Settings::new(folder.path().join("access.db"))
        };
        let who = Who::open(&settings, KEY, audit, clock).await.expect("open");
        Self {
            who,
            place,
            folder,
            time,
        }
    }

    pub(in crate::access::who) fn later(&self, by: TimeDelta) {
        *self.time.lock().expect("the time") += by;
    }

    pub(in crate::access::who) fn now(&self) -> DateTime<Utc> {
        *self.time.lock().expect("the time")
    }

    async fn with_ana() -> Self {
        let house = Self::new().await;
        let new = NewUser {
            name: "ana".to_owned(),
            roles: BTreeSet::from(["analyst".to_owned()]),
            ..NewUser::default()
        };
        let made = house
            .who
            .add_user(&by(), &new, &Secret::new(PASSWORD))
            .await;
        made.expect("made");
        house
    }

    /// The newest record of the log, as `principal action outcome why`.
    pub(in crate::access::who) fn last(&self) -> String {
        let records = audit::read(&self.place, 0, 1_000).expect("records");
        let last = records.last().expect("a record");
        let why = last
            .detail
            .get("why")
            .and_then(|why| why.as_str())
            .unwrap_or_default();
        format!("{} {} {} {why}", last.principal, last.action, last.outcome)
    }
}

fn by() -> Actor {
    Actor {
        name: "root".to_owned(),
        origin: Origin {
            door: Door::Command,
            address: None,
            is_tls: false,
        },
    }
}

pub(in crate::access::who) fn from(address: &str, is_tls: bool) -> Origin {
    Origin {
        door: Door::Postgres,
        address: Some(address.parse().expect("an address")),
        is_tls,
    }
}

#[tokio::test]
async fn a_password_opens_and_every_refusal_is_the_same() {
    let house = House::with_ana().await;
    let here = from("127.0.0.1", false);
    let right = Secret::new(PASSWORD);
    let principal = house
        .who
        .by_password("ANA", &right, here)
        .await
        .expect("ana");
    assert_eq!(
        (principal.name.as_str(), principal.kind),
        ("ana", PrincipalKind::User)
    );
    assert!(principal.roles.contains("analyst"));
    assert_eq!(house.last(), "ana log_in done ");

    let wrong = Secret::new("vier grüne Hühner im Schnee");
    let refused = house
        .who
        .by_password("ana", &wrong, here)
        .await
        .expect_err("wrong");
    assert_eq!(house.last(), "ana log_in refused wrong password");
    let nobody = house.who.by_password("hunter2-hunter2", &right, here).await;
    let nobody = nobody.expect_err("nobody");
    assert_eq!(
        house.last(),
        "- log_in refused no such user",
        "what was typed is not kept"
    );
    let off = Change {
        is_disabled: Some(true),
        ..Change::default()
    };
    house
        .who
        .change_user(&by(), "ana", &off)
        .await
        .expect("disabled");
    let disabled = house
        .who
        .by_password("ana", &right, here)
        .await
        .expect_err("disabled");
    assert_eq!(house.last(), "ana log_in refused disabled");
    for error in [refused, nobody, disabled] {
        assert_eq!(format!("{error} {error:?}"), "log-in refused Refused");
    }
}

#[tokio::test]
async fn a_secret_in_clear_is_taken_over_tls_or_from_here_only() {
    let house = House::with_ana().await;
    let right = Secret::new(PASSWORD);
    let clear = house
        .who
        .by_password("ana", &right, from("198.51.100.7", false))
        .await;
    assert!(matches!(clear, Err(LoginError::NotPrivate)));
    assert_eq!(house.last(), "- log_in refused a secret was sent in clear");
    for origin in [
        from("198.51.100.7", true),
        from("::1", false),
        from("::ffff:127.0.0.1", false),
    ] {
        house
            .who
            .by_password("ana", &right, origin)
            .await
            .expect("private");
    }
    let (_, token) = house
        .who
        .create_token(&by(), &NewToken::default())
        .await
        .expect("made");
    let clear = house
        .who
        .by_clear_text("x", &token, from("198.51.100.7", false))
        .await;
    assert!(matches!(clear, Err(LoginError::NotPrivate)));
    let program = house
        .who
        .by_clear_text("x", &token, from("198.51.100.7", true))
        .await;
    assert_eq!(program.expect("a token").kind, PrincipalKind::Service);
}

#[tokio::test]
async fn guessing_is_slowed_and_others_are_not() {
    let house = House::with_ana().await;
    let there = from("198.51.100.7", true);
    let wrong = Secret::new("vier grüne Hühner im Schnee");
    let mut refused = 0;
    for _ in 0..1_000 {
        match house.who.by_password("ana", &wrong, there).await {
            Err(LoginError::Refused) => refused += 1,
            Err(LoginError::Slowed(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(refused, 10);
    assert_eq!(house.last(), "- log_in refused too many attempts");
    let count = audit::last_sequence(&house.place).expect("read");
    assert_eq!(count, 2 + 10 + 1, "the log is not flooded");
    let right = Secret::new(PASSWORD);
    let slowed = house.who.by_password("ana", &right, there).await;
    assert!(
        matches!(slowed, Err(LoginError::Slowed(_))),
        "the right one waits too"
    );
    house
        .who
        .by_password("ana", &right, from("198.51.100.8", true))
        .await
        .expect("from elsewhere");
    house.later(TimeDelta::seconds(2));
    house
        .who
        .by_password("ana", &right, there)
        .await
        .expect("after the delay");
    house
        .who
        .by_password("ana", &right, there)
        .await
        .expect("and at once");
}

#[tokio::test]
async fn a_token_is_bound_to_its_doors_and_gone_when_revoked() {
    let house = House::new().await;
    let new = NewToken {
        doors: BTreeSet::from(["rest".to_owned()]),
        ..NewToken::default()
    };
    let (record, token) = house.who.create_token(&by(), &new).await.expect("made");
    let sql = from("127.0.0.1", false);
    assert!(house.who.by_token(&token, sql).await.is_err());
    let rest = Origin {
        door: Door::Rest,
        ..sql
    };
    let principal = house.who.by_token(&token, rest).await.expect("its door");
    assert_eq!(
        house.who.again(&principal).await.expect("read").as_ref(),
        Some(&principal)
    );
    let before = house.who.store().epoch().await.expect("epoch");
    house
        .who
        .revoke_token(&by(), &record.name)
        .await
        .expect("revoked");
    assert!(house.who.store().epoch().await.expect("epoch") > before);
    assert_eq!(house.who.again(&principal).await.expect("read"), None);
    assert!(house.who.by_token(&token, rest).await.is_err());
    let wrong = Secret::new("tlt_wrong");
    assert!(house.who.by_token(&wrong, rest).await.is_err());
}

#[tokio::test]
async fn a_change_is_noted_before_and_after() {
    let house = House::with_ana().await;
    let weak = Secret::new("password1234");
    house
        .who
        .set_password(&by(), "ana", &weak)
        .await
        .expect_err("refused");
    house.who.remove_user(&by(), "ana").await.expect("removed");
    let records = audit::read(&house.place, 0, 100).expect("records");
    let what = |record: &audit::Record| {
        let what = record.detail["what"].as_str().expect("what").to_owned();
        format!(
            "{} {} {what} {}",
            record.principal, record.object, record.outcome
        )
    };
    let what: Vec<String> = records.iter().map(what).collect();
    let expected = [
        "root ana made begun",
        "root ana made done",
        "root ana password changed begun",
        "root ana password changed failed",
        "root ana removed begun",
        "root ana removed done",
    ];
    assert_eq!(what, expected);
    let said = format!("{records:?}");
    assert!(!said.contains("password1234"), "{said}");
}

#[tokio::test]
async fn a_change_by_another_program_is_told() {
    let house = House::with_ana().await;
    let mut changes = house.who.changes();
    changes.changed().await.expect("what it is now");
    let known = *changes.borrow_and_update();
    let path = house.folder.path().join("access.db");
    let cost = Cost {
        memory_kib: 64,
        passes: 1,
    };
    let other = crate::access::who::Store::open(&path, KEY, cost)
        .await
        .expect("open");
    other
        .remove_user("ana", house.now())
        .await
        .expect("removed");
    let told = tokio::time::timeout(Duration::from_secs(1), changes.changed()).await;
    told.expect("within a second").expect("told");
    assert!(*changes.borrow() > known);
}

async fn scram(house: &House, name: &str, password: &str) -> Result<Principal, LoginError> {
    let origin = from("198.51.100.7", true);
    let first = b"n,,n=,r=abc";
    let begun = house
        .who
        .begin_scram(name, "SCRAM-SHA-256", None, first, origin)
        .await;
    let (said, login) = begun?;
    let last = client_final(password, "n=,r=abc", &said, b"n,,");
    let ended = house.who.end_scram(login, last.as_bytes(), origin).await;
    ended.map(|(_, principal)| principal)
}

#[tokio::test]
async fn a_password_is_proved_by_scram() {
    let house = House::with_ana().await;
    assert_eq!(
        scram(&house, "Ana", PASSWORD).await.expect("ana").name,
        "ana"
    );
    assert_eq!(house.last(), "ana log_in done ");
    assert!(matches!(
        scram(&house, "ana", "wrong").await,
        Err(LoginError::Refused)
    ));
    assert!(matches!(
        scram(&house, "nobody", PASSWORD).await,
        Err(LoginError::Refused)
    ));
    let off = Change {
        is_disabled: Some(true),
        ..Change::default()
    };
    house
        .who
        .change_user(&by(), "ana", &off)
        .await
        .expect("disabled");
    assert!(matches!(
        scram(&house, "ana", PASSWORD).await,
        Err(LoginError::Refused)
    ));
}

#[tokio::test]
async fn who_exists_does_not_show_before_the_proof() {
    let house = House::with_ana().await;
    let origin = from("198.51.100.7", true);
    let salt = async |name: &str| {
        let first = b"n,,n=,r=abc";
        let begun = house
            .who
            .begin_scram(name, "SCRAM-SHA-256", None, first, origin)
            .await;
        let (said, _) = begun.expect("begun");
        let mut fields = said.split(',');
        let salt = fields
            .find(|field| field.starts_with("s="))
            .expect("a salt")
            .to_owned();
        (salt, fields.next().expect("iterations").to_owned())
    };
    let (ana, nobody) = (salt("ana").await, salt("nobody").await);
    assert_eq!(nobody, salt("NOBODY").await, "it stays");
    assert_eq!(ana, salt("ana").await);
    assert_ne!(ana.0, nobody.0);
    assert_eq!(
        (ana.0.len(), &ana.1),
        (nobody.0.len(), &nobody.1),
        "the same form and work"
    );
    let there = from("198.51.100.7", true);
    for name in ["ana", "nobody"] {
        let method = house.who.wire_method(name, there).await.expect("a method");
        assert_eq!(method, WireMethod::Scram, "{name}");
    }
}

#[tokio::test]
async fn tokens_are_asked_for_in_clear_where_that_is_safe() {
    let house = House::with_ana().await;
    let new = NewToken {
        name: Some("dbt".to_owned()),
        ..NewToken::default()
    };
    house.who.create_token(&by(), &new).await.expect("made");
    let (tls, clear, here) = (
        from("198.51.100.7", true),
        from("198.51.100.7", false),
        from("127.0.0.1", false),
    );
    let expected = [
        ("dbt", tls, WireMethod::ClearText),
        ("token", tls, WireMethod::ClearText),
        ("tableau", tls, WireMethod::Scram),
        ("tableau", here, WireMethod::ClearText),
        ("ana", here, WireMethod::Scram),
        ("dbt", clear, WireMethod::Scram),
        ("token", clear, WireMethod::Scram),
    ];
    for (name, origin, method) in expected {
        let found = house.who.wire_method(name, origin).await.expect("a method");
        assert_eq!(found, method, "{name} {origin:?}");
    }
}

#[tokio::test]
async fn a_session_of_the_page_begins_goes_on_and_ends() {
    let house = House::with_ana().await;
    let page = Origin {
        door: Door::Page,
        ..from("127.0.0.1", false)
    };
    let begun = house
        .who
        .begin_session("ana", &Secret::new(PASSWORD), page)
        .await;
    let (principal, session) = begun.expect("begun");
    let (again, _) = house
        .who
        .by_session(&session.cookie)
        .await
        .expect("read")
        .expect("one");
    assert_eq!(principal, again);
    let change = Change {
        roles: Some(BTreeSet::from(["viewer".to_owned()])),
        ..Change::default()
    };
    house
        .who
        .change_user(&by(), "ana", &change)
        .await
        .expect("changed");
    let (now, _) = house
        .who
        .by_session(&session.cookie)
        .await
        .expect("read")
        .expect("one");
    assert!(
        now.roles.contains("viewer") && now.roles.len() == 1,
        "as it is now"
    );
    house.who.log_out(&session.cookie, page).await.expect("out");
    assert_eq!(house.last(), "ana log_out done ");
    assert!(
        house
            .who
            .by_session(&session.cookie)
            .await
            .expect("read")
            .is_none()
    );
}

/// Secrets go in at every door; nothing that is kept, said or shown has them.
#[tokio::test]
async fn no_secret_is_kept_or_said_in_clear() {
    let house = House::new().await;
    let password = "cnry-4f1c drei blaue Kühe";
    let new = NewUser {
        name: "ana".to_owned(),
        ..NewUser::default()
    };
    house
        .who
        .add_user(&by(), &new, &Secret::new(password))
        .await
        .expect("made");
    let (_, token) = house
        .who
        .create_token(&by(), &NewToken::default())
        .await
        .expect("made");
    let (_, admin) = house
        .who
        .first_admin(&by())
        .await
        .expect("made")
        .expect("the first");
    let here = from("127.0.0.1", false);
    let begun = house
        .who
        .begin_session("ana", &Secret::new(password), here)
        .await;
    let (_, session) = begun.expect("begun");
    let mut said = format!("{:?} {session:?} {token:?} {admin:?}", house.who);
    for (name, secret) in [("ana", "cnry-4f1c wrong"), ("cnry-4f1c", password)] {
        let error = house
            .who
            .by_password(name, &Secret::new(secret), here)
            .await;
        let error = error.expect_err("wrong");
        said.push_str(&format!("{error:?} {error}"));
        let error = house
            .who
            .add_user(
                &by(),
                &NewUser {
                    name: secret.to_owned(),
                    ..NewUser::default()
                },
                &Secret::new(secret),
            )
            .await
            .expect_err("no name");
        said.push_str(&format!("{error:?} {error}"));
    }
    let error = house
        .who
        .revoke_token(&by(), token.expose())
        .await
        .expect_err("no name");
    said.push_str(&format!("{error:?} {error}"));
    let mut kept = said.into_bytes();
    let mut folders = vec![house.folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => kept.extend(std::fs::read(path).expect("a file")),
            }
        }
    }
    let secrets = [
        password,
        "4f1c drei",
        &token.expose()[15..40],
        admin.expose(),
        session.cookie.expose(),
    ];
    for secret in secrets {
        let is_there = kept
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!is_there, "{secret}");
    }
}
