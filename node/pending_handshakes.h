// Connections that were accepted and have not proved who they are: bounded in number, in all and
// for each address, so that silent ones cannot keep a real peer out.
//
//   auto [stream, ticket] = pending.Add(std::move(accepted));   // may cut an older one
//   ... TLS and the handshake run over `stream` ...
//   pending.Remove(ticket);
//
// When there are too many, the oldest that has said nothing goes first, then the oldest of all: who
// talks as a node does is through in milliseconds. Confined to the loop that accepts; the streams
// live on loops of their own.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "base/limits.h"
#include "base/stream.h"

namespace noded::node {

class PendingHandshakes {
 public:
  using Ticket = uint64_t;
  struct Added {
    std::unique_ptr<base::Stream> stream;  // the accepted one, watched
    Ticket ticket = 0;
  };

  explicit PendingHandshakes(const base::Limits& limits) : limits_(limits) {}

  Added Add(std::unique_ptr<base::Stream> accepted);
  // False when it had to make room before.
  bool Remove(Ticket ticket);
  // Cuts all of them.
  void AbortAll();

  size_t size() const { return entries_.size(); }
  // How many had to make room.
  uint64_t evicted() const { return evicted_; }

 private:
  class Watched;
  struct State;
  struct Entry {
    Ticket ticket;
    std::string address;
    std::shared_ptr<State> state;
  };

  void Evict(const std::string* address);

  const base::Limits limits_;
  std::list<Entry> entries_;  // oldest first
  Ticket next_ticket_ = 1;
  uint64_t evicted_ = 0;
};

}  // namespace noded::node
