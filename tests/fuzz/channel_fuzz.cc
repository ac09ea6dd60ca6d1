// A link's bytes behind the handshake: no crash, the same messages however the bytes are cut, and
// what was understood can be sent on and is understood again.
//
// The first byte of the input says how the second reading cuts; the rest is what the peer sends.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "dist/channel.h"
#include "dist/flags.h"

namespace {

using namespace noded::dist;
using noded::base::Slice;

void Require(bool claim) {
  if (!claim) std::abort();
}

struct Heard {
  std::vector<Channel::Message> messages;
  size_t bad = 0;
  bool has_failed = false;
};

Channel MakeChannel(uint64_t flags) {
  noded::base::Limits limits;
  limits.max_term_depth = 64;
  limits.max_fragment_sequences = 8;
  limits.max_fragmented_bytes = 1 << 20;
  return Channel({.flags = flags, .limits = limits});
}

Heard Read(Channel channel, const Slice& bytes, size_t cut) {
  Heard heard;
  for (size_t i = 0; i < bytes.size(); i += cut) {
    channel.Feed(bytes.Sub(i, cut));
    while (true) {
      auto event = channel.Next({});
      heard.has_failed = !event.ok();
      if (!event.ok() || !*event) break;
      if (auto* message = std::get_if<Channel::Message>(&**event)) {
        heard.messages.push_back(*message);
      } else {
        Require(!std::get<Channel::BadMessage>(**event).status.ok());
        ++heard.bad;
      }
    }
  }
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  constexpr uint64_t kFlags = ~dflag::kNameMe;
  const Slice bytes = Slice::Copy({data + 1, size - 1});
  const Heard whole = Read(MakeChannel(kFlags), bytes, std::max<size_t>(bytes.size(), 1));
  const Heard cut = Read(MakeChannel(kFlags), bytes, size_t{data[0]} + 1);
  Require(whole.messages.size() == cut.messages.size() && whole.bad == cut.bad);
  Require(whole.has_failed == cut.has_failed);

  Channel out = MakeChannel(kFlags);
  for (size_t i = 0; i < whole.messages.size(); ++i) {
    const Channel::Message& message = whole.messages[i];
    Require(message.control == cut.messages[i].control);
    Require(message.payload == cut.messages[i].payload);
    Require(out.Send(message.control, message.payload));
  }
  noded::base::Buffer sent;
  while (out.queued_bytes() > 0) sent.Append(out.TakeOutput());
  const Slice again = sent.ToSlice();
  const Heard echo = Read(MakeChannel(kFlags), again, std::max<size_t>(again.size(), 1));
  Require(!echo.has_failed && echo.bad == 0 && echo.messages.size() == whole.messages.size());
  return 0;
}
