// The words of `nodectl tls`: an address, then options as in -ssl_dist_opt, without server_ or
// client_, and parameters as in -ssl.
//
//   ASSIGN_OR_RETURN(TlsWords words, ReadTlsWords(tls::Role::kServer, {"4433", "certfile",
//   "a.pem"})); words.host;                              // "127.0.0.1": a server listens on
//   loopback by itself tls::Context::Create(words.options, tls::Role::kServer);
//
// Functions of their arguments: any thread. Errors: InvalidArgument, which name the word and what
// is expected.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "tls/options.h"

namespace noded::cli {

struct TlsWords {
  std::string host;  // without brackets
  uint16_t port = 0;
  tls::Options options;
  // Options that are taken without any effect.
  std::vector<std::string> ignored;
  // ssl_pem_cache_clean; for the caller to set.
  std::optional<std::chrono::milliseconds> pem_cache_clean;
};

// "4433" (server only), "a.example:4433", "[::1]:4433". A client needs host and port; a server's
// host is a numeric address or localhost, and its port may be 0.
absl::StatusOr<TlsWords> ReadTlsWords(tls::Role role, const std::vector<std::string>& words);

}  // namespace noded::cli
