#include "cli/verbs/tls_words.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "fmt/format.h"

#include "base/status.h"
#include "dist/carrier/tls_options.h"
#include "dist/term_text.h"

namespace noded::cli {
namespace {

constexpr const char* kLoopback = "127.0.0.1";

std::optional<uint16_t> ReadPort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

absl::Status ReadAddress(tls::Role role, const std::string& word, TlsWords& words) {
  const bool is_server = role == tls::Role::kServer;
  const size_t colon = word.rfind(':');
  std::string host = colon == std::string::npos ? "" : word.substr(0, colon);
  const std::optional<uint16_t> port =
      ReadPort(colon == std::string::npos ? word : word.substr(colon + 1));
  const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  const bool is_bare_v6 = !is_bracketed && host.find(':') != std::string::npos;
  if (!port || is_bare_v6 || (!is_server && (host.empty() || *port == 0))) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("'{}' is no {}", word, is_server ? "[HOST:]PORT" : "HOST:PORT"),
                       is_server ? "write a port from 0 to 65535, as in 4433, 0.0.0.0:4433 or "
                                   "[::1]:4433"
                                 : "write a host and a port from 1 to 65535, as in "
                                   "shop.example:443 or [::1]:443",
                       "badarg");
  }
  if (is_server && (host.empty() || host == "localhost")) host = kLoopback;
  words.host = std::move(host);
  words.port = *port;
  return absl::OkStatus();
}

constexpr std::string_view kOrigin = "command line";

absl::Status Apply(tls::Role role, std::string_view name, std::string_view value,
                   dist::TlsOptions& options) {
  if (!dist::IsSslParameter(name)) return ApplyTlsWord(role, name, value, kOrigin, options);
  auto term = dist::ParseTerm(value);
  if (!term.ok()) return base::Annotate(term.status(), fmt::format("parameter {}", name));
  return ApplySslParameter(name, *term, kOrigin, options);
}

}  // namespace

absl::StatusOr<TlsWords> ReadTlsWords(tls::Role role, const std::vector<std::string>& words) {
  TlsWords read;
  RETURN_IF_ERROR(ReadAddress(role, words.empty() ? "" : words.front(), read));
  dist::TlsOptions options;
  for (size_t i = 1; i < words.size(); i += 2) {
    if (i + 1 == words.size()) {
      return base::Error(
          absl::StatusCode::kInvalidArgument, fmt::format("option {} has no value", words[i]),
          "write options in pairs, as in certfile node.pem verify verify_peer", "options");
    }
    RETURN_IF_ERROR(Apply(role, words[i], words[i + 1], options));
  }
  RETURN_IF_ERROR(dist::FinishTlsOptions(options));
  if (options.verify_client) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       "option server_verify_fun: inet_tls_dist:verify_client belongs to "
                       "distribution, which checks its peers with it",
                       "remove it", "options");
  }
  read.options = std::move(role == tls::Role::kServer ? options.server : options.client);
  read.ignored = std::move(options.ignored);
  read.pem_cache_clean = options.pem_cache_clean;
  return read;
}

}  // namespace noded::cli
