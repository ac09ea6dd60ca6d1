// libcrypto's certificates, owned and read: for the parts of tls/ that judge chains. mbedTLS's are
// in tls/x509.h.
//
//   X509Ptr certificate = ParseX509(der);             // null: not exactly one certificate
//   CertificateInfo info = Describe(*certificate);
//   MatchesHost(*certificate, "b.example");
//
// An X509 is read-only once parsed and then thread-safe. Nothing here leaves an entry in
// libcrypto's error queue. Source: RFC 5280; RFC 6125 and OTP `public_key:pkix_verify_hostname/2`
// for names.
#pragma once

#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "tls/certificate_info.h"

namespace noded::tls {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using X509CrlPtr = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;

// Null when these are not the bytes of exactly one.
X509Ptr ParseX509(base::ByteView der);
X509CrlPtr ParseCrl(base::ByteView der);
X509Ptr Share(X509* certificate);  // one more owner

base::Slice DerOf(const X509& certificate);
base::Slice DerOf(const X509_NAME& name);
CertificateInfo Describe(const X509& certificate);

std::string NameText(const X509_NAME& name);       // "C=SE, CN=a.example", fit for a log
std::string TimeText(const ASN1_TIME& time);       // "2026-01-31 23:59:59 UTC"
std::string OidText(const ASN1_OBJECT& oid);       // "1.2.3.4"
std::string SubjectText(const X509& certificate);  // NameText of the subject
// Issuer and subject are the same name.
bool IsSelfIssued(const X509& certificate);
bool IsSameName(const X509_NAME& a, const X509_NAME& b);

// True when the certificate is for this host: dNSName entries (a wildcard may be the whole of the
// left-most label), for a literal address iPAddress entries too, and the common names when there is
// no alternative name at all.
bool MatchesHost(const X509& certificate, std::string_view host);
// What it could match, for messages: "DNS:a.example, IP:10.0.0.1".
std::string HostsText(const X509& certificate);
// True for a literal IPv4 or IPv6 address, without brackets.
bool IsLiteralAddress(std::string_view host);

}  // namespace noded::tls
