#include "base/digest.h"

#include "mbedtls/md5.h"

namespace noded::base {

Md5Digest Md5(ByteView data) {
  Md5Digest digest{};
  // Fails only in builds where an accelerator may refuse; ours has none for MD5.
  (void)mbedtls_md5(data.data(), data.size(), digest.data());
  return digest;
}

}  // namespace noded::base
