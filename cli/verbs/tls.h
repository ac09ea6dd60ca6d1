// `nodectl tls`: a TLS server and a TLS client for people, to try this engine against openssl,
// gnutls-cli, curl, testssl.sh or a browser, with the options of -ssl_dist_opt.
//
//   RETURN_IF_ERROR(TlsServe({.words = {"4433", "certfile", "a.pem"}}));       // [HOST:]PORT ...
//   RETURN_IF_ERROR(TlsConnect({.words = {"b.example:4433"}, .is_info = true}));
//
// Both use the standard streams, and block until they are done or get SIGINT or SIGTERM, which
// close politely. Errors: InvalidArgument (a word, an option or a file that it names),
// DeadlineExceeded, and those of the connection (tls/tls_stream.h). docs/nodectl_tls.md is the
// manual.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace noded::cli {

struct TlsArguments {
  std::vector<std::string> words;  // the address, then options
  bool is_json = false;
  // For the connection with its handshake, and for an HTTP request.
  std::chrono::milliseconds timeout{5000};
  bool is_www = false;        // serve: answers HTTP with a page about the connection
  bool is_discard = false;    // serve: reads and says nothing
  bool is_once = false;       // serve: ends after one connection, with its outcome
  bool is_info = false;       // connect: says what was agreed, then closes
  bool closes_early = false;  // connect: the end of the input closes both ways
};

absl::Status TlsServe(const TlsArguments& arguments);
absl::Status TlsConnect(const TlsArguments& arguments);

}  // namespace noded::cli
