#include "tls/ssl_information.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "fmt/format.h"

#include "base/status.h"

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
    {"verify",
     [](const All& all) {
       return std::string(all.agreed.is_peer_verified ? "verify_peer" : "verify_none");
     }},
    {"depth", [](const All& all) { return std::to_string(all.options.trust.depth); }},
    {"alpn",
     [](const All& all) { return fmt::format("{}", fmt::join(all.options.alpn.protocols, ",")); }},
};

}  // namespace

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
