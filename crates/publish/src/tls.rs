//! TLS for connections to brokers: whom to trust, and the cryptography that a client without a certificate of its own needs.
//!
//! The provider of [`rustls::crypto::ring`] refers to all that rustls can do, so that all of it is in the library. Without keys that
//! sign and without ChaCha20 the plugin is 0.1 MB smaller (`benches/RESULTS.md`). Neither is needed: a client without a certificate
//! signs nothing, TLS 1.3 requires AES-128-GCM of everybody (RFC 8446, 9.1), and TLS 1.2 brokers without AES-GCM are none we know of.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::crypto::ring::{cipher_suite, kx_group};
use rustls::crypto::{CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::sign::SigningKey;
use rustls::{ClientConfig, Error, RootCertStore, SignatureScheme};
use webpki::ring::{
    ECDSA_P256_SHA256, ECDSA_P256_SHA384, ECDSA_P384_SHA256, ECDSA_P384_SHA384, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS, RSA_PKCS1_2048_8192_SHA512,
    RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS, RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    RSA_PSS_2048_8192_SHA384_LEGACY_KEY, RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
};

/// A client that trusts the certificates in the PEM file `authorities`, or those of the system.
///
/// # Errors
/// There is no certificate to trust, or one of the file is unusable; the text is for a user.
pub(crate) fn client_config(authorities: Option<&Path>) -> Result<ClientConfig, String> {
    let mut trusted = RootCertStore::empty();
    if let Some(path) = authorities {
        let unusable =
            |error: &dyn std::fmt::Display| format!("no certificate in {}: {error}", path.display());
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| unusable(&error))?;
            trusted.add(certificate).map_err(|error| unusable(&error))?;
        }
    } else {
        for path in system_authorities() {
            if let Ok(certificates) = CertificateDer::pem_file_iter(path) {
                trusted.add_parsable_certificates(certificates.flatten());
            }
        }
    }
    if trusted.is_empty() {
        return Err(
            "no certificates to trust; install the package ca-certificates, correct SSL_CERT_FILE and SSL_CERT_DIR where they \
             are set, or give one with ?ca=PATH"
                .into(),
        );
    }
    let config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(trusted).with_no_client_auth())
}

/// The files with the certificates that the system trusts, in PEM: those that `SSL_CERT_FILE` and the directories in `SSL_CERT_DIR`
/// name, and no others where one of these is set; else those where distributions keep them.
fn system_authorities() -> Vec<PathBuf> {
    let mut file = env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let mut directories: Vec<PathBuf> =
        env::var_os("SSL_CERT_DIR").iter().flat_map(env::split_paths).collect();
    if file.is_none() && directories.is_empty() {
        let places = openssl_probe::probe();
        file = places.cert_file;
        // They have the same certificates once more.
        directories = if file.is_some() { Vec::new() } else { places.cert_dir };
    }
    let files = directories.iter().flat_map(fs::read_dir).flatten().flatten().map(|entry| entry.path());
    files.chain(file).collect()
}

/// Whether a connection failed because the broker's certificate is not accepted.
pub(crate) fn is_certificate_error(error: &io::Error) -> bool {
    error
        .get_ref()
        .and_then(|error| error.downcast_ref())
        .is_some_and(|error| matches!(error, Error::InvalidCertificate(_)))
}

/// What a client without a certificate needs of rustls and ring.
fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ],
        kx_groups: vec![kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1],
        signature_verification_algorithms: SIGNATURES,
        secure_random: &Ring,
        key_provider: &Ring,
    }
}

/// The signatures that are accepted in certificates and handshakes: those of [`rustls::crypto::ring`].
static SIGNATURES: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        ECDSA_P256_SHA256,
        ECDSA_P256_SHA384,
        ECDSA_P384_SHA256,
        ECDSA_P384_SHA384,
        ED25519,
        RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512,
        RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
        RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
        RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    ],
    // A handshake of TLS 1.2 does not name the curve; TLS 1.3 takes the first of a list only.
    mapping: &[
        (SignatureScheme::ECDSA_NISTP384_SHA384, &[ECDSA_P384_SHA384, ECDSA_P256_SHA384]),
        (SignatureScheme::ECDSA_NISTP256_SHA256, &[ECDSA_P256_SHA256, ECDSA_P384_SHA256]),
        (SignatureScheme::ED25519, &[ED25519]),
        (SignatureScheme::RSA_PSS_SHA512, &[RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA384, &[RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA256, &[RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
        (SignatureScheme::RSA_PKCS1_SHA512, &[RSA_PKCS1_2048_8192_SHA512]),
        (SignatureScheme::RSA_PKCS1_SHA384, &[RSA_PKCS1_2048_8192_SHA384]),
        (SignatureScheme::RSA_PKCS1_SHA256, &[RSA_PKCS1_2048_8192_SHA256]),
    ],
};

/// Randomness of the system, and no keys.
#[derive(Debug)]
struct Ring;

impl SecureRandom for Ring {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        SystemRandom::new().fill(bytes).map_err(|_| GetRandomFailed)
    }
}

impl KeyProvider for Ring {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("certificates of clients are not supported".into()))
    }
}
