// How a link to another node comes about: find it, connect, secure the stream, shake hands. Where
// there are several carriers, over that of dist/carrier/connect_plan.h.
//
//   Establisher establisher(home, peers, admission, carriers, options);
//   auto made = co_await establisher.Connect(loop, "shop@host");       // we call
//   auto made = co_await establisher.Admit(std::move(stream));         // we are called
//   auto link = std::make_shared<dist::NodeLink>(std::move(made->stream), made->done, ...);
//
// Tasks run on the loop of their stream and ask `peers` on its home loop. Both end within
// options.limits.handshake_timeout, name resolution included. The options must be complete before
// the first call; the object outlives its tasks.
// Errors name the peer and the step: NotFound (its epmd does not know it), Unavailable,
// DeadlineExceeded, PermissionDenied (cookie, not admitted, another network), Unauthenticated (certificate), DataLoss. The reason
// is nok when the peer's own attempt goes on instead of ours.
#pragma once

#include <memory>

#include "absl/status/statusor.h"

#include "base/limits.h"
#include "base/loop.h"
#include "base/stream.h"
#include "base/task.h"
#include "dist/carrier/carrier_set.h"
#include "dist/cookie.h"
#include "dist/epmd_client.h"
#include "dist/handshake.h"
#include "node/admission.h"
#include "node/peers.h"

namespace noded::node {

class Establisher {
 public:
  struct Options {
    dist::Handshake::Local local;  // framing is the carrier's
    std::shared_ptr<const dist::CookieJar> cookies;
    uint16_t epmd_port = 4369;
    // Not 0: every node listens here, and epmd is not asked.
    uint16_t fixed_port = 0;
    // Only peers of the network that they reach us on.
    bool check_ip = false;
    base::Limits limits;
  };
  struct Made {
    std::unique_ptr<base::Stream> stream;
    dist::Handshake::Done done;
  };

  Establisher(base::Loop& home, Peers& peers, const Admission& admission,
              const dist::CarrierSet& carriers, Options options)
      : home_(home),
        peers_(peers),
        admission_(admission),
        carriers_(carriers),
        options_(std::move(options)) {}
  Establisher(const Establisher&) = delete;
  Establisher& operator=(const Establisher&) = delete;

  base::Task<absl::StatusOr<Made>> Connect(base::Loop& loop, dist::AtomName node);
  base::Task<absl::StatusOr<Made>> Admit(std::unique_ptr<base::Stream> accepted);

 private:
  base::Task<absl::StatusOr<dist::EpmdNode>> Find(base::Loop& loop, std::string name,
                                                  std::string host, base::TimePoint deadline);
  // A peer that was found.
  struct Called {
    dist::AtomName node;
    dist::Target target;
    int version = 0;
    base::TimePoint deadline{};
  };
  base::Task<absl::StatusOr<Made>> ConnectOver(base::Loop& loop, dist::Carrier& carrier,
                                               Called called);
  dist::Handshake::Local LocalOf(const dist::Carrier& carrier) const;

  base::Loop& home_;
  Peers& peers_;
  const Admission& admission_;
  const dist::CarrierSet& carriers_;
  const Options options_;
};

}  // namespace noded::node
