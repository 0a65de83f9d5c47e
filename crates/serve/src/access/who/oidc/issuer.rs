//! A service on loopback that vouches for people, with keys of its own, for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

/// Keys take a while to make: all tests share these.
static KEYS: LazyLock<[RsaPrivateKey; 2]> = LazyLock::new(|| {
    let make = || RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("a key");
    [make(), make()]
});

/// What the service has been told to do, and what it was asked.
#[derive(Default)]
pub(super) struct Desk {
    /// The id token that it gives next.
    pub(super) token: String,
    /// Which key it says is its own, and by which name.
    pub(super) key: (usize, String),
    /// What it was sent for the last token.
    pub(super) form: BTreeMap<String, String>,
    /// How we proved who we are.
    pub(super) authorization: Option<String>,
    /// How often its keys were fetched.
    pub(super) fetched: u32,
}

#[derive(Clone)]
pub(super) struct Issuer {
    pub(super) url: String,
    pub(super) desk: Arc<Mutex<Desk>>,
}

impl Issuer {
    pub(super) async fn start() -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", socket.local_addr().expect("an address"));
        let desk = Desk {
            key: (0, "one".to_owned()),
            ..Desk::default()
        };
        let issuer = Self {
            url,
            desk: Arc::new(Mutex::new(desk)),
        };
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(about))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(socket, app).await });
        issuer
    }

    pub(super) fn gives(&self, token: String) {
        self.desk.lock().expect("the desk").token = token;
    }
}

async fn about(State(issuer): State<Issuer>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", issuer.url);
    Json(json!({
        "issuer": issuer.url,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // It claims to take what we must not.
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
    }))
}

async fn keys(State(issuer): State<Issuer>) -> Json<Value> {
    let mut desk = issuer.desk.lock().expect("the desk");
    desk.fetched += 1;
    let key = KEYS[desk.key.0].to_public_key();
    let text = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
    Json(json!({"keys": [{
        "kty": "RSA", "use": "sig", "kid": desk.key.1, "n": text(key.n()), "e": text(key.e()),
    }]}))
}

async fn token(State(issuer): State<Issuer>, headers: HeaderMap, body: String) -> Json<Value> {
    let mut desk = issuer.desk.lock().expect("the desk");
    let authorization = headers.get("authorization");
    desk.authorization = authorization.map(|value| value.to_str().expect("text").to_owned());
    desk.form = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    Json(json!({"access_token": "at-1", "token_type": "Bearer", "id_token": desk.token}))
}

pub(super) fn part(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Header and claims as they are signed.
pub(super) fn unsigned(header: &Value, claims: &Value) -> String {
    let text = |value: &Value| part(value.to_string().as_bytes());
    format!("{}.{}", text(header), text(claims))
}

/// Signed as RS256 with one of the keys.
pub(super) fn signed(key: usize, header: &Value, claims: &Value) -> String {
    let text = unsigned(header, claims);
    let signature = SigningKey::<sha2::Sha256>::new(KEYS[key].clone()).sign(text.as_bytes());
    format!("{text}.{}", part(&signature.to_vec()))
}

/// Signed as HS256 with this as the shared secret.
pub(super) fn shared(secret: &[u8], header: &Value, claims: &Value) -> String {
    let text = unsigned(header, claims);
    let signature = crate::access::who::secret::mac(secret, &[text.as_bytes()]);
    format!("{text}.{}", part(&signature))
}

/// The public key, in the forms in which somebody may pass it off as a shared secret.
pub(super) fn public_forms() -> Vec<Vec<u8>> {
    use rsa::pkcs1::EncodeRsaPublicKey as _;
    use rsa::pkcs8::EncodePublicKey as _;
    let key = KEYS[0].to_public_key();
    let line = rsa::pkcs8::LineEnding::LF;
    vec![
        key.to_public_key_pem(line).expect("a text").into_bytes(),
        key.to_pkcs1_pem(line).expect("a text").into_bytes(),
        key.to_public_key_der().expect("bytes").into_vec(),
        key.n().to_bytes_be(),
    ]
}
