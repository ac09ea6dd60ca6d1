#include "tls/ssl_information.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "fmt/format.h"

#include "base/status.h"
#include "tls/ciphers.h"
#include "tls/context.h"

namespace noded::tls {
namespace {

using All = ConnectionInformation;

std::string Bool(bool value) { return value ? "true" : "false"; }

std::string ActiveText(const Active& active) {
  switch (active.kind) {
    case Active::Kind::kFalse:
      return "false";
    case Active::Kind::kTrue:
      return "true";
    case Active::Kind::kOnce:
      return "once";
    case Active::Kind::kCount:
      break;
  }
  return std::to_string(active.count);
}

std::string VersionsText(const Versions& versions) {
  std::vector<std::string_view> names;
  if (versions.tls13) names.push_back(VersionName(Version::kTls13));
  if (versions.tls12) names.push_back(VersionName(Version::kTls12));
  return fmt::format("{}", fmt::join(names, ","));
}

std::string CrlCheckText(CrlCheck check) {
  switch (check) {
    case CrlCheck::kTrue:
      return "true";
    case CrlCheck::kPeer:
      return "peer";
    case CrlCheck::kBestEffort:
      return "best_effort";
    case CrlCheck::kFalse:
      break;
  }
  return "false";
}

struct Item {
  std::string_view name;
  std::string (*text)(const All& all);
};

constexpr Item kItems[] = {
    {"protocol", [](const All& all) { return std::string(VersionName(all.agreed.version)); }},
    {"selected_cipher_suite", [](const All& all) { return all.agreed.cipher_suite; }},
    {"sni_hostname", [](const All& all) { return all.agreed.server_name; }},
    {"session_id", [](const All& all) { return base::ToHex(all.agreed.session_id); }},
    {"session_resumption", [](const All& all) { return Bool(all.agreed.is_resumed); }},
    {"negotiated_protocol", [](const All& all) { return all.agreed.alpn; }},
    {"group", [](const All& all) { return all.agreed.group; }},
    {"client_random", [](const All& all) { return base::ToHex(all.agreed.client_random); }},
    {"server_random", [](const All& all) { return base::ToHex(all.agreed.server_random); }},
    {"peer", [](const All& all) { return all.agreed.peer ? all.agreed.peer->subject : ""; }},
    {"active", [](const All& all) { return ActiveText(all.socket.active.value_or(Active())); }},
    {"packet",
     [](const All& all) {
       return std::string(PacketName(all.socket.packet.value_or(Packet::kRaw)));
     }},
    {"packet_size",
     [](const All& all) { return std::to_string(all.socket.packet_size.value_or(0)); }},
    {"ciphers",
     [](const All& all) { return fmt::format("{}", fmt::join(all.options.ciphers.suites, ":")); }},
    {"groups",
     [](const All& all) { return fmt::format("{}", fmt::join(all.options.ciphers.groups, ":")); }},
    {"versions", [](const All& all) { return VersionsText(all.options.versions); }},
    {"verify",
     [](const All& all) {
       return std::string(all.options.trust.verify == Verify::kPeer ? "verify_peer"
                                                                    : "verify_none");
     }},
    {"depth", [](const All& all) { return std::to_string(all.options.trust.depth); }},
    {"fail_if_no_peer_cert",
     [](const All& all) { return Bool(all.options.trust.fail_if_no_peer_cert); }},
    {"crl_check", [](const All& all) { return CrlCheckText(all.options.revocation.check); }},
    {"alpn",
     [](const All& all) { return fmt::format("{}", fmt::join(all.options.alpn.protocols, ",")); }},
    {"reuse_sessions", [](const All& all) { return Bool(all.options.sessions.reuse_sessions); }},
    {"honor_cipher_order",
     [](const All& all) { return Bool(all.options.ciphers.honor_cipher_order); }},
    {"secure_renegotiate",
     [](const All& all) { return Bool(all.options.renegotiation.secure_renegotiate); }},
    {"client_renegotiation",
     [](const All& all) { return Bool(all.options.renegotiation.client_renegotiation); }},
    {"key_update_at",
     [](const All& all) { return std::to_string(all.options.traffic.key_update_at); }},
    {"renegotiate_at",
     [](const All& all) { return std::to_string(all.options.traffic.renegotiate_at); }},
    {"max_fragment_length",
     [](const All& all) { return std::to_string(all.options.traffic.max_fragment_length); }},
    {"hibernate_after",
     [](const All& all) {
       const auto& after = all.options.traffic.hibernate_after;
       return after ? std::to_string(after->count()) : "undefined";
     }},
    {"log_alert", [](const All& all) { return Bool(all.options.traffic.log_alert); }},
};

}  // namespace

ConnectionInformation Information(const ConnectionInfo& agreed, const Context& context,
                                  const SocketOptions& socket) {
  All all{agreed, context.options(), socket};
  ClearSecrets(all.options);
  all.options.trust.verify = context.verify();
  Ciphers& ciphers = all.options.ciphers;
  if (ciphers.suites.empty()) {
    const bool has_psk = all.options.psk.lookup != nullptr;
    ciphers.suites = DefaultCipherSuites(has_psk);
  }
  if (ciphers.groups.empty()) {
    for (const NamedNumber& group : AllGroups()) ciphers.groups.emplace_back(group.name);
  }
  return all;
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> SelectInformation(
    const ConnectionInformation& all, const std::vector<std::string>& items) {
  std::vector<std::pair<std::string, std::string>> selected;
  for (const std::string& name : items) {
    const Item* found = std::find_if(std::begin(kItems), std::end(kItems),
                                     [&](const Item& item) { return item.name == name; });
    if (found == std::end(kItems)) {
      return base::Error(absl::StatusCode::kInvalidArgument,
                         fmt::format("connection_information: there is no item {}", name),
                         "take the names of tls/ssl_socket.h", "einval");
    }
    selected.emplace_back(name, found->text(all));
  }
  return selected;
}

}  // namespace noded::tls
