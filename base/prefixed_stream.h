// A Stream that gives some bytes first and then those of another: when bytes were read that belong
// to whoever takes the stream over (an upgrade to TLS, or back).
//
//   auto plain = MakePrefixedStream(std::move(read_ahead), std::move(tcp));
//   co_await plain->Read();                              // read_ahead, then what tcp gives
//
// Loop-confined, as every Stream.
#pragma once

#include <memory>

#include "base/stream.h"

namespace noded::base {

// `rest` itself when `first` is empty.
std::unique_ptr<Stream> MakePrefixedStream(Slice first, std::unique_ptr<Stream> rest);

}  // namespace noded::base
