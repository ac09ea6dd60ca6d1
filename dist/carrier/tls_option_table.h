// The options of OTP's `ssl`, each with how its value becomes a field of tls::Options, or why it
// does not. Private to tls_options.h, which is the way in.
//
//   const TlsOptionEntry* entry = FindTlsOption("certfile");
//   RETURN_IF_ERROR(entry->apply(call, value));
//
// A constant table: any thread. Source: OTP, ssl(3).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"

#include "dist/carrier/tls_options.h"
#include "dist/term.h"
#include "tls/options.h"

namespace noded::dist {

// One option being applied.
struct TlsOptionCall {
  tls::Role role;
  std::string_view name;
  std::string_view origin;
  tls::Options& options;
  // For what is more than a field of one role.
  TlsOptions& all;

  // "option server_depth (ERL_FLAGS)"
  std::string Where() const;
  // The value is shown unless the option holds secrets.
  absl::Status WrongValue(const Term& value, std::string_view expected) const;
};

enum class TlsOptionUse {
  kApplied,
  kNoEffect,  // has no meaning here, and nothing is lost by that
  kRefused,   // will not come; `why` says so
};

// How a word of -ssl_dist_opt is read.
enum class PairForm { kText, kAtom, kInteger, kAtomList, kTerm };

struct TlsOptionEntry {
  std::string_view name;
  TlsOptionUse use;
  PairForm pair_form = PairForm::kTerm;
  absl::Status (*apply)(const TlsOptionCall& call, const Term& value) = nullptr;
  // kRefused: values, as printed and set apart by blanks, that ask for nothing.
  std::string_view off = "";
  // kRefused; empty: tls/refused.h says it.
  std::string_view why = "";
  bool is_for_server = true;
  bool is_for_client = true;
};

std::span<const TlsOptionEntry> AllTlsOptions();
const TlsOptionEntry* FindTlsOption(std::string_view name);

// Whether a value of this option may be shown in a message.
bool IsSecretTlsOption(std::string_view name);

}  // namespace noded::dist
