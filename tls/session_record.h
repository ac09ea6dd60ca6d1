// What is kept of a session besides mbedTLS's own form of it, and how it is written: the content of
// a StoredSession (tls/session_cache.h) and of a ticket before it is sealed (tls/ticket_keys.h).
//
//   base::Slice content = Encode(record);
//   std::optional<SessionRecord> record = DecodeSessionRecord(content);     // none: not one of
//   ours
//
// mbedTLS's form holds no peer certificate in TLS 1.3, does not say whether the Extended Master
// Secret was used in 1.2, and counts time from the start of the machine: all three are kept here.
// Plain values; the session is wiped with its last holder. Layout, big-endian: version 1 u8, flags
// u8, binding 32 bytes, created and received u64 milliseconds, then server name, peer certificate
// and session, each behind its length (u16, u24 as u8 and u16, u24).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "tls/options.h"

namespace noded::tls {

using SessionMilliseconds = std::chrono::sys_time<std::chrono::milliseconds>;

// A digest of all options that decide whether a peer is believed, and of who we are: what must be
// the same again (tls/session_binding.h).
using SessionBinding = std::array<uint8_t, 32>;

struct SessionRecord {
  Role role = Role::kClient;
  Version version = Version::kTls13;
  bool has_extended_master_secret = false;  // TLS 1.2; RFC 7627
  bool is_peer_verified = false;
  SessionBinding binding = {};
  // When the peer proved itself in a whole handshake: what is renewed since does not live longer.
  SessionMilliseconds created;
  // When this session or ticket came to be.
  SessionMilliseconds received;
  std::string server_name;  // SNI; empty: none
  base::Slice peer;         // its certificate, DER; empty: it sent none
  base::Slice session;      // mbedtls_ssl_session_save(), without the certificate

  friend bool operator==(const SessionRecord&, const SessionRecord&) = default;
};

// A certificate or session of 16 MiB or more, or a name of 64 KiB, is none that TLS could carry:
// such a record cannot be decoded.
base::Slice Encode(const SessionRecord& record);
std::optional<SessionRecord> DecodeSessionRecord(base::ByteView content);

}  // namespace noded::tls
