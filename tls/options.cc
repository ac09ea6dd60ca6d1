#include "tls/options.h"

#include "fmt/format.h"

#include "base/status.h"
#include "tls/ciphers.h"
#include "tls/refused.h"

namespace noded::tls {
namespace {

absl::Status Refuse(Role role, std::string_view option, std::string_view what,
                    std::string_view mend) {
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("option {}_{}: {}", RoleName(role), option, what), mend,
                     "options");
}

absl::Status ValidateIdentity(const Identity& identity, Role role) {
  bool has_certificate = !identity.certfile.empty() || !identity.certs.empty();
  bool has_key = !identity.keyfile.empty() || !identity.key.empty();
  if (has_key && !has_certificate) {
    return Refuse(role, "keyfile", "given without a certificate",
                  fmt::format("add {}_certfile", RoleName(role)));
  }
  if (!identity.certs.empty() && identity.certfile.empty() && !has_key) {
    return Refuse(role, "cert", "given without its private key",
                  fmt::format("add {0}_key or {0}_keyfile", RoleName(role)));
  }
  return absl::OkStatus();
}

absl::Status ValidateIdentities(const Options& options, Role role) {
  RETURN_IF_ERROR(ValidateIdentity(options.identity, role));
  for (const Identity& identity : options.certs_keys) {
    if (identity.certfile.empty() && identity.certs.empty()) {
      return Refuse(role, "certs_keys", "an entry has no certificate",
                    "give each cert or certfile");
    }
    RETURN_IF_ERROR(ValidateIdentity(identity, role));
  }
  if (!options.certs_keys.empty() &&
      (!options.identity.certfile.empty() || !options.identity.certs.empty())) {
    return Refuse(role, "certs_keys", "excludes certfile and cert",
                  "move that certificate into the list");
  }
  if (role == Role::kServer && IdentitiesOf(options).empty() && options.psk.lookup == nullptr) {
    return Refuse(role, "certfile",
                  "missing, and a TLS server needs a certificate or pre-shared keys",
                  "name a PEM file with the certificate and, unless server_keyfile is given, its "
                  "key, or give server_user_lookup_fun");
  }
  return absl::OkStatus();
}

absl::Status ValidateTrust(const Trust& trust, Role role) {
  bool has_anchors = !trust.cacertfile.empty() || !trust.cacerts.empty();
  if (trust.depth < 0 || trust.depth > 255) {
    return Refuse(role, "depth", fmt::format("{} is out of range", trust.depth),
                  "give the number of intermediate certificates allowed, 0 to 255");
  }
  if (EffectiveVerify(trust, role) == Verify::kPeer && !has_anchors) {
    return Refuse(role, "verify", "verify_peer without trust anchors can accept nobody",
                  fmt::format("name the PEM file of the CA with {}_cacertfile", RoleName(role)));
  }
  if (trust.fail_if_no_peer_cert && role == Role::kClient) {
    return Refuse(role, "fail_if_no_peer_cert", "is an option of servers: a server always has one",
                  "remove it, or write server_fail_if_no_peer_cert");
  }
  if (trust.fail_if_no_peer_cert && EffectiveVerify(trust, role) == Verify::kNone) {
    return Refuse(role, "fail_if_no_peer_cert", "true contradicts verify_none",
                  "add server_verify verify_peer and server_cacertfile, or remove it");
  }
  if (trust.name_check == NameCheck::kGiven && trust.server_name.empty()) {
    return Refuse(role, "server_name_indication", "is empty", "give a host name, or disable");
  }
  if (trust.server_name.size() > 255 || trust.server_name.find('\0') != std::string::npos) {
    return Refuse(role, "server_name_indication", "is not a host name",
                  "give a host name of at most 255 characters, or disable");
  }
  return absl::OkStatus();
}

absl::Status ValidatePsk(const Options& options, Role role) {
  const Psk& psk = options.psk;
  if (psk.identity.size() > kMaxPskIdentityBytes) {
    return Refuse(role, "psk_identity", fmt::format("has {} bytes", psk.identity.size()),
                  fmt::format("give at most {}", kMaxPskIdentityBytes));
  }
  if (psk.lookup == nullptr && !psk.identity.empty()) {
    return Refuse(role, "psk_identity", "given without a function that knows the keys",
                  fmt::format("add {}_user_lookup_fun", RoleName(role)));
  }
  if (psk.lookup != nullptr && psk.identity.empty() && role == Role::kClient) {
    return Refuse(role, "user_lookup_fun", "given without an identity to show",
                  "add client_psk_identity");
  }
  return absl::OkStatus();
}

absl::Status ValidateSchemes(const std::vector<std::string>& names, const char* option, Role role) {
  for (const std::string& name : names) {
    if (FindSignatureAlgorithm(name)) continue;
    std::string known;
    for (const NamedNumber& scheme : AllSignatureAlgorithms()) {
      known += fmt::format(" {}", scheme.name);
    }
    return Refuse(role, option, fmt::format("unknown signature scheme '{}'", ShortText(name)),
                  fmt::format("known are{}", known));
  }
  return absl::OkStatus();
}

absl::Status ValidateCiphers(const Options& options, Role role) {
  const Ciphers& ciphers = options.ciphers;
  const Versions& versions = options.versions;
  bool usable = ciphers.suites.empty();
  for (const std::string& name : ciphers.suites) {
    const CipherSuite* suite = FindCipherSuite(name);
    if (suite == nullptr) {
      absl::StatusOr<std::vector<std::string>> parsed = ParseCipherSuites(name);
      absl::Status why = parsed.ok()
                             ? base::Error(absl::StatusCode::kInvalidArgument,
                                           fmt::format("'{}' is not one name", name), "", "options")
                             : parsed.status();
      return base::Annotate(why, fmt::format("option {}_ciphers", RoleName(role)));
    }
    if (suite->is_psk() && options.psk.lookup == nullptr) continue;
    usable |= suite->version == Version::kTls12 ? versions.tls12 : versions.tls13;
  }
  if (!usable && options.psk.lookup == nullptr) {
    return Refuse(
        role, "ciphers",
        "no suite of the list can be used: none is of an allowed protocol version, PSK "
        "suites aside, which need keys",
        fmt::format("add suites, widen {0}_versions, or give {0}_user_lookup_fun", RoleName(role)));
  }
  if (!usable) {
    return Refuse(role, "ciphers", "no suite of the list belongs to an allowed protocol version",
                  fmt::format("add suites or widen {}_versions", RoleName(role)));
  }
  for (const std::string& name : ciphers.groups) {
    if (FindGroup(name)) continue;
    std::string known;
    for (const NamedNumber& group : AllGroups()) known += fmt::format(" {}", group.name);
    return Refuse(role, "supported_groups", fmt::format("unknown group '{}'", name),
                  fmt::format("known are{}", known));
  }
  RETURN_IF_ERROR(ValidateSchemes(ciphers.signature_algorithms, "signature_algs", role));
  RETURN_IF_ERROR(
      ValidateSchemes(ciphers.certificate_signature_algorithms, "signature_algs_cert", role));
  if (role == Role::kClient && (!ciphers.dhfile.empty() || !ciphers.dh.empty())) {
    return Refuse(role, ciphers.dh.empty() ? "dhfile" : "dh", "is an option of servers",
                  "remove it: the server chooses the parameters");
  }
  return absl::OkStatus();
}

absl::Status ValidateTraffic(const Traffic& traffic, Role role) {
  const size_t length = traffic.max_fragment_length;
  if (length != 0 && length != 512 && length != 1024 && length != 2048 && length != 4096) {
    return Refuse(role, "max_fragment_length",
                  fmt::format("{} is not a length of RFC 6066", length),
                  "give 512, 1024, 2048 or 4096, or leave the option out");
  }
  if (traffic.key_update_at == 0 || traffic.renegotiate_at == 0) {
    return Refuse(role, traffic.key_update_at == 0 ? "key_update_at" : "renegotiate_at",
                  "0 leaves nothing to be sent under a key", "give a number from 1 on");
  }
  return absl::OkStatus();
}

absl::Status ValidateSessions(const Sessions& sessions, Role role) {
  constexpr std::chrono::seconds kMost = std::chrono::hours(7 * 24);
  if (sessions.lifetime < std::chrono::seconds(1) || sessions.lifetime > kMost) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("parameter session_lifetime: {} seconds are out of range",
                                   sessions.lifetime.count()),
                       "give 1 to 604800 seconds (7 days, RFC 8446 4.6.1), or set reuse_sessions "
                       "false",
                       "options");
  }
  const bool has_given = !sessions.reuse_session.empty();
  if (has_given && role == Role::kServer) {
    return Refuse(role, "reuse_session", "a server takes a function, not a session",
                  "give a function, or write client_reuse_session");
  }
  if (sessions.reuse_fun != nullptr && role == Role::kClient) {
    return Refuse(role, "reuse_session", "a client takes a session, not a function",
                  "give a session, or write server_reuse_session");
  }
  if (has_given && !sessions.reuse_sessions) {
    return Refuse(role, "reuse_session", "contradicts reuse_sessions false",
                  "remove one of the two");
  }
  return absl::OkStatus();
}

absl::Status ValidateServerNames(const ServerNames& names, Role role) {
  if (names.hosts.empty() && names.fun == nullptr) return absl::OkStatus();
  if (role == Role::kClient) {
    return Refuse(role, names.fun != nullptr ? "sni_fun" : "sni_hosts", "is an option of servers",
                  "remove it, or use client_server_name_indication");
  }
  if (names.fun != nullptr && !names.hosts.empty()) {
    return Refuse(role, "sni_fun", "excludes server_sni_hosts", "give one of both");
  }
  for (const auto& [host, options] : names.hosts) {
    if (host.empty() || host.size() > 255 || host.ends_with('.') || options == nullptr) {
      return Refuse(role, "sni_hosts", fmt::format("'{}' is no host with options", ShortText(host)),
                    "give host names without a dot at the end, and options for each");
    }
  }
  return absl::OkStatus();
}

}  // namespace

Verify EffectiveVerify(const Trust& trust, Role role) {
  if (trust.verify) return *trust.verify;
  bool has_anchors = !trust.cacertfile.empty() || !trust.cacerts.empty();
  return role == Role::kClient && has_anchors ? Verify::kPeer : Verify::kNone;
}

std::vector<const Identity*> IdentitiesOf(const Options& options) {
  std::vector<const Identity*> identities;
  for (const Identity& identity : options.certs_keys) identities.push_back(&identity);
  const Identity& one = options.identity;
  if (identities.empty() && (!one.certfile.empty() || !one.certs.empty())) identities = {&one};
  return identities;
}

bool IsPskOnly(const Options& options, Role role) {
  if (options.psk.lookup == nullptr) return false;
  if (role == Role::kServer) return IdentitiesOf(options).empty();
  return options.trust.cacertfile.empty() && options.trust.cacerts.empty() && !options.trust.verify;
}

absl::Status Validate(const Options& options, Role role) {
  if (!options.versions.tls12 && !options.versions.tls13) {
    return Refuse(role, "versions", "no protocol version is left", "allow tlsv1.2 or tlsv1.3");
  }
  RETURN_IF_ERROR(ValidateIdentities(options, role));
  RETURN_IF_ERROR(ValidatePsk(options, role));
  RETURN_IF_ERROR(ValidateTrust(options.trust, role));
  RETURN_IF_ERROR(ValidateCiphers(options, role));
  RETURN_IF_ERROR(ValidateSessions(options.sessions, role));
  RETURN_IF_ERROR(ValidateTraffic(options.traffic, role));
  RETURN_IF_ERROR(ValidateServerNames(options.server_names, role));
  for (const std::string& protocol : options.alpn.protocols) {
    if (protocol.empty() || protocol.size() > 255) {
      return Refuse(role, "alpn", "a protocol name must have 1 to 255 bytes",
                    "correct the list of protocols");
    }
  }
  return absl::OkStatus();
}

void ClearSecrets(Options& options) {
  const auto clear = [](Identity& identity) {
    identity.password.Clear();
    identity.password_fun = nullptr;
    identity.key.Clear();
  };
  clear(options.identity);
  for (Identity& identity : options.certs_keys) clear(identity);
  options.sessions.reuse_session = {};
  for (auto& [name, host] : options.server_names.hosts) {
    auto cleared = std::make_shared<Options>(*host);
    ClearSecrets(*cleared);
    host = std::move(cleared);
  }
}

const char* RoleName(Role role) { return role == Role::kServer ? "server" : "client"; }

const char* VersionName(Version version) {
  return version == Version::kTls12 ? "tlsv1.2" : "tlsv1.3";
}

}  // namespace noded::tls
