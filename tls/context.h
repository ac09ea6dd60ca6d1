// Options and the credentials that they name, read and frozen: what a listener or a connector
// shares between its connections.
//
//   ASSIGN_OR_RETURN(auto context, Context::Create(options, Role::kServer));
//   for (const Warning& warning : context->Warnings()) ...   // once, at the start
//   Engine engine(context, {});                              // or tls/tls_stream.h
//
// What lives long holds a ContextSource (tls/context_source.h), which follows the files.
//
// Immutable and thread-safe; held by shared_ptr, so that connections outlive a replaced context.
// Private keys are wiped with it. Errors of Create: InvalidArgument, "option server_certfile: ...",
// which name the option, the file, what was found and the mend.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "tls/certificate_info.h"
#include "tls/options.h"
#include "tls/pem_cache.h"
#include "tls/session_counters.h"

namespace noded::tls {

// What works but is not as it should be, and what to do about it.
struct Warning {
  std::string what;
  std::string mend;
};

class Context {
 public:
  // Reads every file that `options` names. Blocks on the disk; not for a loop.
  // through `cache`, which outlives it.
  static absl::StatusOr<std::shared_ptr<const Context>> Create(
      Options options, Role role, PemCache& cache = PemCache::Shared());
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Role role() const { return role_; }
  // Keys and passwords in it are empty: what was read stays in the engine's own form.
  const Options& options() const { return options_; }
  // Whether the peer's certificate is checked: options().trust.verify, resolved.
  Verify verify() const;
  // Our certificate and then its issuers, as they are sent; of several the preferred one. Empty
  // when there is none.
  const std::vector<CertificateInfo>& certificates() const { return certificates_; }

  // The files that it was made of, its hosts' too (for ContextSource).
  using FileMap = std::map<std::string, std::shared_ptr<const PemFile>>;
  FileMap Files() const;

  // A peer that is not checked, trust anchors that nothing enforces, clients that stay unnamed, a
  // certificate of ours that has expired.
  std::vector<Warning> Warnings() const;

  // How often its connections went on with a session.
  SessionCounts session_counts() const;

  // What the engine works with (tls/frozen.h); for tls/ alone.
  struct Frozen;
  const Frozen& frozen() const { return *frozen_; }

 private:
  Context(Options options, Role role);

  Options options_;
  Role role_;
  std::vector<CertificateInfo> certificates_;
  std::unique_ptr<Frozen> frozen_;
};

}  // namespace noded::tls
