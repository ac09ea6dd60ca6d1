// What the connections of one context share to go on with sessions. Part of a Context; for tls/
// alone.
//
//   SessionStore& store = *context.frozen().sessions;       // null: reuse_sessions is false
//   store.counters.hits
//
// Thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "tls/session_cache.h"
#include "tls/session_counters.h"
#include "tls/session_record.h"
#include "tls/ticket_keys.h"

namespace noded::tls {

struct SessionStore {
  SessionStore(std::shared_ptr<SessionCache> given, std::chrono::seconds life,
               const SessionBinding& tied)
      : cache(std::move(given)), lifetime(life), binding(tied), keys(life) {}

  const std::shared_ptr<SessionCache> cache;
  const std::chrono::seconds lifetime;
  const SessionBinding binding;
  TicketKeys keys;  // a server's
  SessionCounters counters;
};

}  // namespace noded::tls
