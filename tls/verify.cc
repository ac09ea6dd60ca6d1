#include "tls/verify.h"

#include "tls/frozen.h"

namespace noded::tls {

int ChainCheck::OnChain(void* self, mbedtls_x509_crt* certificate, int, uint32_t*) {
  auto& check = *static_cast<ChainCheck*>(self);
  // Whatever was judged before says nothing about this one.
  check.Reset();
  for (const mbedtls_x509_crt* one = certificate; one != nullptr; one = one->next) {
    check.chain_.push_back(base::Slice::Copy(base::ByteView(one->raw.p, one->raw.len)));
  }
  return 0;
}

void ChainCheck::Judge(const Context& context, bool is_key_for_encipherment) {
  if (chain_.empty()) return;
  const Options& options = context.options();
  const Trust& trust = options.trust;
  PathPolicy policy;
  policy.role = context.role();
  policy.anchors = context.frozen().anchors;
  policy.depth = trust.depth;
  policy.host = expected_name_;
  policy.is_key_for_encipherment = is_key_for_encipherment;
  policy.verify_fun = trust.verify_fun;
  policy.verify_state = trust.verify_state;
  policy.partial_chain = trust.partial_chain;
  policy.crl_check = options.revocation.check;
  policy.crl_cache = options.revocation.cache;
  policy.signature_schemes = options.ciphers.certificate_signature_algorithms.empty()
                                 ? options.ciphers.signature_algorithms
                                 : options.ciphers.certificate_signature_algorithms;
  judge_ = std::make_unique<PathValidator>(std::move(policy));
  judge_->Judge(std::exchange(chain_, {}));
}

void ChainCheck::Reset() {
  chain_.clear();
  judge_.reset();
}

void ChainCheck::Resume() {
  if (judge_ != nullptr) judge_->Resume();
}

}  // namespace noded::tls
