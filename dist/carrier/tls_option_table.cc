#include "dist/carrier/tls_option_table.h"

#include "fmt/format.h"

#include "base/status.h"
#include "dist/carrier/tls_option_apply.h"
#include "dist/term_text.h"

namespace noded::dist {
namespace {

using enum TlsOptionUse;

constexpr TlsOptionEntry Both(std::string_view name, PairForm form, TlsOptionFunction* apply) {
  return {name, kApplied, form, apply};
}
constexpr TlsOptionEntry Server(std::string_view name, PairForm form, TlsOptionFunction* apply) {
  return {name, kApplied, form, apply, "", "", true, false};
}
constexpr TlsOptionEntry Client(std::string_view name, PairForm form, TlsOptionFunction* apply) {
  return {name, kApplied, form, apply, "", "", false, true};
}
constexpr TlsOptionEntry NoEffect(std::string_view name) {
  return {name, kNoEffect, PairForm::kTerm, nullptr};
}
constexpr TlsOptionEntry Never(std::string_view name, std::string_view why,
                               std::string_view off = "") {
  return {name, kRefused, PairForm::kTerm, nullptr, off, why};
}
// tls/refused.h has the reason.
constexpr TlsOptionEntry Gone(std::string_view name, std::string_view off) {
  return {name, kRefused, PairForm::kTerm, nullptr, off};
}

constexpr std::string_view kSocketOption =
    "is an option of sockets, which the node sets by itself; remove it";
constexpr std::string_view kEarlyData =
    "is for early data (0-RTT), which a peer can be made to take twice (RFC 8446 8); remove it";

constexpr std::string_view kOcsp =
    "is about answers of OCSP, which is not spoken here; have lists looked at (crl_check), or "
    "issue "
    "certificates for a short time, and remove it";

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
    Both("verify_fun", PairForm::kTerm, ApplyVerifyFun),
    Both("partial_chain", PairForm::kTerm, ApplyPartialChain),
    Both("crl_check", PairForm::kAtom, ApplyCrlCheck),
    Both("crl_cache", PairForm::kTerm, ApplyCrlCache),
    Both("versions", PairForm::kAtomList, ApplyVersions),
    Both("ciphers", PairForm::kText, ApplyCiphers),
    Server("honor_cipher_order", PairForm::kAtom, ApplyHonorCipherOrder),
    Both("eccs", PairForm::kAtomList, ApplyGroups),
    Both("supported_groups", PairForm::kAtomList, ApplyGroups),
    Both("signature_algs", PairForm::kTerm, ApplySignatureAlgorithms),
    Both("signature_algs_cert", PairForm::kTerm, ApplyCertificateSignatureAlgorithms),
    Server("dhfile", PairForm::kText, ApplyDhfile),
    Server("dh", PairForm::kTerm, ApplyDh),
    Both("secure_renegotiate", PairForm::kAtom, ApplySecureRenegotiate),
    Server("client_renegotiation", PairForm::kAtom, ApplyClientRenegotiation),
    Both("reuse_sessions", PairForm::kAtom, ApplyReuseSessions),
    Both("reuse_session", PairForm::kTerm, ApplyReuseSession),
    Both("session_tickets", PairForm::kAtom, ApplySessionTickets),
    Client("server_name_indication", PairForm::kText, ApplyServerNameIndication),
    Client("alpn_advertised_protocols", PairForm::kTerm, ApplyAlpn),
    Server("alpn_preferred_protocols", PairForm::kTerm, ApplyAlpn),
    Server("sni_hosts", PairForm::kTerm, ApplySniHosts),
    Server("sni_fun", PairForm::kTerm, ApplySniFun),
    Both("psk_identity", PairForm::kText, ApplyPskIdentity),
    Both("key_update_at", PairForm::kInteger, ApplyKeyUpdateAt),
    Both("renegotiate_at", PairForm::kInteger, ApplyRenegotiateAt),
    Client("max_fragment_length", PairForm::kTerm, ApplyMaxFragmentLength),
    Both("hibernate_after", PairForm::kTerm, ApplyHibernateAfter),
    Both("log_alert", PairForm::kAtom, ApplyLogAlert),
    Both("keylog", PairForm::kText, ApplyKeylog),
    Both("user_lookup_fun", PairForm::kTerm, ApplyUserLookupFun),

    // Of Erlang processes, and the level within OTP's own log.
    NoEffect("erl_dist"),
    NoEffect("log_level"),
    NoEffect("max_handshake_size"),
    NoEffect("receiver_spawn_opts"),
    NoEffect("sender_spawn_opts"),
    NoEffect("spawn_opts"),

    Gone("beast_mitigation", ""),
    Gone("client_preferred_next_protocols", "undefined"),
    Gone("compression", ""),
    Gone("fallback", "false"),
    Gone("next_protocols_advertised", "undefined"),
    Gone("padding_check", "true"),
    Gone("srp_identity", "undefined"),
    Never(
        "allow_any_ca_purpose",
        "would let the certificate of an authority pass whatever it was issued for; issue it with "
        "the right purpose and remove the option, or set it to false",
        "false"),
    Never("cert_policy_opts",
          "is about policies, which chains are not judged by (RFC 5280 6.1.2); look at them in a "
          "verify_fun and remove the option, or set it to []",
          "[]"),
    Never("certificate_authorities",
          "would name our authorities in a client's hello; a server's request for a certificate "
          "names them anyway; remove it, or set it to false",
          "false"),
    Never(
        "cookie",
        "is for servers that keep no state between two hellos (RFC 8446 4.2.2), and this one does; "
        "remove it, or set it to false",
        "false"),
    Never("customize_hostname_check",
          "takes a function that matches names; give the name that the certificate has as "
          "server_name_indication and remove it, or set it to []",
          "[]"),
    Never("honor_ecc_order",
          "cannot be chosen: in TLS 1.2 the order of our groups decides, in TLS 1.3 the client's "
          "first key share; remove it, or set it to false",
          "false"),
    Never("ktls",
          "would hand the keys to the kernel, and they change while a connection lives (RFC 8446 "
          "4.6.3); remove it, or set it to false",
          "false"),
    Never("ocsp_nonce", kOcsp, "true"),
    Never("ocsp_responder_certs", kOcsp, "[]"),
    Never("ocsp_stapling", kOcsp, "false"),
    Never("stapling", kOcsp, "no_staple"),
    Never("anti_replay", kEarlyData, "undefined"),
    Never("early_data", kEarlyData, "disabled undefined"),
    Never("handshake", "stops for a program's decision, and distribution makes none; remove it",
          "full"),
    Never("middlebox_comp_mode",
          "cannot be switched off: TLS 1.3 always looks like TLS 1.2 to middleboxes (RFC 8446 D.4)",
          "true"),
    Never("use_ticket", "names a ticket that a program was given; write reuse_sessions",
          "undefined"),
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
