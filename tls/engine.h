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
// certificates. An error ends the object; its reason is the alert's name, sent or received, as OTP
// spells it. Errors: Unauthenticated (certificates, and a peer's alert about ours), DataLoss
// (malformed or forged bytes, a peer that speaks something else), FailedPrecondition (no common
// version, suite, group or protocol), ResourceExhausted (limits.max_tls_handshake_bytes),
// Unavailable (the bytes ended too early). Renegotiation is refused with no_renegotiation. No
// session is resumed, no ticket sent. A peer's TLS 1.3 KeyUpdate ends the connection in this
// version (Unimplemented). Source: RFC 8446, RFC 5246.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "tls/connection_info.h"
#include "tls/context.h"

namespace noded::tls {

struct EngineOptions {
  // Client: the host that is connected to, a name or a literal address; for SNI and the name check
  // as Trust::name_check says.
  std::string peer_host;
  base::Limits limits;
};

struct HandshakeDone {
  ConnectionInfo info;
};
struct Data {
  base::Slice bytes;  // one record's content; never empty
};
// The peer said close_notify: no Data follows. Our side may still write.
struct PeerClosed {};
using Event = std::variant<HandshakeDone, Data, PeerClosed>;

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

  // Encrypts; only after HandshakeDone, and not after Close(). Small pieces share a record.
  absl::Status Write(base::Buffer plaintext);
  // Says close_notify, once, when the handshake is done; else nothing.
  void Close();

  bool is_handshake_done() const;
  bool has_output() const;
  // What is to be sent; valid after an error too.
  base::Buffer TakeOutput();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace noded::tls
