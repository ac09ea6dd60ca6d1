// Lets one connection go on with what an earlier one proved: offers or accepts a session, says
// whether it was taken, and keeps what the handshake leaves for the next. Part of an Engine.
//
//   Resumption resumption(context, config, {host, port, expected_name}, ssl, server_name,
//   is_verified); mbedtls_ssl_setup(&ssl, resumption.config()); resumption.Offer(); // a client,
//   once its host name is set
//   ... each handshake step, then
//   RETURN_IF_ERROR(resumption.Observe());               // refuse with handshake_failure
//   if (resumption.is_resumed()) ...                     // no certificate comes: peer() has it
//   resumption.Finish();                                 // the handshake is over
//   resumption.KeepTicket();                             // a TLS 1.3 ticket came
//
// What must be the same again, or the session is passed over and a whole handshake follows: all of
// tls/session_binding.h, the peer's name and SNI, and the peer's certificate must still be valid
// and carry the name. In TLS 1.2 a session without the Extended Master Secret is not gone on with
// where a client's certificate is asked for or shown (triple handshake, RFC 7627 5.3 and 5.4).
// Lives within its Engine; loop-confined, but for the store that a context's connections share.
// Source: RFC 5246 7.3, RFC 5077, RFC 8446 2.2 and 4.6.1.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "mbedtls/ssl.h"

#include "tls/context.h"
#include "tls/session_cache.h"
#include "tls/session_record.h"
#include "tls/session_store.h"

namespace noded::tls {

class Resumption {
 public:
  struct Peer {
    std::string host;           // client: whom we connect to; empty: no session is offered or kept
    uint16_t port = 0;          // client: the peer's; server: ours
    std::string expected_name;  // client: what its certificate must carry
  };

  // `base`: what the connection would be set up with without this. It, `ssl` and `server_name`
  // (SNI, as far as it is known) outlive it. `is_verified`: has this handshake's peer been checked?
  Resumption(const Context& context, const mbedtls_ssl_config& base, Peer peer,
             mbedtls_ssl_context& ssl, const std::string& server_name,
             std::function<bool()> is_verified);
  Resumption(const Resumption&) = delete;
  Resumption& operator=(const Resumption&) = delete;

  // What to set the connection up with; lives as long as this.
  const mbedtls_ssl_config* config();
  void Offer();

  // After each step of the handshake. Unauthenticated: the peer breaks RFC 7627.
  absl::Status Observe();
  void Finish();
  void KeepTicket();
  // The handshake failed: nothing that was kept of this peer is offered again.
  void Forget();
  // A renegotiation proves everything anew.
  void Restart() { is_resumed_ = false; }

  bool is_resumed() const { return is_resumed_; }
  // Of a resumed session: whether its peer was checked, and its certificate in DER.
  bool is_peer_verified() const { return is_resumed_ && current_->is_peer_verified; }
  base::Slice peer() const { return is_resumed_ ? current_->peer : base::Slice(); }
  // Client: the content of the session that was kept last; empty: none. Wiped with its last holder.
  const base::Slice& kept() const { return kept_; }

 private:
  // In the shapes of mbedTLS's f_ticket_write, f_ticket_parse, f_get_cache and f_set_cache.
  static int WriteTicket(void* self, const mbedtls_ssl_session* session, unsigned char* start,
                         const unsigned char* end, size_t* size, uint32_t* lifetime);
  static int ParseTicket(void* self, mbedtls_ssl_session* session, unsigned char* ticket,
                         size_t size);
  static int GetSession(void* self, const unsigned char* id, size_t size,
                        mbedtls_ssl_session* session);
  static int SetSession(void* self, const unsigned char* id, size_t size,
                        const mbedtls_ssl_session* session);

  bool is_server() const { return context_.role() == Role::kServer; }
  SessionTime Now() const;
  std::string PartialKey() const;
  SessionBinding Binding() const;
  bool is_tls12() const;

  // Could this one be gone on with, as far as is known before the session itself is looked at?
  bool IsFit(const SessionRecord& record) const;
  bool HasFitPeer(const SessionRecord& record) const;
  bool MayUseSecret(bool has_extended_master_secret) const;
  // Server: also fit for this ClientHello, and the user agrees. Fills `session`.
  bool Accept(SessionRecord record, base::ByteView id, mbedtls_ssl_session* session);
  bool AsksUser(const SessionRecord& record, base::ByteView id, int suite) const;
  // Client.
  bool OfferOne(const base::Slice& content);
  void Keep(const mbedtls_ssl_session& session, bool is_single_use);
  void DropOffered();

  std::optional<SessionRecord> Record(const mbedtls_ssl_session& session) const;
  // When what is made of this handshake ends; not after `longest` from now on.
  SessionTime Expiry(const SessionRecord& record, std::chrono::seconds longest) const;

  const Context& context_;
  const mbedtls_ssl_config& base_;
  const Peer peer_;
  mbedtls_ssl_context& ssl_;
  const std::string& server_name_;
  const std::function<bool()> is_verified_;
  SessionStore* const store_;  // null: no session is gone on with

  mbedtls_ssl_config config_;  // `base_` with our hooks; owns nothing
  bool is_resumed_ = false;
  bool has_offer_ = false;  // a session was offered, by us or the peer
  bool has_extended_master_secret_ = false;
  std::optional<SessionRecord> current_;  // offered (client) or accepted (server)
  std::optional<SessionRecord> ticket_;   // server, TLS 1.2: what the peer's ticket holds
  std::optional<SessionKey> offered_key_;
  base::Slice offered_ticket_id_;
  absl::Status fault_;
  SessionMilliseconds began_;
  int tickets_kept_ = 0;
  base::Slice kept_;
};

}  // namespace noded::tls
