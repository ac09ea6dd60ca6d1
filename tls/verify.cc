#include "tls/verify.h"

#include <arpa/inet.h>

#include <algorithm>

#include "fmt/format.h"
#include "mbedtls/oid.h"

#include "base/status.h"
#include "tls/frozen.h"
#include "tls/x509.h"

namespace noded::tls {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// A wildcard stands for one whole label, the left-most, and not for a top-level domain's children.
bool MatchesName(std::string_view pattern, std::string_view host) {
  if (pattern == host) return !pattern.empty();
  if (!pattern.starts_with("*.")) return false;
  const std::string_view rest = pattern.substr(1);  // ".example.org"
  if (rest.find('.', 1) == std::string_view::npos) return false;
  const size_t dot = host.find('.');
  return dot != 0 && dot != std::string_view::npos && host.substr(dot) == rest;
}

std::vector<uint8_t> AddressBytes(std::string_view host) {
  std::string text(host.substr(0, host.find('%')));
  std::vector<uint8_t> bytes(16);
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes.resize(4);
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return bytes;
  return {};
}

std::string NamesOf(const mbedtls_x509_crt& certificate) {
  const CertificateInfo info = Describe(certificate);
  constexpr size_t kMost = 8;
  std::vector<std::string> names;
  for (const std::string& name : info.dns_names) names.push_back(fmt::format("DNS:{}", name));
  for (const std::string& name : info.ip_addresses) names.push_back(fmt::format("IP:{}", name));
  if (names.empty() && AlternativeNames(certificate).empty()) {
    return fmt::format("no alternative names, subject {}", info.subject);
  }
  if (names.empty()) return "no DNS or IP names";
  const size_t count = names.size();
  if (count > kMost) names.resize(kMost);
  return fmt::format("{}{}", fmt::join(names, ", "),
                     count > kMost ? fmt::format(" and {} more", count - kMost) : "");
}

}  // namespace

bool IsLiteralAddress(std::string_view host) { return !AddressBytes(host).empty(); }

bool MatchesHost(const mbedtls_x509_crt& certificate, std::string_view host) {
  std::string name = Lower(host);
  if (name.ends_with('.')) name.pop_back();
  const std::vector<uint8_t> address = AddressBytes(name);
  const std::vector<AlternativeName> alternatives = AlternativeNames(certificate);
  for (const AlternativeName& alternative : alternatives) {
    const base::ByteView value = alternative.value;
    if (alternative.kind == AlternativeName::Kind::kDns) {
      const std::string pattern = Lower(base::AsText(value));
      if (address.empty() ? MatchesName(pattern, name) : pattern == name) return true;
    }
    if (alternative.kind == AlternativeName::Kind::kIp && !address.empty() &&
        std::equal(value.begin(), value.end(), address.begin(), address.end())) {
      return true;
    }
  }
  if (!alternatives.empty()) return false;
  for (const std::string& common_name : CommonNames(certificate)) {
    const std::string pattern = Lower(common_name);
    if (address.empty() ? MatchesName(pattern, name) : pattern == name) return true;
  }
  return false;
}

int ChainCheck::OnCertificate(void* self, mbedtls_x509_crt* certificate, int depth,
                              uint32_t* flags) {
  auto& check = *static_cast<ChainCheck*>(self);
  // One handshake verifies once; Reset() comes before a renegotiation.
  if (check.outcome_ != Outcome::kPending) return MBEDTLS_ERR_X509_FATAL_ERROR;
  check.chain_.push_back({certificate, depth, *flags});
  if (depth == 0) check.Judge();
  return 0;
}

void ChainCheck::Reset() {
  outcome_ = Outcome::kPending;
  status_ = absl::OkStatus();
}

void ChainCheck::Judge() {
  const mbedtls_x509_crt& peer = *chain_.back().certificate;
  bool is_good = true;
  for (const Seen& seen : chain_) is_good = is_good && JudgeOne(seen);
  is_good = is_good && JudgeDepth() && JudgePurpose(peer) && JudgeName(peer);
  outcome_ = is_good ? Outcome::kTrusted : Outcome::kRefused;
  chain_.clear();
}

bool ChainCheck::Refuse(Alert alert, std::string_view what, std::string_view mend) {
  alert_ = alert;
  status_ = base::Error(absl::StatusCode::kUnauthenticated, what, mend, AlertName(alert));
  return false;
}

bool ChainCheck::JudgeOne(const Seen& seen) {
  const mbedtls_x509_crt& certificate = *seen.certificate;
  const std::string which =
      seen.depth == 0 ? fmt::format("the {}'s certificate ({})",
                                    context_.role() == Role::kServer ? "client" : "server",
                                    NameText(certificate.subject))
                      : fmt::format("the CA certificate {}", NameText(certificate.subject));
  if ((seen.flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) return JudgeTrust(seen);
  if ((seen.flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0) {
    return Refuse(Alert::kCertificateExpired,
                  fmt::format("{} expired on {}", which, TimeText(certificate.valid_to)),
                  "renew it, and check the clock of this machine");
  }
  if ((seen.flags & MBEDTLS_X509_BADCERT_FUTURE) != 0) {
    return Refuse(
        Alert::kCertificateExpired,
        fmt::format("{} is valid only from {} on", which, TimeText(certificate.valid_from)),
        "check the clocks of both machines");
  }
  if ((seen.flags & MBEDTLS_X509_BADCERT_REVOKED) != 0) {
    return Refuse(Alert::kCertificateRevoked, fmt::format("{} was revoked", which),
                  "issue a new one");
  }
  if ((seen.flags & MBEDTLS_X509_BADCERT_BAD_MD) != 0) {
    return Refuse(Alert::kBadCertificate,
                  fmt::format("{} is signed over a digest that is too weak (SHA-1 or MD5)", which),
                  "issue it anew with SHA-256");
  }
  if ((seen.flags & (MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY)) != 0) {
    return Refuse(Alert::kUnsupportedCertificate,
                  fmt::format("{}, or its issuer, has too weak a key", which),
                  "use RSA with 2048 bits or more, or secp256r1, secp384r1 or secp521r1");
  }
  // The name and the key usage are judged below, by OTP's rules.
  constexpr uint32_t kJudgedElsewhere = MBEDTLS_X509_BADCERT_CN_MISMATCH |
                                        MBEDTLS_X509_BADCERT_KEY_USAGE |
                                        MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
  if ((seen.flags & ~kJudgedElsewhere) != 0) {
    return Refuse(Alert::kCertificateUnknown,
                  fmt::format("{} is not acceptable (mbedTLS flags 0x{:x})", which, seen.flags),
                  "issue a new one");
  }
  return true;
}

bool ChainCheck::JudgeTrust(const Seen& seen) {
  const mbedtls_x509_crt& certificate = *seen.certificate;
  const Credentials& credentials = *context_.frozen().credentials;
  const std::string subject = NameText(certificate.subject);
  const std::string option =
      fmt::format("{}_cacertfile", context_.role() == Role::kServer ? "server" : "client");
  if (seen.depth == 0 && IsSelfIssued(certificate)) {
    return Refuse(Alert::kBadCertificate,
                  fmt::format("the peer's certificate ({}) is self-signed and not among the trust "
                              "anchors in {}",
                              subject, credentials.anchors_origin()),
                  "give the peer a certificate of your CA");
  }
  for (const mbedtls_x509_crt* anchor = credentials.anchors(); anchor != nullptr;
       anchor = anchor->next) {
    if (anchor->raw.p == nullptr || !IsSameName(anchor->subject_raw, certificate.issuer_raw)) {
      continue;
    }
    return Refuse(
        Alert::kUnknownCa,
        fmt::format("certificate {} was not signed with the key of the trust anchor {} in {}, "
                    "though it names it as its issuer",
                    subject, NameText(anchor->subject), credentials.anchors_origin()),
        fmt::format("the CA was made anew, or may not sign: issue the certificate again, or update "
                    "{}",
                    option));
  }
  return Refuse(Alert::kUnknownCa,
                fmt::format("no trust anchor in {} issued certificate {}; its issuer is {}",
                            credentials.anchors_origin(), subject, NameText(certificate.issuer)),
                fmt::format("add that CA to {}, have the peer send its intermediate certificates, "
                            "or give the peer a certificate of your CA",
                            option));
}

bool ChainCheck::JudgeDepth() {
  // The top is the trust anchor, the end the peer itself.
  const int intermediates = static_cast<int>(chain_.size()) - 2;
  const int depth = context_.options().trust.depth;
  if (intermediates <= depth) return true;
  return Refuse(Alert::kBadCertificate,
                fmt::format("the peer's chain has {} intermediate certificates, {} are allowed",
                            intermediates, depth),
                fmt::format("raise {}_depth, or use a shorter chain", RoleName(context_.role())));
}

bool ChainCheck::JudgePurpose(const mbedtls_x509_crt& peer) {
  const bool is_server = context_.role() == Role::kServer;
  const char* oid = is_server ? MBEDTLS_OID_CLIENT_AUTH : MBEDTLS_OID_SERVER_AUTH;
  const size_t size = is_server ? MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)
                                : MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH);
  if (mbedtls_x509_crt_check_extended_key_usage(&peer, oid, size) == 0) return true;
  return Refuse(Alert::kUnsupportedCertificate,
                fmt::format("the extended key usage of the peer's certificate ({}) lacks {}",
                            NameText(peer.subject), is_server ? "clientAuth" : "serverAuth"),
                "issue it for serverAuth and clientAuth: a node is both");
}

bool ChainCheck::JudgeName(const mbedtls_x509_crt& peer) {
  if (expected_name_.empty() || MatchesHost(peer, expected_name_)) return true;
  return Refuse(
      Alert::kHandshakeFailure,
      fmt::format("the server's certificate ({}) is for another host: it has {}, expected {}",
                  NameText(peer.subject), NamesOf(peer), expected_name_),
      fmt::format("issue it with the alternative name {}:{}, or set "
                  "client_server_name_indication to a name that it has",
                  IsLiteralAddress(expected_name_) ? "IP" : "DNS", expected_name_));
}

}  // namespace noded::tls
