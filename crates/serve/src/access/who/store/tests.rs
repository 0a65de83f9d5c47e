//! Users, tokens and sessions as they are kept.

use chrono::TimeDelta;

use super::*;
use crate::access::who::Secret;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
const QUICK: Cost = Cost {
    memory_kib: 64,
    passes: 1,
};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("a time")
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn new_user(name: &str, roles: &[&str]) -> NewUser {
    NewUser {
        name: name.to_owned(),
        roles: set(roles),
        ..NewUser::default()
    }
}

fn good() -> Secret {
    Secret::new("drei blaue Kühe im Regen")
}

async fn store(folder: &Path) -> Store {
    Store::open(&folder.join("access.db"), KEY, QUICK)
        .await
        .expect("a store")
}

#[tokio::test]
async fn a_user_is_made_changed_and_removed() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(folder.path()).await;
    let new = NewUser {
        groups: set(&["marketing"]),
        attributes: BTreeMap::from([("country".to_owned(), Attribute::Text("DE".to_owned()))]),
        ..new_user("Ana@X.de", &["analyst"])
    };
    let before = store.epoch().await.expect("epoch");
    let user = store.add_user(&new, &good(), at(0)).await.expect("made");
    assert_eq!(user.name, "ana@x.de");
    assert_eq!(user.attributes["country"], Attribute::Text("DE".to_owned()));
    assert!(store.epoch().await.expect("epoch") > before);
    let again = store
        .add_user(&new, &good(), at(0))
        .await
        .expect_err("taken");
    assert!(matches!(again, WhoError::Exists { .. }), "{again}");

    let change = Change {
        roles: Some(set(&["viewer"])),
        is_disabled: Some(true),
        ..Change::default()
    };
    let user = store
        .change_user("ANA@x.de", &change, at(5))
        .await
        .expect("changed");
    assert!(user.is_disabled && user.roles == set(&["viewer"]));
    assert_eq!((user.groups, user.changed_at), (set(&["marketing"]), at(5)));

    store.remove_user("ana@x.de", at(6)).await.expect("removed");
    assert!(store.users().await.expect("users").is_empty());
    let gone = store.user("ana@x.de").await.expect_err("gone").to_string();
    assert_eq!(
        gone,
        "there is no user `ana@x.de`\nhint: throughline user list"
    );
}

#[tokio::test]
async fn names_and_passwords_are_looked_at() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(folder.path()).await;
    for name in [
        "",
        " ",
        "a b",
        "-ana",
        "token",
        "public",
        "ana'--",
        "ana\u{430}",
        "a/../b",
    ] {
        let made = store.add_user(&new_user(name, &[]), &good(), at(0)).await;
        assert!(matches!(made, Err(WhoError::Name { .. })), "{name}");
    }
    let weak = Secret::new("password1234");
    let made = store.add_user(&new_user("ana", &[]), &weak, at(0)).await;
    assert!(matches!(made, Err(WhoError::Weak(_))));
    let odd = store
        .add_user(&new_user("ana", &["ana\nlyst"]), &good(), at(0))
        .await;
    assert!(matches!(odd, Err(WhoError::Name { .. })));
    store
        .add_user(&new_user("ana", &[]), &good(), at(0))
        .await
        .expect("made");
    let set = store.set_password("ana", &weak, at(0)).await;
    assert!(matches!(set, Err(WhoError::Weak(_))));
}

#[tokio::test]
async fn the_first_administrator_is_made_once_even_if_two_start() {
    let folder = tempfile::tempdir().expect("folder");
    let (one, other) = (store(folder.path()).await, store(folder.path()).await);
    let (a, b) = tokio::join!(one.first_admin(at(0)), other.first_admin(at(0)));
    let mut made: Vec<_> = [a, b]
        .into_iter()
        .filter_map(|made| made.expect("no error"))
        .collect();
    assert_eq!(made.len(), 1);
    let (name, password) = made.remove(0);
    assert_eq!((name.as_str(), password.expose().len()), ("admin", 24));
    assert!(one.first_admin(at(1)).await.expect("no error").is_none());
    // It is in none of the files.
    for entry in std::fs::read_dir(folder.path()).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        let secret = password.expose().as_bytes();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

#[tokio::test]
async fn the_last_who_can_administer_stays() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(folder.path()).await;
    store.first_admin(at(0)).await.expect("made");
    let without = Change {
        roles: Some(set(&["viewer"])),
        ..Change::default()
    };
    let off = Change {
        is_disabled: Some(true),
        ..Change::default()
    };
    let last = |result: Result<_, WhoError>| matches!(result, Err(WhoError::LastAdmin(_)));
    assert!(last(store.remove_user("admin", at(0)).await));
    assert!(last(
        store.change_user("admin", &without, at(0)).await.map(drop)
    ));
    assert!(last(
        store.change_user("admin", &off, at(0)).await.map(drop)
    ));
    // Somebody whom another service vouches for does not count.
    let there = ("https://idp.example", "1");
    store
        .vouched(&new_user("eve", &[ADMIN]), there, at(0))
        .await
        .expect("noted");
    assert!(last(store.remove_user("admin", at(0)).await));
    store
        .add_user(&new_user("ana", &[ADMIN]), &good(), at(0))
        .await
        .expect("made");
    // Two at once cannot remove each other.
    let (a, b) = tokio::join!(
        store.remove_user("admin", at(0)),
        store.remove_user("ana", at(0))
    );
    assert!(a.is_ok() != b.is_ok());
    assert!(store.has_admin().await.expect("read"));
}

#[tokio::test]
async fn a_token_is_made_used_and_revoked() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(folder.path()).await;
    store
        .add_user(&new_user("ana", &[]), &good(), at(0))
        .await
        .expect("made");
    let new = NewToken {
        name: Some("dbt".to_owned()),
        owner: Some("ana".to_owned()),
        roles: set(&["builder"]),
        expires_at: Some(at(1_000)),
        ..NewToken::default()
    };
    let (record, secret) = store.create_token(&new, at(0)).await.expect("made");
    assert_eq!(record.roles, set(&["builder"]));
    let proved = async |token: &Secret, seconds| {
        let proved = store
            .prove_token(token, at(seconds))
            .await
            .expect("no error");
        proved.map(|record| record.name)
    };
    assert_eq!(proved(&secret, 10).await.as_deref(), Some("dbt"));
    assert_eq!(proved(&secret, 1_000).await, None, "expired");
    let used = store.token("dbt").await.expect("there").last_used_at;
    assert_eq!(used, Some(at(10)));

    let (_, other) = store
        .create_token(&NewToken::default(), at(0))
        .await
        .expect("made");
    assert_eq!(proved(&other, 10).await.expect("proved"), {
        let all = store.tokens().await.expect("tokens");
        all.iter()
            .find(|token| token.name != "dbt")
            .expect("another")
            .name
            .clone()
    });
    // The id of one with the secret of another.
    let mixed = format!("{}{}", &secret.expose()[..15], &other.expose()[15..]);
    assert_eq!(proved(&Secret::new(mixed), 10).await, None);
    assert_eq!(
        proved(&Secret::new(record.token_id.clone()), 10).await,
        None
    );
    assert_eq!(proved(&Secret::new(""), 10).await, None);

    store
        .revoke_token(&record.token_id, at(20))
        .await
        .expect("revoked");
    assert_eq!(proved(&secret, 21).await, None);
    assert!(
        store
            .live_token("dbt", at(21))
            .await
            .expect("no error")
            .is_none()
    );
    assert_eq!(
        store.token("dbt").await.expect("listed").revoked_at,
        Some(at(20))
    );
}

#[tokio::test]
async fn a_token_ends_with_its_owner() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(folder.path()).await;
    store
        .add_user(&new_user("ana", &[]), &good(), at(0))
        .await
        .expect("made");
    let new = NewToken {
        owner: Some("ana".to_owned()),
        ..NewToken::default()
    };
    let (record, secret) = store.create_token(&new, at(0)).await.expect("made");
    let is_live = async || {
        store
            .prove_token(&secret, at(1))
            .await
            .expect("no error")
            .is_some()
    };
    assert!(is_live().await);
    let disabled = |is| Change {
        is_disabled: Some(is),
        ..Change::default()
    };
    store
        .change_user("ana", &disabled(true), at(1))
        .await
        .expect("changed");
    assert!(!is_live().await);
    store
        .change_user("ana", &disabled(false), at(1))
        .await
        .expect("changed");
    assert!(is_live().await);
    store.remove_user("ana", at(2)).await.expect("removed");
    // And it does not come back with another of the name.
    store
        .add_user(&new_user("ana", &[]), &good(), at(3))
        .await
        .expect("made");
    assert!(!is_live().await);
    assert_eq!(
        store
            .token(&record.token_id)
            .await
            .expect("listed")
            .revoked_at,
        Some(at(2))
    );
}

#[tokio::test]
async fn a_token_that_makes_no_sense_is_not_made() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(folder.path()).await;
    let wrong = [
        NewToken {
            expires_at: Some(at(-1)),
            ..NewToken::default()
        },
        NewToken {
            expires_at: Some(at(0) + TimeDelta::days(4000)),
            ..NewToken::default()
        },
        NewToken {
            owner: Some("nobody".to_owned()),
            ..NewToken::default()
        },
        NewToken {
            doors: set(&["back"]),
            ..NewToken::default()
        },
        NewToken {
            name: Some("a b".to_owned()),
            ..NewToken::default()
        },
    ];
    for new in wrong {
        assert!(store.create_token(&new, at(0)).await.is_err(), "{new:?}");
    }
    let odd = NewToken {
        roles: set(&["Vertrieb Süd"]),
        ..NewToken::default()
    };
    assert!(
        store.create_token(&odd, at(0)).await.is_ok(),
        "it gets another name"
    );
}

#[tokio::test]
async fn sessions_end_in_time_and_with_their_user() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(folder.path()).await;
    store
        .add_user(&new_user("ana", &[]), &good(), at(0))
        .await
        .expect("made");
    let session = store.begin_session("ana", at(0)).await.expect("begun");
    let hour = 3_600;
    let goes_on = async |seconds| {
        let session = store
            .session(&session.cookie, at(seconds))
            .await
            .expect("no error");
        session.is_some()
    };
    let found = store
        .session(&session.cookie, at(1))
        .await
        .expect("no error")
        .expect("one");
    assert!(found.is_ours(session.csrf.expose()) && !found.is_ours("") && found.user == "ana");
    assert!(goes_on(11 * hour).await, "kept alive");
    assert!(goes_on(22 * hour).await, "by requests");
    assert!(!goes_on(35 * hour).await, "idle");
    let session = store.begin_session("ana", at(0)).await.expect("begun");
    for hours in (0..168).step_by(8) {
        assert!(
            store
                .session(&session.cookie, at(hours * hour))
                .await
                .expect("ok")
                .is_some()
        );
    }
    assert!(
        store
            .session(&session.cookie, at(168 * hour))
            .await
            .expect("ok")
            .is_none()
    );
    // A new password ends all of them.
    let session = store.begin_session("ana", at(0)).await.expect("begun");
    let other = Secret::new("vier grüne Hühner im Schnee");
    store.set_password("ana", &other, at(1)).await.expect("set");
    assert!(
        store
            .session(&session.cookie, at(2))
            .await
            .expect("ok")
            .is_none()
    );
    let session = store.begin_session("ana", at(3)).await.expect("begun");
    assert_eq!(
        store
            .end_session(&session.cookie)
            .await
            .expect("ended")
            .as_deref(),
        Some("ana")
    );
    assert!(
        store
            .session(&session.cookie, at(4))
            .await
            .expect("ok")
            .is_none()
    );
}

#[tokio::test]
async fn another_service_cannot_take_a_name() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(folder.path()).await;
    store
        .add_user(&new_user("ana", &[ADMIN]), &good(), at(0))
        .await
        .expect("made");
    let idp = "https://idp.example";
    let vouched = async |name: &str, roles: &[&str], subject: &str| {
        let user = store
            .vouched(&new_user(name, roles), (idp, subject), at(1))
            .await;
        user.expect("no error").map(|user| (user.name, user.roles))
    };
    assert_eq!(
        vouched("ana", &["viewer"], "1").await,
        None,
        "hers is a password"
    );
    let bob = vouched("bob", &["viewer"], "2").await.expect("made");
    assert_eq!(bob.0, "bob");
    assert_eq!(
        vouched("bob", &[ADMIN], "3").await,
        None,
        "another who is called so"
    );
    // The same person under another name stays who it was; its roles are as they are there.
    let bob = vouched("robert", &["analyst"], "2").await.expect("known");
    assert_eq!(bob, ("bob".to_owned(), set(&["analyst"])));
    let set = store.set_password("bob", &good(), at(2)).await;
    assert!(
        matches!(set, Err(WhoError::NotLocal(_))),
        "no password here"
    );
}

#[tokio::test]
async fn the_file_is_its_owners_and_its_keys_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("access.db");
    let first = store(folder.path()).await;
    first.first_admin(at(0)).await.expect("made");
    #[cfg(unix)]
    for entry in std::fs::read_dir(folder.path()).expect("a folder") {
        use std::os::unix::fs::PermissionsExt as _;
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("about it").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
    let other = Store::open(&path, b"fedcba9876543210fedcba9876543210", QUICK).await;
    assert!(matches!(other, Err(WhoError::OtherKey { .. })));
    let weak = Store::open(&path, &[1; 32], QUICK).await;
    assert!(matches!(weak, Err(WhoError::WeakKey)));
    let newer = sqlx::query("pragma user_version = 9")
        .execute(&first.pool)
        .await;
    newer.expect("marked");
    let newer = Store::open(&path, KEY, QUICK).await;
    assert!(matches!(newer, Err(WhoError::Newer { found: 9, .. })));
}
