// The handshake from any bytes, in both roles: no crash, nothing above the limit, no success
// without the proof, and the same end however the bytes are cut.
//
// The first byte of the input chooses role, version and answers; the rest is what the peer says.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "dist/flags.h"
#include "dist/handshake.h"

namespace {

using namespace noded::dist;
using noded::base::ByteView;

void Require(bool claim) {
  if (!claim) std::abort();
}

struct End {
  Handshake::State state;
  absl::Status error;
  std::optional<Handshake::Done> done;
};

const std::shared_ptr<const CookieJar>& Jar() {
  static const auto jar =
      std::make_shared<const CookieJar>(Cookie{noded::base::Secret("secret"), "option -setcookie"});
  return jar;
}

End Run(uint8_t choice, ByteView bytes, size_t cut) {
  const bool is_acceptor = choice & 1;
  const uint64_t flags = LocalFlags(true) | ((choice & 4) ? dflag::kNameMe : 0);
  const auto framing = (choice & 0x40) ? HandshakeFraming::k4Bytes : HandshakeFraming::k2Bytes;
  Handshake handshake(is_acceptor ? Handshake::Role::kAcceptor : Handshake::Role::kInitiator,
                      {is_acceptor ? "b@host" : "a@host", 22, flags, framing}, Jar(),
                      is_acceptor ? "" : "b@host", noded::base::TimePoint::max(),
                      noded::base::Limits(), (choice & 2) ? 5 : 6,
                      [] { return uint32_t{0x12345678}; });
  const auto verdict = static_cast<Handshake::Verdict>((choice >> 3 & 7) % 5);
  End end{handshake.state(), {}, {}};
  for (size_t i = 0; i < bytes.size(); i += cut) {
    handshake.Feed(bytes.subspan(i, std::min(cut, bytes.size() - i)));
    while (true) {
      auto event = handshake.Next(noded::base::TimePoint());
      Require(handshake.TakeOutput().size() <= 4 * noded::base::Limits().max_handshake_bytes);
      if (!event.ok()) end.error = event.status();
      if (!event.ok() || !*event) break;
      if (auto* named = std::get_if<Handshake::PeerNamed>(&**event)) {
        if (named->flags & dflag::kNameMe) handshake.AnswerNamed("given@host", 7);
        handshake.Answer(verdict);
      }
      if (std::holds_alternative<Handshake::AliveAsked>(**event)) handshake.AnswerAlive(true);
      if (std::holds_alternative<Handshake::Committing>(**event)) handshake.Commit(true);
      if (auto* done = std::get_if<Handshake::Done>(&**event)) end.done = *done;
    }
  }
  Require(!handshake.PeerClosed().ok());
  end.state = handshake.state();
  return end;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  const End whole = Run(data[0], bytes, std::max<size_t>(bytes.size(), 1));
  const End single = Run(data[0], bytes, 1);
  // Whether all came at once shows in what is left over, and in how early a flood is refused.
  if (whole.error.code() != absl::StatusCode::kResourceExhausted) {
    Require(whole.state == single.state && whole.error.code() == single.error.code());
    Require(whole.done.has_value() == single.done.has_value());
  }
  if (whole.done && single.done) {
    Require(whole.done->peer == single.done->peer && whole.done->flags == single.done->flags);
    Require((whole.done->flags & dflag::kMandatory25) == dflag::kMandatory25);
  }
  for (HandshakeReader reader : {HandshakeReader::kAcceptor, HandshakeReader::kInitiator}) {
    auto message = DecodeHandshake(bytes, reader);
    if (!message.ok()) continue;
    const noded::base::Slice encoded = EncodeHandshake(*message).ToSlice();
    auto again = DecodeHandshake(encoded.view().subspan(2), reader);
    Require(again.ok() && *again == *message);
  }
  return 0;
}
