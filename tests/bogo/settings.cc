#include "tests/bogo/settings.h"

#include <algorithm>
#include <any>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fmt/format.h"

#include "base/byte_reader.h"
#include "base/bytes.h"
#include "base/status.h"
#include "tls/ciphers.h"
#include "tls/psk.h"
#include "tls/verify_fun.h"

namespace noded::bogo {
namespace {

constexpr int kTls10 = 0x0301, kTls11 = 0x0302, kTls12 = 0x0303, kTls13 = 0x0304;

std::string NameIn(std::span<const tls::NamedNumber> table, int number) {
  for (const tls::NamedNumber& entry : table) {
    if (entry.id == number) return entry.name;
  }
  return "";
}

absl::StatusOr<std::vector<std::string>> Names(const std::vector<int>& numbers,
                                               std::string (*name_of)(int), const char* what) {
  std::vector<std::string> names;
  for (int number : numbers) {
    std::string name = name_of(number);
    if (name.empty()) {
      return absl::UnimplementedError(fmt::format("no {} has the number {}", what, number));
    }
    names.push_back(std::move(name));
  }
  return names;
}

absl::StatusOr<tls::Versions> ToVersions(const ConnectionFlags& flags) {
  auto is_on = [&](int version, bool is_off) {
    return !is_off && version >= flags.min_version &&
           (flags.max_version == 0 || version <= flags.max_version);
  };
  tls::Versions versions{.tls12 = is_on(kTls12, flags.no_tls12),
                         .tls13 = is_on(kTls13, flags.no_tls13)};
  if (versions.tls12 || versions.tls13) return versions;
  const bool is_old = is_on(kTls10, flags.no_tls1) || is_on(kTls11, flags.no_tls11);
  return absl::UnimplementedError(is_old ? "only versions before TLS 1.2 are asked for"
                                         : "no version of TLS is asked for");
}

// Exact names, "ALL" and "DEFAULT"; OpenSSL's other words are a language of their own. Suites of
// TLS 1.3 are always there, as the runner expects.
absl::StatusOr<std::vector<std::string>> ToSuites(std::string_view list, bool has_psk) {
  std::vector<std::string> suites;
  for (const tls::CipherSuite& suite : tls::AllCipherSuites()) {
    const bool is_default = suite.use == tls::CipherSuite::Use::kDefault;
    if (suite.version == tls::Version::kTls13 && is_default) suites.push_back(suite.iana);
  }
  if (list.empty()) list = "ALL";
  while (!list.empty()) {
    const size_t end = std::min(list.find(':'), list.size());
    const std::string_view word = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    if (word == "ALL" || word == "DEFAULT") {
      for (const tls::CipherSuite& suite : tls::AllCipherSuites()) {
        const bool is_tls12 = suite.version == tls::Version::kTls12;
        if (is_tls12 && (has_psk || !suite.is_psk())) suites.push_back(suite.iana);
      }
    } else if (const tls::CipherSuite* suite = tls::FindCipherSuite(word); suite != nullptr) {
      suites.push_back(suite->iana);
    } else {
      return absl::UnimplementedError(fmt::format("no cipher suite is called {}", word));
    }
  }
  return suites;
}

absl::Status SetCiphers(tls::Ciphers& ciphers, const ConnectionFlags& flags) {
  ASSIGN_OR_RETURN(ciphers.suites, ToSuites(flags.cipher, !flags.psk.empty()));
  ciphers.honor_cipher_order = flags.server_preference;
  ASSIGN_OR_RETURN(ciphers.groups, Names(flags.curves, GroupName, "group"));
  ASSIGN_OR_RETURN(auto signing, Names(flags.signing_prefs, SignatureName, "signature scheme"));
  ASSIGN_OR_RETURN(auto verify, Names(flags.verify_prefs, SignatureName, "signature scheme"));
  // One list serves both here: what we sign with and what we take.
  if (!signing.empty() && !verify.empty() && signing != verify) {
    return absl::UnimplementedError("signing and verifying have one list of schemes");
  }
  ciphers.signature_algorithms = verify.empty() ? std::move(signing) : std::move(verify);
  return absl::OkStatus();
}

absl::Status SetAlpn(tls::Alpn& alpn, const ConnectionFlags& flags) {
  if (!flags.is_server) {
    base::ByteReader in(base::AsBytes(flags.advertise_alpn));
    while (in.ok() && in.remaining() > 0) {
      alpn.protocols.push_back(base::ToString(in.Bytes(in.U8())));
    }
    return in.ok() ? absl::OkStatus() : absl::InvalidArgumentError("flag -advertise-alpn");
  }
  if (flags.decline_alpn) return absl::OkStatus();
  if (!flags.select_alpn.empty()) alpn.protocols = {flags.select_alpn};
  // One that nobody offers.
  if (flags.reject_alpn) alpn.protocols = {"noded-bogo-nothing"};
  return absl::OkStatus();
}

void SetTrust(tls::Trust& trust, const ConnectionFlags& flags) {
  const bool has_name = !flags.is_server && !flags.host_name.empty();
  trust.name_check = has_name ? tls::NameCheck::kGiven : tls::NameCheck::kDisabled;
  if (has_name) trust.server_name = flags.host_name;
  const bool is_checked = flags.verify_peer || flags.require_any_client_certificate;
  trust.verify = is_checked ? tls::Verify::kPeer : tls::Verify::kNone;
  trust.fail_if_no_peer_cert =
      flags.is_server && flags.require_any_client_certificate && !flags.verify_peer;
  // Without a root the runner shows no certificate; an anchor is wanted all the same.
  if (is_checked) trust.cacertfile = flags.trust_cert.empty() ? flags.cert_file : flags.trust_cert;
  if (!flags.verify_fail) return;
  // BoringSSL's older callback says no more than no, the newer one which alert.
  const char* reason = flags.use_custom_verify_callback ? "certificate_unknown" : "refused";
  trust.verify_fun = [reason](const tls::CertificateInfo&, const tls::VerifyEvent&, std::any) {
    return tls::VerifyAnswer::Fail(reason);
  };
}

}  // namespace

std::string GroupName(int number) { return NameIn(tls::AllGroups(), number); }
std::string SignatureName(int number) { return NameIn(tls::AllSignatureAlgorithms(), number); }

absl::StatusOr<tls::Options> ToOptions(const ConnectionFlags& flags) {
  tls::Options options;
  options.identity.certfile = flags.cert_file;
  options.identity.keyfile = flags.key_file;
  ASSIGN_OR_RETURN(options.versions, ToVersions(flags));
  RETURN_IF_ERROR(SetCiphers(options.ciphers, flags));
  RETURN_IF_ERROR(SetAlpn(options.alpn, flags));
  SetTrust(options.trust, flags);
  if (!flags.psk.empty()) {
    if (!flags.is_server && flags.psk_identity.empty()) {
      return absl::UnimplementedError("a client shows an identity of one byte or more");
    }
    options.psk.identity = flags.psk_identity;
    options.psk.lookup = tls::SamePskForAll(tls::Secret(flags.psk));
  }
  // What the runner expects of everybody: peers without RFC 5746 may connect, and a server lets no
  // client renegotiate.
  options.renegotiation.secure_renegotiate = false;
  options.renegotiation.client_renegotiation = false;
  return options;
}

}  // namespace noded::bogo
