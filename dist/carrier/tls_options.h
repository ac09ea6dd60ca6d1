// TLS options of distribution in Erlang's spelling, to tls::Options of both roles: the pairs of
// -ssl_dist_opt, the option file of -ssl_dist_optfile, and -ssl's application parameters.
//
//   TlsOptions options;
//   RETURN_IF_ERROR(ApplySslParameter("protocol_version", term, "ERL_FLAGS", options));
//   RETURN_IF_ERROR(ApplyTlsPair("server_certfile", "/etc/noded/node.pem", "ERL_FLAGS", options));
//   RETURN_IF_ERROR(ApplyTlsFile(text, "/etc/noded/ssl_dist.conf", options));
//   RETURN_IF_ERROR(FinishTlsOptions(options));
//   RETURN_IF_ERROR(ValidateTlsOptions(options));        // as far as no file has to be read
//
// Of an option given twice the later counts; OTP reads the pairs first, then the file.
//
// Functions of their arguments: any thread. Errors: InvalidArgument (unknown option: with the
// nearest right one; wrong value; an option whose part of the engine is not there yet), naming
// option, place, what was found, what is expected and what to do. After an error `options` may hold
// some of what was given. Source: OTP, "Using TLS for Erlang Distribution"; ssl(3), types
// common_option, client_option, server_option.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "dist/term.h"
#include "tls/options.h"

namespace noded::dist {

// What `sni_hosts` says of one host.
struct TlsHostOptions {
  std::string host;
  Term options;  // a list, as for a server
  std::string origin;
};

// -ssl session_cb and session_cb_init_args.
inline constexpr std::string_view kMemorySessions = "memory", kSqliteSessions = "sqlite";
struct SessionCb {
  // One of these two, or a registered one (tls/function_registry.h).
  std::string name = std::string(kMemorySessions);
  Term init_args = Term::Nil();
};

struct TlsOptions {
  tls::Options server;
  tls::Options client;
  // Options that are taken without any effect here, as written: "server hibernate_after (FILE)".
  std::vector<std::string> ignored;
  // `sni_hosts`, until FinishTlsOptions().
  std::vector<TlsHostOptions> sni_hosts;
  // {verify_fun, {inet_tls_dist, verify_client, Hosts}}: the hosts (dist/carrier/tls_peer_check.h).
  std::optional<std::vector<std::string>> verify_client;
  // `-ssl ssl_pem_cache_clean`: how often files are looked at, of the whole process.
  std::optional<std::chrono::milliseconds> pem_cache_clean;
  SessionCb session_cb;
  // Whether pairs or a file were given at all.
  bool is_given = false;
};

// `name` is "server_" or "client_" and an option; `value` is a word of the command line.
absl::Status ApplyTlsPair(std::string_view name, std::string_view value, std::string_view origin,
                          TlsOptions& options);
// The same where the role is known and not written before the name.
absl::Status ApplyTlsWord(tls::Role role, std::string_view name, std::string_view value,
                          std::string_view origin, TlsOptions& options);

// `text` of an option file: [{server, [Option]}, {client, [Option]}].
absl::Status ApplyTlsFile(std::string_view text, std::string_view path, TlsOptions& options);

// `-ssl KEY VALUE`: a parameter of OTP's application ssl.
bool IsSslParameter(std::string_view key);
absl::Status ApplySslParameter(std::string_view key, const Term& value, std::string_view origin,
                               TlsOptions& options);

// One option of one role, as in an option file.
absl::Status ApplyTlsOption(tls::Role role, std::string_view name, const Term& value,
                            std::string_view origin, TlsOptions& options);

// When all options are given, before they are used: makes what depends on others (sni_hosts),
// and opens the session caches of session_cb; blocks on the disk.
absl::Status FinishTlsOptions(TlsOptions& options);

// tls::Validate for both roles. A node that does not listen needs no server options.
absl::Status ValidateTlsOptions(const TlsOptions& options, bool is_listening = true);

}  // namespace noded::dist
