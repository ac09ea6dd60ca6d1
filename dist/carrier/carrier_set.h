// The carriers of one node, the preferred one first: one, or a plain and an encrypted one of the
// same address family, for the time in which a cluster moves from one to the other.
//
//   ASSIGN_OR_RETURN(CarrierSet carriers, CarrierSet::Create({tls, tcp}));
//   auto stream = co_await carriers.Secure(std::move(accepted), deadline);   // whichever it speaks
//   carriers.Of((*stream)->peer()).name();                                   // "inet_tls"
//
// epmd knows one port of a node, so both share it: what a peer sends first tells them apart. A TLS
// record begins with its type and a 3, 0x16 0x03 in a first message; that would be the length of a
// handshake message of 5635 bytes, and no name of a node is that long. Whom we call: see
// dist/carrier/connect_plan.h.
// A value that refers to its carriers; thread-safe as they are. Errors of Create: InvalidArgument.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "dist/carrier/carrier.h"

namespace noded::dist {

class CarrierSet {
 public:
  static absl::StatusOr<CarrierSet> Create(std::vector<Carrier*> carriers);

  Carrier& preferred() const { return *carriers_.front(); }
  const std::vector<Carrier*>& all() const { return carriers_; }
  bool is_v6() const { return preferred().is_v6(); }
  // One of each kind.
  bool is_mixed() const { return carriers_.size() > 1; }
  // Null when there is none of the kind.
  Carrier* Find(bool is_secure) const;
  // That of a stream, by what is known of the peer at its other end.
  Carrier& Of(const base::PeerIdentity& peer) const;
  // "inet_tls inet_tcp".
  std::string ToString() const;

  // Carrier::Secure of the carrier that the peer speaks.
  base::Task<absl::StatusOr<std::unique_ptr<base::Stream>>> Secure(
      std::unique_ptr<base::Stream> accepted, base::TimePoint deadline) const;

 private:
  explicit CarrierSet(std::vector<Carrier*> carriers) : carriers_(std::move(carriers)) {}

  std::vector<Carrier*> carriers_;
};

}  // namespace noded::dist
