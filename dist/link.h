// A link is the driver of one connection between two nodes, once their handshake is done: it reads
// from the stream into the channel and writes what the channel has to say, ticks included. It makes
// no decision about the protocol.
//
//   auto link = std::make_shared<NodeLink>(std::move(stream), std::move(peer), options);
//   link->Start([home](Channel::Event event) { ... }, [home](absl::Status why) { ... });
//   link->Send(control, payload);             // from any thread; order is kept
//   link->Close();                            // what is queued goes out, then goodbye
//
// Both functions are called on the link's loop; `on_down` exactly once, as the last call, with the
// reason: OK when this side closed it, Unavailable when the peer did (connection_closed) or went
// silent (net_tick_timeout), DataLoss when it broke the protocol, ResourceExhausted at a limit
// (limits.h: its messages, or what is queued for a peer that does not read). It keeps
// itself alive from Start until then. Construct and Start it on the stream's loop; Send, Close,
// Abort and the const methods are thread-safe.
// Source: OTP "Distribution Protocol", "Protocol between Connected Nodes".
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "asio/steady_timer.hpp"

#include "base/limits.h"
#include "base/stream.h"
#include "base/task.h"
#include "dist/channel.h"
#include "dist/handshake.h"

namespace noded::dist {

class NodeLink : public std::enable_shared_from_this<NodeLink> {
 public:
  struct Options {
    base::Duration tick_interval = std::chrono::seconds(15);
    int tick_intensity = 4;
    base::Limits limits;
  };
  // Plain counters, for info and metrics.
  struct Counters {
    uint64_t bytes_in = 0;
    uint64_t bytes_out = 0;
    uint64_t messages_in = 0;
    uint64_t messages_out = 0;
  };
  using OnEvent = std::function<void(Channel::Event)>;
  using OnDown = std::function<void(absl::Status)>;

  NodeLink(std::unique_ptr<base::Stream> stream, Handshake::Done peer, Options options);
  NodeLink(const NodeLink&) = delete;
  NodeLink& operator=(const NodeLink&) = delete;

  void Start(OnEvent on_event, OnDown on_down);

  void Send(Control control, std::optional<Term> payload);
  // Sends what is queued, says goodbye, ends. Bounded in time by the caller: Abort() follows.
  void Close();
  // Cuts the connection; `why` is what on_down is told.
  void Abort(absl::Status why);

  const Handshake::Done& peer() const { return peer_; }
  const base::PeerIdentity& identity() const { return identity_; }
  Counters counters() const;
  // More is queued towards the peer than limits.link_high_water_bytes.
  bool is_busy() const { return queued_bytes_.load() > options_.limits.link_high_water_bytes; }

 private:
  enum class State { kIdle, kOpen, kClosing, kDown };

  base::Task<absl::Status> ReadAll();
  base::Task<absl::Status> WriteAll();
  absl::Status Drain();
  void Wake();
  void Half(absl::Status ended);

  std::unique_ptr<base::Stream> stream_;
  const Handshake::Done peer_;
  const base::PeerIdentity identity_;
  const Options options_;
  base::Loop& loop_;
  Channel channel_;
  asio::steady_timer wake_;
  OnEvent on_event_;
  OnDown on_down_;
  State state_ = State::kIdle;
  int running_ = 0;  // of ReadAll and WriteAll
  absl::Status why_;
  std::atomic<uint64_t> bytes_in_{0}, bytes_out_{0}, messages_in_{0}, messages_out_{0};
  std::atomic<size_t> queued_bytes_{0};
};

}  // namespace noded::dist
