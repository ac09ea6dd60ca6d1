// Packet modes of TLS sockets from any bytes: no crash, nothing above the limits, the same packets
// however the bytes are cut, and what is framed is read as it was.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tls/packet_mode.h"

namespace {

using noded::base::ByteView;
using noded::base::Slice;
using namespace noded::tls;

constexpr size_t kMostBytes = 64;

void Require(bool claim) {
  if (!claim) std::abort();
}

struct Read {
  std::vector<std::string> packets;
  bool is_refused = false;
  friend bool operator==(const Read&, const Read&) = default;
};

Read ReadAll(Packet mode, ByteView bytes, size_t step) {
  PacketReader reader(noded::base::Limits{.max_ssl_packet_bytes = kMostBytes});
  reader.SetMode(mode, 0);
  Read read;
  for (size_t at = 0; at < bytes.size(); at += step) {
    reader.Feed(Slice::Copy(bytes.subspan(at, std::min(step, bytes.size() - at))));
    while (true) {
      auto packet = reader.Peek();
      if (!packet.ok()) {
        read.is_refused = true;
        return read;
      }
      if (!packet->has_value()) break;
      Require((*packet)->size() <= kMostBytes);
      read.packets.emplace_back((*packet)->text());
      reader.Drop();
    }
  }
  return read;
}

}  // namespace

// The first byte chooses the mode.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  constexpr Packet kModes[] = {Packet::k1, Packet::k2, Packet::k4, Packet::kLine};
  const Packet mode = kModes[data[0] % 4];
  const ByteView bytes(data + 1, size - 1);
  const Read whole = ReadAll(mode, bytes, size);
  Require(ReadAll(mode, bytes, 1) == whole);
  Require(ReadAll(mode, bytes, 3) == whole);
  for (const std::string& packet : whole.packets) {
    noded::base::Buffer body;
    body.Append(packet);
    auto framed = FramePacket(mode, std::move(body));
    Require(framed.ok());
    const Slice wire = framed->ToSlice();
    Require(ReadAll(mode, wire, 2).packets == std::vector<std::string>{packet});
  }
  return 0;
}
