// Files of certificates and keys from any bytes: PEM taken apart, certificates parsed, and a
// server's credentials made of them. No crash, and nothing that is not whole is taken for whole.
#include <cstdint>
#include <cstdlib>

#include "base/status.h"
#include "tls/context.h"
#include "tls/pem.h"

namespace {

void Require(bool claim) {
  if (!claim) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace noded::tls;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const PemBlock& block : SplitPem(text)) {
    Require(block.is_whole || block.der.empty());
    Require(!block.is_private_key() || block.der.empty());
  }
  const PemFile file("fuzz.pem", noded::base::Secret(text), 0600);
  Require((file.chain() == nullptr) ==
          (file.unusable_certificates() == static_cast<int>(file.certificates().size())));
  for (const PemFile::Certificate& one : file.certificates()) (void)UnusableKind(one.der);

  Options options;
  options.identity.certs = {noded::base::Slice::Copy(text)};
  options.identity.key = noded::base::Secret(text);
  options.trust.cacerts = options.identity.certs;
  options.ciphers.dh = options.identity.certs[0];
  const auto context = Context::Create(options, Role::kServer);
  Require(context.ok() || !noded::base::MendOf(context.status()).empty());
  return 0;
}
