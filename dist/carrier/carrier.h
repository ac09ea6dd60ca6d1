// A carrier is a way to reach other nodes and to be reached: inet_tcp, inet6_tcp, inet_tls,
// inet6_tls. All a link needs from it is a Stream; what lies below, nothing above asks.
//
//   CarrierTable carriers;                                  // built in main
//   carriers.Add(MakeTcpCarrier(false));
//   ASSIGN_OR_RETURN(Carrier * carrier, carriers.Find("inet_tcp"));
//   auto stream = co_await carrier->Connect(loop, target, deadline);       // connecting side
//   auto stream = co_await carrier->Secure(std::move(accepted), deadline);  // accepting side
//
// Listening is the same over every carrier (dist/carrier/listener.h): the acceptor takes raw TCP
// streams from a Listener and passes each through Secure. A carrier is thread-safe: it holds frozen
// configuration only, and its tasks run on the loop of the call. It outlives every task and stream
// it made. Errors: Unavailable (econnrefused, etimedout, nxdomain, ...), DeadlineExceeded, from TLS
// Unauthenticated, DataLoss and FailedPrecondition (nothing in common, or no options for it).
// A node with several of them: dist/carrier/carrier_set.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/stream.h"
#include "base/task.h"

namespace noded::dist {

// Where to connect to.
struct Target {
  std::string host;  // name or numeric address, without brackets
  uint16_t port = 0;
  // The host part of the node's name: what TLS sends as SNI and checks the certificate against.
  std::string node_host;
  // Not zero: somebody will try without TLS. The peer must answer TLS within this time, or Connect
  // fails with the reason not_tls. That is never the reason for a peer that has spoken TLS.
  base::Duration answer_within{};
};

// Something that starts but is not as it should be, and what to do about it.
struct Warning {
  std::string what;
  std::string mend;
};

class Carrier {
 public:
  Carrier() = default;
  virtual ~Carrier() = default;
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;

  // As -proto_dist names it.
  virtual std::string_view name() const = 0;
  virtual bool is_v6() const = 0;
  // True when peers are authenticated and bytes are encrypted below the distribution protocol.
  virtual bool is_secure() const = 0;

  // How OTP's carrier of this kind frames the messages of the distribution handshake: the bytes of
  // their length, 2 or 4.
  virtual int handshake_length_bytes() const { return is_secure() ? 4 : 2; }

  // Resolves the host in the carrier's address family, connects to its addresses in turn and, with
  // TLS, shakes hands. The stream lives on `loop`, on which this must be called.
  virtual base::Task<absl::StatusOr<std::unique_ptr<base::Stream>>> Connect(
      base::Loop& loop, Target target, base::TimePoint deadline) = 0;

  // What the acceptor runs on each accepted stream, on its loop: with TLS the handshake as server,
  // else nothing. The stream is aborted when this fails.
  virtual base::Task<absl::StatusOr<std::unique_ptr<base::Stream>>> Secure(
      std::unique_ptr<base::Stream> accepted, base::TimePoint deadline) = 0;

  // What an operator should know about the configuration; told once, at the start.
  virtual std::vector<Warning> Warnings() const { return {}; }
};

// The carriers of this program. Filled at the start, then only read: thread-safe from there on.
class CarrierTable {
 public:
  // A carrier of the same name is replaced.
  void Add(std::unique_ptr<Carrier> carrier);
  // InvalidArgument for an unknown name: says which are known and which is nearest.
  absl::StatusOr<Carrier*> Find(std::string_view name) const;

 private:
  std::vector<std::unique_ptr<Carrier>> carriers_;
};

}  // namespace noded::dist
