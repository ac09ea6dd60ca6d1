// The keys under which a server hands its sessions to clients as tickets, so that it need not keep
// them: made at random, replaced as time goes by, never written down.
//
//   TicketKeys keys(lifetime);
//   auto ticket = keys.Seal(record, now);      // to the client
//   auto record = keys.Open(ticket, now);      // back from it; none: forged, too old, not ours
//
// A key seals for half a `lifetime` and opens for a whole one after that, so that a ticket is good
// for `lifetime` whenever it was made; then the key is wiped, and nobody who takes the process
// later can open old tickets. Ticket: 16 bytes name of the key, the first 8 always the same, 12
// nonce, AES-256-GCM of the record, 16 tag. Thread-safe. Source: RFC 5077 sections 4 and 5.5; RFC
// 8446 section 4.6.1.
#pragma once

#include <array>
#include <chrono>
#include <list>
#include <mutex>
#include <optional>

#include "mbedtls/gcm.h"

#include "base/bytes.h"
#include "tls/session_cache.h"

namespace noded::tls {

class TicketKeys {
 public:
  static constexpr size_t kNameBytes = 16, kNonceBytes = 12, kTagBytes = 16;
  static constexpr size_t kOverhead = kNameBytes + kNonceBytes + kTagBytes;

  explicit TicketKeys(std::chrono::seconds lifetime) : lifetime_(lifetime) {}
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // None when the machine gives no random numbers.
  std::optional<base::Slice> Seal(base::ByteView record, SessionTime now);
  // The record is wiped with its last holder.
  std::optional<base::Slice> Open(base::ByteView ticket, SessionTime now);
  // Made by an object of this class, perhaps another one: no identity of a pre-shared key.
  static bool IsTicket(base::ByteView bytes);

  // Keys that open at this moment.
  size_t size();

 private:
  struct Key {
    Key() { mbedtls_gcm_init(&gcm); }
    ~Key() { mbedtls_gcm_free(&gcm); }
    Key(const Key&) = delete;
    Key& operator=(const Key&) = delete;

    std::array<uint8_t, kNameBytes> name = {};
    SessionTime made;
    uint64_t sealed = 0;
    mbedtls_gcm_context gcm;
  };

  // The newest key, a new one when that is due; null without random numbers. With mutex_ held.
  Key* Current(SessionTime now);
  void Forget(SessionTime now);

  const std::chrono::seconds lifetime_;
  std::mutex mutex_;
  std::list<Key> keys_;  // the newest first
};

}  // namespace noded::tls
