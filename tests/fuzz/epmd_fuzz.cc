// epmd's requests and replies from any bytes: no crash, nothing above the limits, and what decodes
// encodes to something that decodes to the same.
#include <cstdint>
#include <cstdlib>

#include "dist/epmd_format.h"
#include "dist/epmd_table.h"

namespace {

using noded::base::ByteView;
using noded::base::Slice;
using namespace noded::dist;

void Require(bool claim) {
  if (!claim) std::abort();
}

void Request(ByteView bytes) {
  EpmdRequestReader whole{noded::base::Limits()}, single{noded::base::Limits()};
  whole.Feed(bytes);
  auto request = whole.Next();
  if (!request.ok() || !*request) return;
  for (size_t i = 0; i < bytes.size(); ++i) single.Feed(bytes.subspan(i, 1));
  auto again = single.Next();
  Require(again.ok() && *again == *request);

  const Slice encoded = EncodeEpmdRequest(**request).ToSlice();
  auto decoded = DecodeEpmdRequest(encoded.view().subspan(2));
  // A name that ends in zeroes loses one each time it is read.
  if (bytes.back() != 0) Require(decoded.ok() && *decoded == **request);

  EpmdTable table({.relaxed_command_check = true});
  EpmdAnswer answer = table.Answer(**request, {1, true});
  if (answer.next == EpmdAnswer::Next::kKeep) {
    Require(table.IsNode(1));
    EpmdAnswer names = table.Answer(EpmdNames{}, {2, false});
    auto reply = DecodeEpmdNamesReply(names.reply.ToSlice());
    Require(reply.ok() && reply->names.size() == 1);
  }
  table.Forget(1);
  Require(table.size() == 0);
}

void Replies(ByteView bytes) {
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
