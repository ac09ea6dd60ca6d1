// Node names, by OTP's rules: "name@host", with a short host (-sname) or a long one (-name).
//
//   auto name = MakeNodeName("a", NameKind::kShort, hosts);         // "a@myhost"
//   auto name = MakeNodeName("a@10.0.0.1", NameKind::kLong, hosts);
//   ASSIGN_OR_RETURN(SplitName split, SplitNodeName("b@host.example"));   // {"b", "host.example"}
//   std::string client = ClientNodeName("nodectl", "b@host.example", hosts);
//
// Nodes with short and with long names never connect to each other: two different nodes could have
// the same name.
//
// Functions of their arguments: any thread. Errors: InvalidArgument, which name the flag and the
// mend. Source: OTP, "Distributed Erlang", section Nodes; net_kernel.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace noded::node {

enum class NameKind { kShort, kLong };

// The flag that asks for names of this kind: "-sname" or "-name".
std::string_view NameFlag(NameKind kind);

// What this machine calls itself; asked only when a name leaves its host out. A missing function,
// or empty text, means that it is not known. See LocalHostNames() in host_names.h.
struct HostNames {
  std::function<std::string()> short_name;  // without dots
  std::function<std::string()> full_name;   // with at least one
};

struct SplitName {
  std::string_view name;
  std::string_view host;
};

// Views into `node`. What is before the '@' and behind it must be valid, of any kind.
absl::StatusOr<SplitName> SplitNodeName(std::string_view node);

// kLong when the host has a dot or is an IP address, as OTP tells the kinds apart.
NameKind KindOfHost(std::string_view host);

// A full node name from what -sname or -name says: the host is added when it is left out, and must
// fit the kind.
absl::StatusOr<std::string> MakeNodeName(std::string_view text, NameKind kind,
                                         const HostNames& hosts);

// A name for a node that is up for one command, different from all others: PROGRAM-PID-RANDOM@HOST,
// of the kind that may connect to `target` (a node name, or empty: short).
std::string ClientNodeName(std::string_view program, std::string_view target,
                           const HostNames& hosts);

// A numeric IPv4 or IPv6 address, without brackets or zone.
bool IsIpAddress(std::string_view text);

}  // namespace noded::node
