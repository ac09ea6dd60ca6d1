// What the first bytes of a connection tell of a peer that is no Erlang node.
//
//   if (RecognisePreamble(begin) == Preamble::kTls) ...   // kUndecided: ask again with more bytes
//
// All of them are too long to be the length of a handshake message. A function without state.
#pragma once

#include "base/bytes.h"

namespace noded::dist {

enum class Preamble { kUndecided, kErlang, kTls, kHttp, kSsh };

Preamble RecognisePreamble(base::ByteView begin);

}  // namespace noded::dist
