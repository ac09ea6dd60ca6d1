// TLS without a socket: ciphertext in and out on one side, plaintext on the other. Both roles, TLS
// 1.2 and 1.3.
//
//   Engine engine(context, {.peer_host = "b.example"});
//   engine.Feed(bytes);                              // what came from the socket; none at first
//   auto event = engine.Next();                      // value, none (read more) or error
//   socket.Write(engine.TakeOutput());               // before looking at the error: it may hold
//   if (!event.ok()) return event.status();          // the alert
//   if (*event) std::visit(driver, **event);         // HandshakeDone, Data, PeerClosed
//   engine.Write(std::move(plaintext));              // after HandshakeDone; then TakeOutput
//
// A client's first Next() makes its ClientHello. Loop-confined, no clock but the wall clock for
// certificates and `clock` for how often a peer may renegotiate. An error ends the object; its
// reason is the alert's name, sent or received, as OTP spells it. Errors: Unauthenticated
// (certificates, and a peer's alert about ours), DataLoss (malformed or forged bytes, a peer that
// speaks something else), FailedPrecondition (no common version, suite, group or protocol),
// ResourceExhausted (a limit), Unavailable (the bytes ended too early).
//
// TLS 1.3 KeyUpdates and TLS 1.2 renegotiations, of either side, go on beneath the data; they are
// ours to start at Traffic::key_update_at and renegotiate_at. While a renegotiation is under way
// plaintext is held back: somebody must read. Sessions are kept and gone on with by
// EngineOptions::peer_host and port, as Options::sessions says (docs/sessions.md). Source: RFC
// 8446, RFC 5246, RFC 5746.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "tls/connection_info.h"
#include "tls/context.h"

namespace noded::tls {

struct EngineOptions {
  // Client: the host that is connected to, a name or a literal address; for SNI and the name check
  // as Trust::name_check says.
  std::string peer_host;
  base::Limits limits;
  // Null: the steady clock. Outlives the engine.
  const base::Clock* clock = nullptr;
  // Client: the port that is connected to; server: the one that listens; 0: unknown. Sessions are
  // kept by it.
  uint16_t port = 0;
};

struct HandshakeDone {
  ConnectionInfo info;
};
struct Data {
  base::Slice bytes;  // one record's content; never empty
};
// The peer said close_notify: no Data follows. Our side may still write.
struct PeerClosed {};
// The handshake waits for revocation lists (option crl_check): have the context's crl_cache fetch
// these, off the loop, then call Resume(). Until then Next() gives none.
struct CrlsWanted {
  std::vector<std::string> uris;
};
// TLS 1.2: keys, and perhaps the peer's certificate, are new.
struct Renegotiated {
  ConnectionInfo info;
};
// The peer does not want a renegotiation that we asked for; the connection lives.
struct RenegotiationRejected {};
using Event =
    std::variant<HandshakeDone, Data, PeerClosed, Renegotiated, RenegotiationRejected, CrlsWanted>;

// What Prf() takes: bytes, or a value of the session by its name.
enum class PrfValue { kMasterSecret, kClientRandom, kServerRandom };
using PrfInput = std::variant<PrfValue, base::Slice>;

class Engine {
 public:
  Engine(std::shared_ptr<const Context> context, EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Ciphertext arrived; shared, not copied, when it is a Slice.
  void Feed(base::Slice ciphertext);
  void Feed(base::ByteView ciphertext) { Feed(base::Slice::Copy(ciphertext)); }
  // The peer's bytes ended without more to come. Next() then tells whether that was too early.
  void FeedEnd();

  // Call until it gives none.
  absl::StatusOr<std::optional<Event>> Next();

  // After CrlsWanted, whether they could be fetched or not; else nothing. Then call Next().
  void Resume();

  // Encrypts; only after HandshakeDone, and not after Close(). Small pieces share a record.
  absl::Status Write(base::Buffer plaintext);
  // Plaintext that waits for the end of a renegotiation; write no more until it is gone.
  size_t held_bytes() const;
  // Says close_notify, once, when the handshake is done and all that was written is out; else
  // nothing. The peer's data is read on.
  void Close();

  // TLS 1.3: a new key for what we send and, when asked for, for what the peer sends.
  // FailedPrecondition in TLS 1.2.
  absl::Status UpdateKeys(bool ask_peer);
  // TLS 1.2: starts a renegotiation, or asks the client for one; Renegotiated or
  // RenegotiationRejected follows. FailedPrecondition in TLS 1.3, and when the peer lacks RFC 5746.
  absl::Status Renegotiate();

  // Keying material bound to this session: RFC 5705 (TLS 1.2; no context and an empty one differ),
  // RFC 8446 7.5. Both of these only after HandshakeDone.
  absl::StatusOr<std::vector<uint8_t>> Export(std::string_view label,
                                              std::optional<base::ByteView> context, size_t size);
  // TLS 1.2's pseudo-random function over the concatenated seeds (RFC 5246 5); OTP's ssl:prf.
  absl::StatusOr<std::vector<uint8_t>> Prf(const PrfInput& secret, std::string_view label,
                                           const std::vector<PrfInput>& seed, size_t size);
  // Client: the session that this connection left last, as options.sessions.reuse_session takes it;
  // empty: none (yet). Whoever has it can read what was sent.
  base::Slice SessionData() const;
  // As in HandshakeDone or the last Renegotiated.
  const ConnectionInfo& info() const;
  // A server's: that of the host that the client asked for, from then on.
  const std::shared_ptr<const Context>& context() const;
  // Not OK: why plaintext that Write() took will not be sent (the peer closed while it was held).
  const absl::Status& held_failure() const;

  // Drops the record buffers when nothing is in them; they come back with the next use.
  void Hibernate();
  // Held by this connection for records, input and output.
  size_t buffer_bytes() const;

  // After PeerClosed: the bytes that came after the close_notify, which are not TLS.
  base::Slice TakeRest();

  bool is_handshake_done() const;
  bool has_output() const;
  // What is to be sent; valid after an error too.
  base::Buffer TakeOutput();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace noded::tls
