#include "tls/certificate_info.h"

#include <arpa/inet.h>

#include "fmt/format.h"
#include "mbedtls/asn1.h"
#include "mbedtls/oid.h"
#include "mbedtls/sha256.h"

#include "base/status.h"
#include "tls/crypto.h"
#include "tls/x509.h"

namespace noded::tls {
namespace {

std::string IpText(base::ByteView address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.size() == 4) return inet_ntop(AF_INET, address.data(), text, sizeof(text));
  if (address.size() == 16) return inet_ntop(AF_INET6, address.data(), text, sizeof(text));
  return base::ToHex(address);
}

// Names come from peers: nothing in them may confuse a terminal or a log.
std::string Printable(base::ByteView bytes) {
  std::string text;
  for (uint8_t byte : bytes) {
    if (byte >= 0x20 && byte < 0x7f) {
      text.push_back(static_cast<char>(byte));
    } else {
      text += fmt::format("\\x{:02x}", byte);
    }
  }
  return text;
}

}  // namespace

std::string NameText(const mbedtls_x509_name& name) {
  std::vector<char> text(4096);
  int length = mbedtls_x509_dn_gets(text.data(), text.size(), &name);
  if (length < 0) return "(a name too long to show)";
  return std::string(text.data(), static_cast<size_t>(length));
}

std::string TimeText(const mbedtls_x509_time& time) {
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", time.year, time.mon, time.day,
                     time.hour, time.min, time.sec);
}

std::vector<std::string> CommonNames(const mbedtls_x509_crt& certificate) {
  std::vector<std::string> names;
  for (const mbedtls_x509_name* name = &certificate.subject; name != nullptr; name = name->next) {
    if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &name->oid) != 0) continue;
    names.push_back(base::ToString({name->val.p, name->val.len}));
  }
  return names;
}

bool IsSameName(const mbedtls_x509_buf& a, const mbedtls_x509_buf& b) {
  return base::AsText({a.p, a.len}) == base::AsText({b.p, b.len});
}

bool IsSelfIssued(const mbedtls_x509_crt& certificate) {
  return IsSameName(certificate.issuer_raw, certificate.subject_raw);
}

std::vector<AlternativeName> AlternativeNames(const mbedtls_x509_crt& certificate) {
  std::vector<AlternativeName> names;
  for (const mbedtls_x509_sequence* entry = &certificate.subject_alt_names; entry != nullptr;
       entry = entry->next) {
    if (entry->buf.p == nullptr) continue;
    auto kind = AlternativeName::Kind::kOther;
    switch (entry->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) {
      case MBEDTLS_X509_SAN_DNS_NAME:
        kind = AlternativeName::Kind::kDns;
        break;
      case MBEDTLS_X509_SAN_UNIFORM_RESOURCE_IDENTIFIER:
        kind = AlternativeName::Kind::kUri;
        break;
      case MBEDTLS_X509_SAN_IP_ADDRESS:
        kind = AlternativeName::Kind::kIp;
        break;
      default:
        break;
    }
    names.push_back({kind, {entry->buf.p, entry->buf.len}});
  }
  return names;
}

CertificateInfo Describe(const mbedtls_x509_crt& certificate) {
  CertificateInfo info;
  info.subject = NameText(certificate.subject);
  info.issuer = NameText(certificate.issuer);
  info.serial = base::ToHex({certificate.serial.p, certificate.serial.len});
  info.not_before = TimeText(certificate.valid_from);
  info.not_after = TimeText(certificate.valid_to);
  const char* type = mbedtls_pk_get_name(&certificate.pk);
  info.key = fmt::format("{} {} bits", type, mbedtls_pk_get_bitlen(&certificate.pk));
  const base::ByteView der(certificate.raw.p, certificate.raw.len);
  uint8_t digest[32];
  if (mbedtls_sha256(der.data(), der.size(), digest, 0) == 0) {
    info.fingerprint_sha256 = base::ToHex(digest);
  }
  info.is_ca = mbedtls_x509_crt_get_ca_istrue(&certificate) == 1;
  for (const AlternativeName& name : AlternativeNames(certificate)) {
    switch (name.kind) {
      case AlternativeName::Kind::kDns:
        info.dns_names.push_back(Printable(name.value));
        break;
      case AlternativeName::Kind::kUri:
        info.uris.push_back(Printable(name.value));
        break;
      case AlternativeName::Kind::kIp:
        info.ip_addresses.push_back(IpText(name.value));
        break;
      case AlternativeName::Kind::kOther:
        break;
    }
  }
  info.der = base::Slice::Copy(der);
  return info;
}

absl::StatusOr<std::vector<CertificateInfo>> ReadCertificates(base::ByteView pem_or_der) {
  RETURN_IF_ERROR(StartCrypto());
  mbedtls_x509_crt chain;
  mbedtls_x509_crt_init(&chain);
  // The PEM reader wants a closing zero, counted.
  std::string text = base::ToString(pem_or_der);
  const bool is_pem = text.find("-----BEGIN ") != std::string::npos;
  int result = mbedtls_x509_crt_parse(&chain, reinterpret_cast<const uint8_t*>(text.c_str()),
                                      text.size() + (is_pem ? 1 : 0));
  std::vector<CertificateInfo> certificates;
  for (const mbedtls_x509_crt* one = &chain; one != nullptr; one = one->next) {
    if (one->raw.p != nullptr) certificates.push_back(Describe(*one));
  }
  mbedtls_x509_crt_free(&chain);
  if (result < 0 || certificates.empty()) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("no certificate can be read: {}", MbedtlsErrorText(result)),
                       "give an X.509 certificate in PEM or DER", "bad_certificate");
  }
  if (result > 0) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("{} of {} certificates cannot be read", result,
                                   certificates.size() + static_cast<size_t>(result)),
                       "check that they are complete and use RSA or NIST curve keys",
                       "bad_certificate");
  }
  return certificates;
}

}  // namespace noded::tls
