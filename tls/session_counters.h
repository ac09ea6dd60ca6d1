// How often connections of a context went on with a session. Plain numbers for statistics.
//
//   SessionCounts counts = context->session_counts();
//   counts.hits, counts.misses, counts.full
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

namespace noded::tls {

struct SessionCounts {
  uint64_t hits = 0;    // connections that went on with a session
  uint64_t misses = 0;  // that offered one (a client: us; a server: the peer) and did not
  uint64_t full = 0;    // whole handshakes, those of `misses` too
  uint64_t kept = 0;    // sessions and tickets that were put into the cache, or sent

  friend bool operator==(const SessionCounts&, const SessionCounts&) = default;
};

struct SessionCounters {
  std::atomic<uint64_t> hits = 0, misses = 0, full = 0, kept = 0;

  SessionCounts Read() const { return {hits, misses, full, kept}; }
};

}  // namespace noded::tls
