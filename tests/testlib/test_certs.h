// Certificates of every kind that a TLS test needs, made when the test runs, as PEM files.
//
//   TestCerts certs;
//   const CertFiles shop = certs.Node("shop@127.0.0.1");       // of certs.ca()
//   options.identity = {.certfile = shop.cert, .keyfile = shop.key};
//   OtpNode node({.name = "shop@127.0.0.1", .proto_dist = "inet_tls",
//                 .ssl_dist_optfile = certs.OptFile(shop)});
//
// The files go with this object. ECDSA P-256 unless asked otherwise. One thread at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/testlib/temp_dir.h"
#include "tls/issue.h"

namespace noded::testlib {

// Paths.
struct CertFiles {
  std::string cert;
  std::string key;
};

class TestCerts {
 public:
  TestCerts();

  // The authority that everybody trusts, and one that nobody has heard of, with the same name.
  const std::string& ca() const { return ca_path_; }
  const std::string& untrusted_ca() const { return untrusted_ca_path_; }

  // For a node name "shop@127.0.0.1", or a host alone: valid for that host, and for no other.
  CertFiles Node(const std::string& name, tls::KeyType key_type = tls::KeyType::kEcP256);
  // For these hosts, whatever the name says; none at all if empty.
  CertFiles WithHosts(const std::string& name, const std::vector<std::string>& hosts);
  // Like Node(), but signed by untrusted_ca(); ended yesterday; begins tomorrow.
  CertFiles Untrusted(const std::string& name);
  CertFiles Expired(const std::string& name);
  CertFiles NotYetValid(const std::string& name);
  // The key is another's.
  CertFiles Mismatched(const std::string& name);
  // The certificate and then `depth` intermediate authorities below ca(), in one file. Without
  // them (`with_chain` false) a peer cannot get to its trust anchor.
  CertFiles Chained(const std::string& name, int depth, bool with_chain = true);
  // Like Node(), the key encrypted: as PKCS#8 (AES-256, PBKDF2), or as the older PEM with a
  // DEK-Info header. Needs openssl: mbedTLS writes no encrypted keys.
  CertFiles Encrypted(const std::string& name, std::string_view password, bool is_pkcs8 = true);
  // One file with certificate and key, for `certfile` without `keyfile`.
  std::string InOne(const CertFiles& files);

  // An option file of OTP's (-ssl_dist_optfile): both sides have `files`, verify against ca() and
  // insist on a certificate. The additions are option tuples, such as "{versions,['tlsv1.3']}",
  // and win over the defaults of the same name.
  std::string OptFile(const CertFiles& files, const std::vector<std::string>& server = {},
                      const std::vector<std::string>& client = {});

  // A request like that of Node(), to be changed and signed by the authority.
  tls::CertificateRequest Request(const std::string& name) const;
  CertFiles Sign(const tls::CertificateRequest& request);
  // The PEM of the authority, for tests that sign themselves.
  const tls::IssuedCertificate& authority() const { return ca_; }

 private:
  CertFiles Save(const std::string& cert_pem, std::string_view key_pem);

  TempDir dir_;
  tls::IssuedCertificate ca_, untrusted_ca_;
  std::string ca_path_, untrusted_ca_path_;
  int files_ = 0;  // made until now
};

}  // namespace noded::testlib
