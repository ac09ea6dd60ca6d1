#include "node/names.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "fmt/format.h"

#include "base/random.h"
#include "base/status.h"
#include "dist/utf8.h"

namespace noded::node {
namespace {

// Of an atom, which a node's name is.
constexpr size_t kMaxCharacters = 255;

absl::Status Refuse(std::string_view what, std::string_view mend) {
  return base::Error(absl::StatusCode::kInvalidArgument, what, mend, "badarg");
}

bool IsNameCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
         c == '-';
}

absl::Status CheckName(std::string_view what, std::string_view node, std::string_view name) {
  if (!name.empty() && std::all_of(name.begin(), name.end(), IsNameCharacter)) {
    return absl::OkStatus();
  }
  return Refuse(name.empty() ? fmt::format("{} '{}': nothing stands before the @", what, node)
                             : fmt::format("{} '{}': '{}' is not a name", what, node, name),
                "give a name of letters, digits, _ and -, as in node1@host");
}

// Characters from ! to U+00FF, as OTP has it, and no second @.
absl::Status CheckHost(std::string_view what, std::string_view node, std::string_view host) {
  const absl::Status bad = Refuse(fmt::format("{} '{}': '{}' is not a host", what, node, host),
                                  "give a host name or address, as in node1@host");
  if (host.empty()) return bad;
  for (std::string_view rest = host; !rest.empty();) {
    uint32_t c = 0;
    const size_t size = dist::TakeUtf8(rest, c);
    if (size == 0 || c < '!' || c > 0xff || c == '@') return bad;
    rest.remove_prefix(size);
  }
  return absl::OkStatus();
}

std::string Ask(const std::function<std::string()>& host) { return host ? host() : std::string(); }

absl::StatusOr<std::string> DefaultHost(std::string_view text, NameKind kind,
                                        const HostNames& hosts) {
  std::string host = Ask(kind == NameKind::kShort ? hosts.short_name : hosts.full_name);
  if (!host.empty() && KindOfHost(host) == kind) return host;
  if (kind == NameKind::kShort) {
    return Refuse(fmt::format("-sname {}: this machine has no host name to add", text),
                  fmt::format("write -sname {}@HOST", text));
  }
  return Refuse(
      fmt::format("-name {}: this machine's fully qualified host name is not known", text),
      fmt::format("write -name {0}@HOST.DOMAIN or -name {0}@ADDRESS, or use -sname", text));
}

absl::Status CheckKind(std::string_view text, SplitName split, NameKind kind) {
  if (KindOfHost(split.host) == kind) return absl::OkStatus();
  if (kind == NameKind::kShort) {
    return Refuse(
        fmt::format("-sname {}: host '{}' is a long one", text, split.host),
        fmt::format("write -name {}, or -sname {} with a host without dots", text, split.name));
  }
  return Refuse(fmt::format("-name {}: host '{}' has no dot and is no IP address, so no node with "
                            "long names could connect to it",
                            text, split.host),
                fmt::format("write -sname {}, or add the domain: -name {}.DOMAIN", text, text));
}

}  // namespace

std::string_view NameFlag(NameKind kind) { return kind == NameKind::kShort ? "-sname" : "-name"; }

bool IsIpAddress(std::string_view text) {
  const std::string copy(text);
  unsigned char address[sizeof(in6_addr)];
  return copy.find('\0') == std::string::npos && (inet_pton(AF_INET, copy.c_str(), address) == 1 ||
                                                  inet_pton(AF_INET6, copy.c_str(), address) == 1);
}

NameKind KindOfHost(std::string_view host) {
  return host.find('.') != std::string_view::npos || IsIpAddress(host) ? NameKind::kLong
                                                                       : NameKind::kShort;
}

absl::StatusOr<SplitName> SplitNodeName(std::string_view node) {
  const size_t at = node.find('@');
  if (at == std::string_view::npos) {
    return Refuse(fmt::format("node '{}': has no host", node),
                  fmt::format("write {}@HOST", node.empty() ? "NAME" : node));
  }
  const SplitName split{node.substr(0, at), node.substr(at + 1)};
  RETURN_IF_ERROR(CheckName("node", node, split.name));
  RETURN_IF_ERROR(CheckHost("node", node, split.host));
  if (dist::Utf8Length(node).value_or(kMaxCharacters + 1) > kMaxCharacters) {
    return Refuse(fmt::format("node '{}...': is longer than {} characters", node.substr(0, 32),
                              kMaxCharacters),
                  "give a shorter name");
  }
  return split;
}

absl::StatusOr<std::string> MakeNodeName(std::string_view text, NameKind kind,
                                         const HostNames& hosts) {
  const size_t at = text.find('@');
  const std::string_view flag = NameFlag(kind);
  const std::string_view name = text.substr(0, at);
  RETURN_IF_ERROR(CheckName(flag, text, name));
  if (text == "undefined") {
    return Refuse(fmt::format("{} undefined: names given by the first node connected to are not "
                              "supported yet",
                              flag),
                  fmt::format("give a name: {} node1", flag));
  }
  std::string full(text);
  if (at == std::string_view::npos || at + 1 == text.size()) {
    ASSIGN_OR_RETURN(std::string host, DefaultHost(name, kind, hosts));
    full = fmt::format("{}@{}", name, host);
  } else {
    RETURN_IF_ERROR(CheckHost(flag, text, text.substr(at + 1)));
  }
  auto split = SplitNodeName(full);
  if (!split.ok()) return base::Annotate(split.status(), flag);
  RETURN_IF_ERROR(CheckKind(full, *split, kind));
  return full;
}

std::string ClientNodeName(std::string_view program, std::string_view target,
                           const HostNames& hosts) {
  const size_t at = target.find('@');
  const NameKind kind =
      at == std::string_view::npos ? NameKind::kShort : KindOfHost(target.substr(at + 1));
  // Nobody connects to such a node: the host only has to be of the kind.
  std::string host = Ask(kind == NameKind::kShort ? hosts.short_name : hosts.full_name);
  if (host.empty() || KindOfHost(host) != kind) {
    host = kind == NameKind::kShort ? "localhost" : "127.0.0.1";
  }
  return fmt::format("{}-{}-{:08x}@{}", program, getpid(), base::Random32(), host);
}

}  // namespace noded::node
