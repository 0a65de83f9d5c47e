//! Certificate and key of the doors, read from PEM files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::access::who::end_point;

/// What connections are encrypted with.
#[derive(Clone)]
pub struct Tls {
    /// Certificate and key, for TLS 1.2 and 1.3. Each door says for itself which protocols may
    /// follow (ALPN).
    pub server: Arc<ServerConfig>,
    /// Hash of the certificate, to which SCRAM binds.
    pub certificate: Option<Arc<[u8]>>,
}

/// Why certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is no PEM.
    #[error("`{path}` cannot be read as PEM: {why}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// They do not fit each other, or are of a kind that is not known.
    #[error("certificate and key cannot be used: {0}")]
    Refused(#[from] rustls::Error),
}

impl Tls {
    /// Reads a chain of certificates, the server's own first, and its key.
    ///
    /// # Errors
    /// A file cannot be read, or they do not fit each other.
    pub fn load(certificates: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_file_iter(certificates)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unreadable(certificates, &error))?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
        let hash = chain.first().and_then(|own| end_point(own)).map(Arc::from);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(Self {
            server: Arc::new(server),
            certificate: hash,
        })
    }
}

fn unreadable(path: &Path, error: &rustls::pki_types::pem::Error) -> TlsError {
    TlsError::File {
        path: path.to_owned(),
        why: error.to_string(),
    }
}
