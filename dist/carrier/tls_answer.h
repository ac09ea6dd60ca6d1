// Finds out whether what was called speaks TLS: a stream between TCP and TLS that looks at the
// first bytes that come, and does not wait for them for ever.
//
//   auto answer = std::make_shared<TlsAnswer>();
//   auto watched = WatchAnswer(std::move(tcp), loop.Now() + answer_within, answer);
//   auto secure = co_await tls::Handshake(std::move(watched), ...);
//   if (!secure.ok() && answer->is_none()) ...                  // it did not speak TLS
//
// A BEAM without TLS waits in silence for the rest of what it takes for a long message; others
// close. Whatever may be the beginning of a TLS record counts as TLS: who has spoken it is not
// called without it afterwards. Loop-confined, as the stream.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/stream.h"

namespace noded::dist {

struct TlsAnswer {
  enum class Kind { kPending, kTls, kSilence, kClosed, kOther };
  Kind kind = Kind::kPending;

  // It has answered, or had its time, and that was not TLS.
  bool is_none() const { return kind != Kind::kPending && kind != Kind::kTls; }
  // "closed the connection", ... what it did instead.
  std::string text() const;
};

// The stream is aborted when nothing has come by then.
std::unique_ptr<base::Stream> WatchAnswer(std::unique_ptr<base::Stream> stream,
                                          base::TimePoint until, std::shared_ptr<TlsAnswer> answer);

}  // namespace noded::dist
