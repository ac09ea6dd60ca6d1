// The head of an HTTP request from any bytes: no crash, bounded, and the same however it is cut.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "cli/verbs/tls_www.h"

namespace {

void Require(bool claim) {
  if (!claim) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const noded::base::ByteView bytes(data, size);
  noded::base::Limits limits;
  limits.max_http_head_bytes = 256;
  noded::cli::HttpRequestReader whole(limits), cut(limits);
  whole.Feed(bytes);
  for (size_t i = 0; i < bytes.size(); ++i) cut.Feed(bytes.subspan(i, 1));
  Require(whole.is_done() == cut.is_done());
  if (!whole.is_done()) {
    Require(size <= limits.max_http_head_bytes);
    return 0;
  }
  Require(std::string(whole.status()) == cut.status());
  const std::string answer = whole.Answer("page");
  Require(answer == cut.Answer("page"));
  Require(answer.starts_with("HTTP/1.1 ") && answer.find("\r\n\r\n") != std::string::npos);
  return 0;
}
