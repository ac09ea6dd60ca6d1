// The cipher suites, groups and signature schemes that the engine has, by their IANA names.
//
//   const CipherSuite* suite = FindCipherSuite("ECDHE-RSA-AES256-GCM-SHA384");   // either spelling
//   ASSIGN_OR_RETURN(auto suites, ParseCipherSuites("ECDHE-RSA-AES256-GCM-SHA384:TLS_AES_..."));
//
// Constant tables; thread-safe.
// Errors of ParseCipherSuites: InvalidArgument, naming the suite and the nearest known one, or why
// a suite that others have is refused here. Source: IANA TLS parameters registry; OpenSSL
// ciphers(1) for the other spelling.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "tls/options.h"

namespace noded::tls {

struct CipherSuite {
  uint16_t id;
  const char* iana;
  const char* openssl;
  Version version;
  bool is_default;
};

// All that the engine can do, best first.
std::span<const CipherSuite> AllCipherSuites();
// Those used when no list is given: forward secret, and no AES-CCM with short tags.
std::vector<std::string> DefaultCipherSuites();

// By IANA or OpenSSL name; null when there is none.
const CipherSuite* FindCipherSuite(std::string_view name);
// Empty for an unknown number.
std::string_view CipherSuiteName(uint16_t id);

// A colon- or comma-separated list in either spelling, to IANA names in its order.
absl::StatusOr<std::vector<std::string>> ParseCipherSuites(std::string_view list);

struct NamedNumber {
  uint16_t id;
  const char* name;
};

std::span<const NamedNumber> AllGroups();
std::span<const NamedNumber> AllSignatureAlgorithms();
std::optional<uint16_t> FindGroup(std::string_view name);
std::optional<uint16_t> FindSignatureAlgorithm(std::string_view name);

}  // namespace noded::tls
