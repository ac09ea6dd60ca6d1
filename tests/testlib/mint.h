// Certificates and revocation lists with any content, right or wrong, made with libcrypto when the
// test runs. For the ordinary ones see test_certs.h.
//
//   Minted ca = Mint({.name = "Test CA", .extensions = kAuthority});
//   Minted peer = Mint({.name = "b", .extensions = "subjectAltName=DNS:b.example\n"}, &ca);
//   base::Slice crl = MintCrl(ca, {.revoked = {{&peer, "keyCompromise"}}});
//
// Extensions are written as in openssl's configuration files, see x509v3_config(5). A failure is a
// test failure. One thread at a time.
#pragma once

#include <openssl/evp.h>

#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tls/libcrypto_x509.h"

namespace noded::testlib {

inline constexpr char kAuthority[] =
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
    "subjectKeyIdentifier=hash\n";
constexpr std::time_t kDay = 24 * 60 * 60;

using KeyPtr = std::unique_ptr<EVP_PKEY, tls::FreeWith<EVP_PKEY_free>>;

struct CertSpec {
  std::string name;                 // the common name
  std::string extensions;           // of the section [default], others may follow
  std::string key = "EC";           // "EC", "RSA2048", "RSA1024", "ED25519"
  const char* digest = "SHA256";    // ignored by ED25519
  std::time_t begins = -kDay;       // from now
  std::time_t ends = 30 * kDay;     // from now
  const EVP_PKEY* reuse = nullptr;  // this key instead of a new one
  int version = 3;
};

struct Minted {
  tls::X509Ptr certificate;
  KeyPtr key;

  base::Slice der() const { return tls::DerOf(*certificate); }
  std::string pem() const;
  std::string key_pem() const;
};

// Signed by `issuer`, or by itself.
Minted Mint(const CertSpec& spec, const Minted* issuer = nullptr);

struct Revoked {
  const Minted* certificate;
  std::string reason;              // "keyCompromise"; empty: none
  const Minted* issuer = nullptr;  // names the certificate's issuer, for indirect lists
};

struct CrlSpec {
  std::vector<Revoked> revoked;
  std::string extensions = {};     // as of a certificate
  std::time_t begins = -kDay;      // from now
  std::time_t ends = kDay;         // from now; 0: no nextUpdate
  const Minted* signer = nullptr;  // whose key signs; null: the issuer's
};

// DER.
base::Slice MintCrl(const Minted& issuer, const CrlSpec& spec);
std::string CrlPem(const base::Slice& der);

}  // namespace noded::testlib
