// Channel is a link behind its handshake: bytes to control messages with their terms, and back.
//
//   Channel channel({.flags = done.flags, .tick_interval = net_ticktime / 4, .now = now});
//   channel.Feed(done.rest);
//   channel.Feed(bytes);
//   while (auto event = channel.Next(now); event.ok() && *event) ...   // Message or BadMessage
//   channel.Send(RegSend{self, "rex"}, request);
//   while (channel.queued_bytes() > 0) co_await Write(channel.TakeOutput());
//
// Large messages go out in fragments. TakeOutput() gives what is small and some fragments; ask
// again when that is written, so that small messages of other senders pass large ones. The messages
// of one sender stay in order. Decoded binaries share what was fed.
// Loop-confined; knows no socket; time comes in through Next(), which also makes ticks: call it at
// Deadline(). Errors of Next() end the link: DataLoss (framing, header or fragments broken),
// ResourceExhausted (a limit), Unavailable (reason net_tick_timeout).
// Source: OTP "Distribution Protocol", Protocol between Connected Nodes; net_kernel, net_ticktime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

#include "absl/status/statusor.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "dist/atom_cache.h"
#include "dist/control.h"
#include "dist/fragment.h"
#include "dist/atom_cache_writer.h"
#include "dist/packet.h"
#include "dist/term.h"

namespace noded::dist {

class Channel {
 public:
  struct Options {
    uint64_t flags = 0;  // negotiated
    // net_ticktime / net_tickintensity; zero: neither ticks nor timeouts.
    base::Duration tick_interval{};
    // So many silent intervals end the link.
    int tick_intensity = 4;
    base::Limits limits;
    base::TimePoint now;
  };

  struct Message {
    Control control;
    std::optional<Term> payload;
  };
  // This message cannot be understood; the link lives on.
  struct BadMessage {
    absl::Status status;
  };
  using Event = std::variant<Message, BadMessage>;

  explicit Channel(Options options);

  void Feed(base::Slice bytes);
  absl::StatusOr<std::optional<Event>> Next(base::TimePoint now);

  // `payload`: for messages that carry one; the reason of an exit is taken from the message itself.
  // False, and nothing is sent, when the peer did not negotiate this message, or when it is too
  // large for a packet and the peer takes no fragments.
  bool Send(const Control& control, const std::optional<Term>& payload);
  // Some of what is queued; empty when nothing is.
  base::Buffer TakeOutput();
  // All that waits to be taken.
  size_t queued_bytes() const { return queued_bytes_; }
  std::optional<base::TimePoint> Deadline() const;

  uint64_t flags() const { return options_.flags; }

 private:
  // The rest of a large message and what its sender sent after it, in order.
  using Lane = std::deque<base::Buffer>;

  Event Decode(const base::Slice& packet, size_t offset, std::span<const Term> atoms, bool is_bare);
  absl::StatusOr<Message> DecodeMessage(const base::Slice& packet, size_t offset,
                                        std::span<const Term> atoms, bool is_bare);
  absl::StatusOr<std::optional<Event>> TakePacket(const base::Slice& packet);
  absl::Status Tick(base::TimePoint now);
  void Queue(const Pid* sender, Lane packets);
  void TakeTurn(base::Buffer& out);
  void WriteHeader(const Pid* sender, const AtomTable& atoms, base::ByteWriter& out);

  const Options options_;
  PacketReader packets_;
  AtomCache atoms_;
  AtomCacheWriter sent_atoms_;
  FragmentAssembler fragments_;

  base::Buffer ready_;
  std::unordered_map<Pid, Lane, IdentifierHash> lanes_;
  std::deque<Pid> turns_;  // the lanes in the order in which they may send next
  size_t queued_bytes_ = 0;
  uint64_t next_sequence_ = 1;

  base::TimePoint next_tick_;
  bool has_sent_ = false;      // since the last tick
  bool has_received_ = false;  // since the last tick
  int silent_ticks_ = 0;
  absl::Status failure_;
};

}  // namespace noded::dist
