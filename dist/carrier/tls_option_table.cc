#include "dist/carrier/tls_option_table.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "fmt/format.h"

#include "base/status.h"
#include "dist/carrier/tls_option_values.h"
#include "dist/term_text.h"

namespace noded::dist {
namespace {

using enum TlsOptionUse;
using Call = TlsOptionCall;

absl::Status ApplyCertfile(const Call& call, const Term& value) {
  return TakePath(call, value, call.options.identity.certfile);
}
absl::Status ApplyKeyfile(const Call& call, const Term& value) {
  return TakePath(call, value, call.options.identity.keyfile);
}
absl::Status ApplyCacertfile(const Call& call, const Term& value) {
  return TakePath(call, value, call.options.trust.cacertfile);
}
absl::Status ApplyDhfile(const Call& call, const Term& value) {
  return TakePath(call, value, call.options.ciphers.dhfile);
}

absl::Status ApplyPassword(const Call& call, const Term& value) {
  std::optional<std::string> text = value.AsText();
  if (!text) return call.WrongValue(value, "text (a function is not supported)");
  call.options.identity.password = base::Secret(*text);
  base::Wipe(text->data(), text->size());
  return absl::OkStatus();
}

absl::Status ApplyCert(const Call& call, const Term& value) {
  return TakeCertificates(call, value, call.options.identity.certs);
}
absl::Status ApplyCacerts(const Call& call, const Term& value) {
  return TakeCertificates(call, value, call.options.trust.cacerts);
}
absl::Status ApplyKey(const Call& call, const Term& value) {
  return TakeKey(call, value, call.options.identity.key);
}

// A list of maps with certificate and key; one of them is supported.
absl::Status ApplyCertsKeys(const Call& call, const Term& value) {
  const auto maps = value.list();
  if (!value.is_proper_list() || maps.empty() || !maps[0].is_map()) {
    return call.WrongValue(value, "a list of maps such as #{certfile => \"node.pem\"}");
  }
  if (maps.size() > 1) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("{}: {} certificates are given, and choosing among several is "
                                   "not supported yet",
                                   call.Where(), maps.size()),
                       "give the one that all peers accept", "options");
  }
  for (const MapEntry& entry : maps[0].map()) {
    const std::string_view key = entry.key.atom();
    constexpr std::array<std::string_view, 5> kKeys = {"cert", "key", "certfile", "keyfile",
                                                       "password"};
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      return call.WrongValue(entry.key, "one of the keys cert, key, certfile, keyfile, password");
    }
    const Call part{call.role, key, call.origin, call.options};
    RETURN_IF_ERROR(FindTlsOption(key)->apply(part, entry.value));
  }
  return absl::OkStatus();
}

absl::Status ApplyVerify(const Call& call, const Term& value) {
  if (value.IsAtom("verify_peer")) {
    call.options.trust.verify = tls::Verify::kPeer;
  } else if (value.IsAtom("verify_none")) {
    call.options.trust.verify = tls::Verify::kNone;
  } else {
    return call.WrongValue(value, "verify_peer or verify_none");
  }
  return absl::OkStatus();
}

absl::Status ApplyFailIfNoPeerCert(const Call& call, const Term& value) {
  return TakeBool(call, value, call.options.trust.fail_if_no_peer_cert);
}

absl::Status ApplyDepth(const Call& call, const Term& value) {
  const std::optional<int64_t> depth = value.AsInt();
  if (!depth || *depth < 0 || *depth > 255) {
    return call.WrongValue(value, "the number of intermediate certificates allowed, 0 to 255");
  }
  call.options.trust.depth = static_cast<int>(*depth);
  return absl::OkStatus();
}

absl::Status ApplyServerNameIndication(const Call& call, const Term& value) {
  tls::Trust& trust = call.options.trust;
  if (value.IsAtom("disable")) {
    trust.name_check = tls::NameCheck::kDisabled;
    trust.server_name.clear();
    return absl::OkStatus();
  }
  const std::optional<std::string> name = value.AsText();
  if (!name || name->empty()) return call.WrongValue(value, "a host name or disable");
  trust.name_check = tls::NameCheck::kGiven;
  trust.server_name = *name;
  return absl::OkStatus();
}

absl::Status ApplyHonorCipherOrder(const Call& call, const Term& value) {
  return TakeBool(call, value, call.options.ciphers.honor_cipher_order);
}
absl::Status ApplyCiphers(const Call& call, const Term& value) {
  return TakeCiphers(call, value, call.options.ciphers.suites);
}
absl::Status ApplyGroups(const Call& call, const Term& value) {
  return TakeGroups(call, value, call.options.ciphers.groups);
}
absl::Status ApplySignatureAlgorithms(const Call& call, const Term& value) {
  return TakeSignatureAlgorithms(call, value, call.options.ciphers.signature_algorithms);
}

absl::Status ApplySecureRenegotiate(const Call& call, const Term& value) {
  return TakeBool(call, value, call.options.renegotiation.secure_renegotiate);
}
absl::Status ApplyClientRenegotiation(const Call& call, const Term& value) {
  return TakeBool(call, value, call.options.renegotiation.client_renegotiation);
}
absl::Status ApplyReuseSessions(const Call& call, const Term& value) {
  if (value.IsAtom("save") && call.role == tls::Role::kClient) {
    call.options.sessions.reuse_sessions = true;
    return absl::OkStatus();
  }
  return TakeBool(call, value, call.options.sessions.reuse_sessions);
}

absl::Status ApplyAlpn(const Call& call, const Term& value) {
  std::vector<std::string> protocols;
  for (const Term& element : value.list()) {
    const std::optional<std::string> protocol = element.AsText();
    if (!protocol || protocol->empty() || protocol->size() > 255) {
      return call.WrongValue(element, "the name of a protocol, 1 to 255 bytes, as in <<\"h2\">>");
    }
    protocols.push_back(*protocol);
  }
  if (!value.is_proper_list() || protocols.empty()) {
    return call.WrongValue(value, "a list of protocols such as [<<\"h2\">>]");
  }
  call.options.alpn.protocols = std::move(protocols);
  return absl::OkStatus();
}

constexpr TlsOptionEntry Both(std::string_view name, PairForm form,
                              decltype(&ApplyCertfile) apply) {
  return {name, kApplied, form, apply};
}
constexpr TlsOptionEntry Server(std::string_view name, PairForm form,
                                decltype(&ApplyCertfile) apply) {
  return {name, kApplied, form, apply, "", true, false};
}
constexpr TlsOptionEntry Client(std::string_view name, PairForm form,
                                decltype(&ApplyCertfile) apply) {
  return {name, kApplied, form, apply, "", false, true};
}
constexpr TlsOptionEntry Later(std::string_view name, std::string_view off = "") {
  return {name, kLater, PairForm::kTerm, nullptr, off};
}
constexpr TlsOptionEntry NoEffect(std::string_view name) {
  return {name, kNoEffect, PairForm::kTerm, nullptr};
}
constexpr TlsOptionEntry Never(std::string_view name, std::string_view why) {
  return {name, kRefused, PairForm::kTerm, nullptr, why};
}

constexpr std::string_view kSocketOption =
    "is an option of sockets, which the node sets by itself; remove it";

constexpr TlsOptionEntry kOptions[] = {
    Both("certfile", PairForm::kText, ApplyCertfile),
    Both("keyfile", PairForm::kText, ApplyKeyfile),
    Both("password", PairForm::kText, ApplyPassword),
    Both("cacertfile", PairForm::kText, ApplyCacertfile),
    Both("cacerts", PairForm::kTerm, ApplyCacerts),
    Both("cert", PairForm::kTerm, ApplyCert),
    Both("key", PairForm::kTerm, ApplyKey),
    Both("certs_keys", PairForm::kTerm, ApplyCertsKeys),
    Both("verify", PairForm::kAtom, ApplyVerify),
    Server("fail_if_no_peer_cert", PairForm::kAtom, ApplyFailIfNoPeerCert),
    Both("depth", PairForm::kInteger, ApplyDepth),
    Both("versions", PairForm::kAtomList, ApplyVersions),
    Both("ciphers", PairForm::kText, ApplyCiphers),
    Server("honor_cipher_order", PairForm::kAtom, ApplyHonorCipherOrder),
    Both("eccs", PairForm::kAtomList, ApplyGroups),
    Both("supported_groups", PairForm::kAtomList, ApplyGroups),
    Both("signature_algs", PairForm::kTerm, ApplySignatureAlgorithms),
    Server("dhfile", PairForm::kText, ApplyDhfile),
    Both("secure_renegotiate", PairForm::kAtom, ApplySecureRenegotiate),
    Server("client_renegotiation", PairForm::kAtom, ApplyClientRenegotiation),
    Both("reuse_sessions", PairForm::kAtom, ApplyReuseSessions),
    Client("server_name_indication", PairForm::kText, ApplyServerNameIndication),
    Client("alpn_advertised_protocols", PairForm::kTerm, ApplyAlpn),
    Server("alpn_preferred_protocols", PairForm::kTerm, ApplyAlpn),

    Later("allow_any_ca_purpose", "false"),
    Later("anti_replay", "undefined"),
    Later("cert_policy_opts", "[]"),
    Later("certificate_authorities", "false"),
    Later("client_preferred_next_protocols", "undefined"),
    Later("cookie", "false"),
    Later("crl_cache"),
    Later("crl_check", "false"),
    Later("customize_hostname_check", "[]"),
    Later("dh", "undefined"),
    Later("early_data", "disabled undefined"),
    Later("handshake", "full"),
    Later("honor_ecc_order", "false"),
    Later("key_update_at"),
    Later("ktls", "false"),
    Later("max_fragment_length", "undefined"),
    Later("middlebox_comp_mode", "true"),
    Later("next_protocols_advertised", "undefined"),
    Later("ocsp_nonce", "true"),
    Later("ocsp_responder_certs", "[]"),
    Later("ocsp_stapling", "false"),
    Later("partial_chain"),
    Later("psk_identity", "undefined"),
    Later("renegotiate_at"),
    Later("reuse_session", "undefined"),
    Later("session_tickets", "disabled"),
    Later("signature_algs_cert", "undefined"),
    Later("sni_fun", "undefined"),
    Later("sni_hosts", "[]"),
    Later("srp_identity", "undefined"),
    Later("stapling", "no_staple"),
    Later("use_ticket", "undefined"),
    Later("user_lookup_fun", "undefined"),
    Later("verify_fun", "undefined"),

    // Of Erlang processes, of OTP's own log, of versions before TLS 1.2.
    NoEffect("beast_mitigation"),
    NoEffect("erl_dist"),
    NoEffect("fallback"),
    NoEffect("hibernate_after"),
    NoEffect("log_alert"),
    NoEffect("log_level"),
    NoEffect("max_handshake_size"),
    NoEffect("padding_check"),
    NoEffect("receiver_spawn_opts"),
    NoEffect("sender_spawn_opts"),
    NoEffect("spawn_opts"),

    Never("cb_info", "names an Erlang module; use -proto_dist to choose a carrier"),
    Never("handshake_timeout", "is no option of ssl; write -kernel net_setuptime SECONDS"),
    Never("keep_secrets", "would keep keys in memory; remove it"),
    Never("protocol", "is for datagrams, and distribution runs over TLS; remove it"),
    Never("active", kSocketOption),
    Never("backlog", kSocketOption),
    Never("buffer", kSocketOption),
    Never("ifaddr", kSocketOption),
    Never("inet", kSocketOption),
    Never("inet6", kSocketOption),
    Never("ip", kSocketOption),
    Never("keepalive", kSocketOption),
    Never("mode", kSocketOption),
    Never("nodelay", kSocketOption),
    Never("packet", kSocketOption),
    Never("priority", kSocketOption),
    Never("recbuf", kSocketOption),
    Never("reuseaddr", kSocketOption),
    Never("sndbuf", kSocketOption),
    Never("tos", kSocketOption),
};

}  // namespace

std::string TlsOptionCall::Where() const {
  return fmt::format("option {}_{} ({})", tls::RoleName(role), name, origin);
}

absl::Status TlsOptionCall::WrongValue(const Term& value, std::string_view expected) const {
  std::string found = "a value of another kind";
  if (!IsSecretTlsOption(name)) {
    found = PrintTerm(value);
    if (found.size() > 80) found = found.substr(0, 77) + "...";
  }
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("{}: found {}", Where(), found),
                     fmt::format("expected is {}", expected), "options");
}

std::span<const TlsOptionEntry> AllTlsOptions() { return kOptions; }

const TlsOptionEntry* FindTlsOption(std::string_view name) {
  for (const TlsOptionEntry& entry : kOptions) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

bool IsSecretTlsOption(std::string_view name) {
  return name == "password" || name == "key" || name == "certs_keys" || name == "srp_identity" ||
         name == "user_lookup_fun" || name == "psk_identity";
}

}  // namespace noded::dist
