// MD5, which the distribution handshake is made of (RFC 1321). Not for anything new.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace noded::base {

using Md5Digest = std::array<uint8_t, 16>;

Md5Digest Md5(ByteView data);

}  // namespace noded::base
