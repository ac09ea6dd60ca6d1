// Just enough HTTP for `nodectl tls serve --www`: one request, one page, then the end.
//
//   HttpRequestReader reader;
//   while (!reader.is_done()) reader.Feed(co_await stream.Read());
//   std::string answer = reader.Answer(StatusPage(stream.peer(), "noded"));
//
// GET and HEAD of HTTP/1.0 and 1.1, whatever the path; all else gets the status that says why. No
// body is read: `Connection: close` ends the exchange. The head of a request is bounded by
// limits.max_http_head_bytes. Not thread-safe. Source: RFC 9110, RFC 9112.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/peer_identity.h"

namespace noded::cli {

class HttpRequestReader {
 public:
  explicit HttpRequestReader(base::Limits limits = {}) : limits_(limits) {}

  void Feed(base::ByteView bytes);
  // The head is complete, or will never be.
  bool is_done() const { return status_ != nullptr; }
  // "200 OK"; null before is_done().
  const char* status() const { return status_; }

  // The whole response; `page` is HTML and goes into it when all is well.
  std::string Answer(std::string_view page) const;

 private:
  const char* Judge() const;

  const base::Limits limits_;
  std::string head_;
  bool wants_body_ = true;
  const char* status_ = nullptr;
};

// HTML that says what the connection agreed on.
std::string StatusPage(const base::PeerIdentity& peer, std::string_view server);

}  // namespace noded::cli
