// mbedTLS's certificates, read: for the parts of tls/ that meet them.
//
//   CertificateInfo info = Describe(certificate);
//
// Source: RFC 5280.
#pragma once

#include <string>
#include <vector>

#include "mbedtls/x509_crt.h"

#include "base/bytes.h"
#include "tls/certificate_info.h"

namespace noded::tls {

CertificateInfo Describe(const mbedtls_x509_crt& certificate);

std::string NameText(const mbedtls_x509_name& name);  // "C=SE, CN=a.example"
std::string TimeText(const mbedtls_x509_time& time);  // "2026-01-31 23:59:59 UTC"
std::vector<std::string> CommonNames(const mbedtls_x509_crt& certificate);
// Issuer and subject are the same name.
bool IsSelfIssued(const mbedtls_x509_crt& certificate);
bool IsSameName(const mbedtls_x509_buf& a, const mbedtls_x509_buf& b);

// A subject alternative name, uninterpreted.
struct AlternativeName {
  enum class Kind { kDns, kUri, kIp, kOther } kind;
  base::ByteView value;  // valid as long as the certificate
};
std::vector<AlternativeName> AlternativeNames(const mbedtls_x509_crt& certificate);

}  // namespace noded::tls
