#include "tls/issue.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <list>
#include <memory>

#include "fmt/chrono.h"
#include "fmt/format.h"
#include "mbedtls/ecp.h"
#include "mbedtls/oid.h"
#include "mbedtls/pk.h"
#include "mbedtls/rsa.h"
#include "mbedtls/x509_crt.h"

#include "base/random.h"
#include "base/status.h"
#include "tls/crypto.h"

namespace noded::tls {
namespace {

constexpr size_t kMaxCommonName = 64;  // ub-common-name, RFC 5280 appendix A.1
constexpr size_t kMaxPem = 32 * 1024;

struct Key {
  Key() { mbedtls_pk_init(&context); }
  ~Key() { mbedtls_pk_free(&context); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  mbedtls_pk_context context;
};

struct Certificate {
  Certificate() { mbedtls_x509_crt_init(&context); }
  ~Certificate() { mbedtls_x509_crt_free(&context); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  mbedtls_x509_crt context;
};

struct Writer {
  Writer() { mbedtls_x509write_crt_init(&context); }
  ~Writer() { mbedtls_x509write_crt_free(&context); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  mbedtls_x509write_cert context;
};

// Who signs: an authority, or the new certificate itself.
struct Issuer {
  Certificate certificate;
  Key key;
};

absl::Status LibraryError(const std::string& what, int code) {
  return base::Error(absl::StatusCode::kInternal,
                     fmt::format("{}: {}", what, MbedtlsErrorText(code)));
}

absl::Status Refuse(const std::string& what, const std::string& mend) {
  return base::Error(absl::StatusCode::kInvalidArgument, "certificate: " + what, mend, "badarg");
}

absl::Status MakeKey(KeyType type, Key& key) {
  int result = mbedtls_pk_setup(
      &key.context,
      mbedtls_pk_info_from_type(type == KeyType::kRsa2048 ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECKEY));
  if (result == 0) {
    switch (type) {
      case KeyType::kEcP256:
        result = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key.context), Random,
                                     nullptr);
        break;
      case KeyType::kEcP384:
        result = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP384R1, mbedtls_pk_ec(key.context), Random,
                                     nullptr);
        break;
      case KeyType::kRsa2048:
        result = mbedtls_rsa_gen_key(mbedtls_pk_rsa(key.context), Random, nullptr, 2048, 65537);
        break;
    }
  }
  return result == 0 ? absl::OkStatus() : LibraryError("cannot make a private key", result);
}

// The size includes the terminating zero, as the library wants it of PEM.
bool ParsePem(const std::string& pem, Certificate& certificate) {
  return mbedtls_x509_crt_parse(&certificate.context,
                                reinterpret_cast<const unsigned char*>(pem.c_str()),
                                pem.size() + 1) == 0;
}

absl::Status ReadIssuer(const IssuedCertificate& authority, Issuer& issuer) {
  const std::string mend = "give the certificate and the key of the authority, both in PEM";
  if (!ParsePem(authority.cert_pem, issuer.certificate)) {
    return Refuse("the authority's certificate cannot be read", mend);
  }
  std::string_view text = authority.key_pem.view();
  std::vector<unsigned char> terminated(text.begin(), text.end());
  terminated.push_back(0);
  const int result = mbedtls_pk_parse_key(&issuer.key.context, terminated.data(), terminated.size(),
                                          nullptr, 0, Random, nullptr);
  base::Wipe(terminated.data(), terminated.size());
  if (result != 0) {
    return Refuse("the authority's private key cannot be read", mend + ", the key not encrypted");
  }
  if (mbedtls_pk_check_pair(&issuer.certificate.context.pk, &issuer.key.context, Random, nullptr) !=
      0) {
    return Refuse("the authority's private key is not that of its certificate", mend);
  }
  if (!mbedtls_x509_crt_get_ca_istrue(&issuer.certificate.context)) {
    return Refuse("the authority's certificate is not that of an authority", mend);
  }
  return absl::OkStatus();
}

// RFC 4514: what would be taken for syntax is escaped.
std::string CommonName(std::string_view name) {
  std::string text = "CN=";
  for (size_t i = 0; i < name.size(); ++i) {
    const bool is_edge =
        (i == 0 && (name[i] == ' ' || name[i] == '#')) || (i + 1 == name.size() && name[i] == ' ');
    if (is_edge || std::string_view(",=+<>;\"\\").find(name[i]) != std::string_view::npos) {
      text += '\\';
    }
    text += name[i];
  }
  return text;
}

absl::Status CheckRequest(const CertificateRequest& request) {
  const std::string& name = request.common_name;
  const bool has_control =
      std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (name.empty() || name.size() > kMaxCommonName || has_control) {
    return Refuse(fmt::format("the common name \"{}\" is {}", name,
                              name.empty()  ? "empty"
                              : has_control ? "not plain text"
                                            : fmt::format("{} bytes long", name.size())),
                  fmt::format("give 1 to {} bytes of text", kMaxCommonName));
  }
  for (const std::string& dns : request.dns_names) {
    const bool is_ascii =
        std::all_of(dns.begin(), dns.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    if (dns.empty() || dns.size() > 255 || !is_ascii) {
      return Refuse(fmt::format("\"{}\" is not a host name", dns),
                    "give 1 to 255 ASCII characters; an international name in its xn-- form");
    }
  }
  for (const std::string& uri : request.uris) {
    const bool is_ascii =
        std::all_of(uri.begin(), uri.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    if (!is_ascii || uri.find(':') == std::string::npos) {
      return Refuse(fmt::format("\"{}\" is not a URI", uri),
                    "write it in ASCII, with its scheme: spiffe://example.net/shop");
    }
  }
  if (const int most = request.max_intermediates.value_or(0); most < 0 || most > 127) {
    return Refuse(fmt::format("it would allow {} intermediate authorities", most),
                  "give 0 to 127, or none for any number");
  }
  const auto [from, to] = request.validity;
  if (from >= to) {
    return Refuse(fmt::format("it would end ({:%F %T}) before it begins ({:%F %T})",
                              fmt::gmtime(std::chrono::system_clock::to_time_t(to)),
                              fmt::gmtime(std::chrono::system_clock::to_time_t(from))),
                  "give a later end");
  }
  const CertificateTime first = std::chrono::sys_days(std::chrono::year(1970) / 1 / 1);
  const CertificateTime last = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31);
  if (from < first || to > last) {
    return Refuse("its time is outside the years 1970 to 9999", "give times within");
  }
  return absl::OkStatus();
}

// The subject alternative names in the library's form; they point into this object.
class AlternativeNames {
 public:
  absl::Status Add(const CertificateRequest& request) {
    for (const std::string& name : request.dns_names) {
      AddEntry(MBEDTLS_X509_SAN_DNS_NAME, std::vector<unsigned char>(name.begin(), name.end()));
    }
    for (const std::string& uri : request.uris) {
      AddEntry(MBEDTLS_X509_SAN_UNIFORM_RESOURCE_IDENTIFIER,
               std::vector<unsigned char>(uri.begin(), uri.end()));
    }
    for (const std::string& address : request.ip_addresses) {
      unsigned char bytes[16];
      if (inet_pton(AF_INET, address.c_str(), bytes) == 1) {
        AddEntry(MBEDTLS_X509_SAN_IP_ADDRESS, {bytes, bytes + 4});
      } else if (inet_pton(AF_INET6, address.c_str(), bytes) == 1) {
        AddEntry(MBEDTLS_X509_SAN_IP_ADDRESS, {bytes, bytes + 16});
      } else {
        return Refuse(fmt::format("\"{}\" is not an IP address", address),
                      "write it as 192.0.2.1 or 2001:db8::1; host names are DNS names");
      }
    }
    return absl::OkStatus();
  }
  const mbedtls_x509_san_list* list() const { return nodes_.empty() ? nullptr : &nodes_.front(); }

 private:
  void AddEntry(int type, std::vector<unsigned char> bytes) {
    values_.push_back(std::move(bytes));
    // The library writes its list from the back to the front.
    mbedtls_x509_san_list node = {};
    node.node.type = type;
    node.node.san.unstructured_name.p = values_.back().data();
    node.node.san.unstructured_name.len = values_.back().size();
    node.next = nodes_.empty() ? nullptr : &nodes_.front();
    nodes_.push_front(node);
  }

  std::list<std::vector<unsigned char>> values_;
  std::list<mbedtls_x509_san_list> nodes_;
};

int SetExtensions(mbedtls_x509write_cert* writer, const CertificateRequest& request, bool is_ca,
                  const AlternativeNames& names) {
  int result = mbedtls_x509write_crt_set_basic_constraints(
      writer, is_ca, is_ca ? request.max_intermediates.value_or(-1) : -1);
  if (result == 0) result = mbedtls_x509write_crt_set_subject_key_identifier(writer);
  if (result == 0) result = mbedtls_x509write_crt_set_authority_key_identifier(writer);
  if (result != 0) return result;
  if (is_ca) {
    return mbedtls_x509write_crt_set_key_usage(
        writer, MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN);
  }
  // RSA key exchange of TLS 1.2 encrypts with the key.
  result = mbedtls_x509write_crt_set_key_usage(
      writer, MBEDTLS_X509_KU_DIGITAL_SIGNATURE |
                  (request.key_type == KeyType::kRsa2048 ? MBEDTLS_X509_KU_KEY_ENCIPHERMENT : 0));
  if (result != 0) return result;
  auto purpose = [](const char* oid, size_t size, const mbedtls_asn1_sequence* next) {
    mbedtls_asn1_sequence entry = {};
    entry.buf.tag = MBEDTLS_ASN1_OID;
    entry.buf.p = reinterpret_cast<unsigned char*>(const_cast<char*>(oid));
    entry.buf.len = size;
    entry.next = const_cast<mbedtls_asn1_sequence*>(next);
    return entry;
  };
  const mbedtls_asn1_sequence client =
      purpose(MBEDTLS_OID_CLIENT_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH), nullptr);
  const mbedtls_asn1_sequence server =
      purpose(MBEDTLS_OID_SERVER_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH), &client);
  result = mbedtls_x509write_crt_set_ext_key_usage(writer, &server);
  if (result == 0 && names.list()) {
    result = mbedtls_x509write_crt_set_subject_alternative_name(writer, names.list());
  }
  return result;
}

std::string X509Time(CertificateTime time) {
  return fmt::format("{:%Y%m%d%H%M%S}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

// The subject of `issuer` in the syntax that the writer takes; empty when there is none.
std::string SubjectOf(const mbedtls_x509_crt& issuer) {
  std::vector<char> text(4096);
  const int size = mbedtls_x509_dn_gets(text.data(), text.size(), &issuer.subject);
  return size > 0 ? std::string(text.data(), size) : "";
}

// `issuer` is null when the certificate signs itself.
absl::StatusOr<IssuedCertificate> Issue(const CertificateRequest& request, bool is_ca,
                                        Issuer* issuer) {
  RETURN_IF_ERROR(CheckRequest(request));
  RETURN_IF_ERROR(StartCrypto());
  AlternativeNames names;
  RETURN_IF_ERROR(names.Add(request));
  Key key;
  RETURN_IF_ERROR(MakeKey(request.key_type, key));

  Writer writer;
  mbedtls_x509write_cert* context = &writer.context;
  const std::string subject = CommonName(request.common_name);
  const std::string from = issuer ? SubjectOf(issuer->certificate.context) : subject;
  std::array<unsigned char, 16> serial;
  base::RandomBytes(serial.data(), serial.size());
  serial[0] = (serial[0] & 0x7f) | 0x40;  // positive, and always of the same length
  mbedtls_x509write_crt_set_version(context, MBEDTLS_X509_CRT_VERSION_3);
  mbedtls_x509write_crt_set_md_alg(context, MBEDTLS_MD_SHA256);
  mbedtls_x509write_crt_set_subject_key(context, &key.context);
  mbedtls_x509write_crt_set_issuer_key(context, issuer ? &issuer->key.context : &key.context);
  int result = mbedtls_x509write_crt_set_serial_raw(context, serial.data(), serial.size());
  if (result == 0) result = mbedtls_x509write_crt_set_subject_name(context, subject.c_str());
  if (result == 0) result = mbedtls_x509write_crt_set_issuer_name(context, from.c_str());
  if (result == 0) {
    result =
        mbedtls_x509write_crt_set_validity(context, X509Time(request.validity.not_before).c_str(),
                                           X509Time(request.validity.not_after).c_str());
  }
  if (result == 0) result = SetExtensions(context, request, is_ca, names);
  std::vector<unsigned char> buffer(kMaxPem);
  if (result == 0) {
    result = mbedtls_x509write_crt_pem(context, buffer.data(), buffer.size(), Random, nullptr);
  }
  if (result != 0) return LibraryError("cannot write a certificate", result);
  IssuedCertificate issued;
  issued.cert_pem = reinterpret_cast<const char*>(buffer.data());

  result = mbedtls_pk_write_key_pem(&key.context, buffer.data(), buffer.size());
  if (result == 0) {
    issued.key_pem = base::Secret(reinterpret_cast<const char*>(buffer.data()));
  }
  base::Wipe(buffer.data(), buffer.size());
  if (result != 0) return LibraryError("cannot write a private key", result);
  return issued;
}

// Chains are found by the bytes of names: an authority of another maker may have its name in a
// form that the writer does not reproduce.
absl::Status CheckChain(const Issuer& issuer, const IssuedCertificate& issued) {
  Certificate made;
  if (!ParsePem(issued.cert_pem, made)) {
    return base::Error(absl::StatusCode::kInternal, "cannot read the certificate just made");
  }
  const mbedtls_x509_buf& is = made.context.issuer_raw;
  const mbedtls_x509_buf& wanted = issuer.certificate.context.subject_raw;
  if (is.len == wanted.len && std::memcmp(is.p, wanted.p, is.len) == 0) return absl::OkStatus();
  return Refuse("the authority's name is in a form that cannot be copied",
                "use an authority that this program made");
}

absl::StatusOr<IssuedCertificate> IssueBelow(const IssuedCertificate& authority,
                                             const CertificateRequest& request, bool is_ca) {
  RETURN_IF_ERROR(StartCrypto());
  Issuer issuer;
  RETURN_IF_ERROR(ReadIssuer(authority, issuer));
  ASSIGN_OR_RETURN(IssuedCertificate issued, Issue(request, is_ca, &issuer));
  RETURN_IF_ERROR(CheckChain(issuer, issued));
  return issued;
}

}  // namespace

Validity ValidFor(std::chrono::days days, CertificateTime now) {
  return {.not_before = now - std::chrono::hours(1), .not_after = now + days};
}

void AddHost(CertificateRequest& request, const std::string& host) {
  request.dns_names.push_back(host);
  unsigned char ignored[16];
  if (inet_pton(AF_INET, host.c_str(), ignored) == 1 ||
      inet_pton(AF_INET6, host.c_str(), ignored) == 1) {
    request.ip_addresses.push_back(host);
  }
}

absl::StatusOr<IssuedCertificate> IssueAuthority(const CertificateRequest& request) {
  return Issue(request, true, nullptr);
}

absl::StatusOr<IssuedCertificate> IssueIntermediate(const IssuedCertificate& authority,
                                                    const CertificateRequest& request) {
  return IssueBelow(authority, request, true);
}

absl::StatusOr<IssuedCertificate> IssueNode(const IssuedCertificate& authority,
                                            const CertificateRequest& request) {
  return IssueBelow(authority, request, false);
}

absl::Status CheckIssuedBy(const std::string& authority_pem, const std::string& cert_pem) {
  RETURN_IF_ERROR(StartCrypto());
  Certificate authority, certificate;
  const bool is_readable = ParsePem(authority_pem, authority) && ParsePem(cert_pem, certificate);
  uint32_t flags = 0;
  if (is_readable) {
    mbedtls_x509_crt_verify(&certificate.context, &authority.context, nullptr, nullptr, &flags,
                            nullptr, nullptr);
    flags &= ~uint32_t{MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE};
    if (flags == 0) return absl::OkStatus();
  }
  return base::Error(absl::StatusCode::kUnauthenticated,
                     is_readable ? "the certificate is not signed by the authority"
                                 : "the certificate or its authority cannot be read",
                     "have it issued by the authority",
                     is_readable ? "unknown_ca" : "bad_certificate");
}

}  // namespace noded::tls
