// The judge of one connection's peer: takes the chain from mbedTLS, which only parses it, and
// judges it by tls/path.h with the context's trust anchors and rules.
//
//   ChainCheck check("b.example");
//   mbedtls_ssl_set_verify(&ssl, ChainCheck::OnChain, &check);
//   ... a handshake step ...
//   check.Judge(context, is_key_for_encipherment);
//   if (check.outcome() == ChainCheck::Outcome::kRefused) Send(check.alert()), check.status();
//   if (check.outcome() == ChainCheck::Outcome::kNeedsCrls) ...       // fetch, then Resume()
//
// One per connection; loop-confined. A second chain, of a renegotiation, is judged anew. mbedTLS
// must be built as third_party/mbedtls does it, and asked with VERIFY_OPTIONAL: it then judges
// nothing. Source: OTP `ssl`, common options verify, verify_fun, depth, partial_chain, crl_check.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "mbedtls/x509_crt.h"

#include "tls/alert.h"
#include "tls/context.h"
#include "tls/path.h"

namespace noded::tls {

class ChainCheck {
 public:
  using Outcome = PathValidator::Outcome;

  // `expected_name`: what a server's certificate must carry; empty checks no name.
  explicit ChainCheck(std::string expected_name) : expected_name_(std::move(expected_name)) {}
  ChainCheck(const ChainCheck&) = delete;
  ChainCheck& operator=(const ChainCheck&) = delete;

  // In the shape of mbedTLS's f_vrfy; `self` is the ChainCheck. Takes note of the chain, whose
  // first certificate this is.
  static int OnChain(void* self, mbedtls_x509_crt* certificate, int depth, uint32_t* flags);

  // Judges the chain that came since the last call, if one did. Not within a step: verify_fun is
  // asked.
  // `is_key_for_encipherment`: as of PathPolicy.
  void Judge(const Context& context, bool is_key_for_encipherment);
  // For the next chain, in a renegotiation.
  void Reset();
  // After kNeedsCrls, when they have been fetched.
  void Resume();

  // kPending: no chain has come.
  Outcome outcome() const { return judge_ == nullptr ? Outcome::kPending : judge_->outcome(); }
  // Good by our trust anchors, not only by verify_fun's leave.
  bool is_verified() const { return outcome() == Outcome::kTrusted && judge_->is_faultless(); }
  Alert alert() const { return judge_->alert(); }
  const absl::Status& status() const { return judge_->status(); }
  const std::vector<std::string>& wanted() const { return judge_->wanted(); }

 private:
  const std::string expected_name_;
  std::vector<base::Slice> chain_;  // not judged yet
  std::unique_ptr<PathValidator> judge_;
};

}  // namespace noded::tls
