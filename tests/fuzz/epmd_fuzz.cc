// epmd's requests and replies from any bytes: no crash, nothing above the limits, and what decodes
// encodes to something that decodes to the same. What the server makes of them: epmd_session_fuzz.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "absl/status/statusor.h"

#include "dist/epmd_format.h"

namespace {

using noded::base::ByteView;
using noded::base::Slice;
using namespace noded::dist;

constexpr size_t kPrefixes = 256;  // of longer replies the first ones

void Require(bool claim) {
  if (!claim) std::abort();
}

// The same request however the bytes are cut: whole, one by one, and in two anywhere.
void Request(ByteView bytes) {
  EpmdRequestReader whole{noded::base::Limits()}, single{noded::base::Limits()};
  whole.Feed(bytes);
  auto request = whole.Next();
  auto again = single.Next();
  for (size_t i = 0; i < bytes.size() && again.ok() && !*again; ++i) {
    single.Feed(bytes.subspan(i, 1));
    again = single.Next();
  }
  if (!request.ok()) {
    // Bytes behind a request are seen only when they come with it.
    Require(!again.ok() || *again);
    return;
  }
  Require(again.ok() && *again == *request);
  if (!*request) return;
  for (size_t at = 0; at <= bytes.size(); ++at) {
    EpmdRequestReader cut{noded::base::Limits()};
    cut.Feed(bytes.first(at));
    auto first = cut.Next();
    Require(first.ok() && first->has_value() == (at == bytes.size()));
    cut.Feed(bytes.subspan(at));
    auto second = cut.Next();
    Require(second.ok() && *second == *request);
  }

  const Slice encoded = EncodeEpmdRequest(**request).ToSlice();
  auto decoded = DecodeEpmdRequest(encoded.view().subspan(2));
  Require(decoded.ok() && *decoded == **request);
}

// A reply is missing bytes until it is there, and nothing may follow it.
template <class Reply>
void CheckPrefixes(ByteView bytes,
                   absl::StatusOr<std::optional<Reply>> (*decode)(ByteView so_far)) {
  bytes = bytes.first(std::min(bytes.size(), kPrefixes));
  bool has_failed = false, is_whole = false;
  for (size_t size = 0; size <= bytes.size(); ++size) {
    auto reply = decode(bytes.first(size));
    if (has_failed || is_whole) Require(!reply.ok());
    has_failed = has_failed || !reply.ok();
    is_whole = is_whole || (reply.ok() && *reply);
  }
}

void Replies(ByteView bytes) {
  CheckPrefixes(bytes, &DecodeEpmdRegisterReply);
  CheckPrefixes(bytes, &DecodeEpmdLookUpReply);
  if (auto reply = DecodeEpmdRegisterReply(bytes); reply.ok() && *reply) {
    Require(**DecodeEpmdRegisterReply(EncodeEpmdRegisterReply(**reply).ToSlice()) == **reply);
  }
  if (auto reply = DecodeEpmdLookUpReply(bytes); reply.ok() && *reply) {
    Require(**DecodeEpmdLookUpReply(EncodeEpmdLookUpReply(**reply).ToSlice()) == **reply);
  }
  if (auto reply = DecodeEpmdNamesReply(bytes); reply.ok()) {
    Require(*DecodeEpmdNamesReply(EncodeEpmdNamesReply(*reply).ToSlice()) == *reply);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes(data, size);
  Request(bytes);
  Replies(bytes);
  return 0;
}
