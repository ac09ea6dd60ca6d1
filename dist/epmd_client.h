// Asks an epmd where nodes listen, and registers this node with the one of this machine.
//
//   EpmdClient epmd(loop, {.port = 4369});
//   auto node = co_await epmd.LookUp("shop", "shop.example.net", AddressFamily::kV4, deadline);
//   auto registration = co_await epmd.Register(node, AddressFamily::kV4, deadline);
//   absl::Status lost = co_await (*registration)->Lost();     // then register again, with back-off
//
// (g++ 12: name the arguments before co_await, never build a struct inside it.)
//
// Loop-confined; tasks own what they use, so a client may go while they run. A node that registers
// again keeps the creation of its first registration.
// Errors: Unavailable (no epmd there), NotFound (noport: no such node), AlreadyExists
// (duplicate_name), DataLoss (what answers is no epmd), DeadlineExceeded.
// Source: dist/epmd_format.h; reasons as lib/kernel/src/erl_epmd.erl gives them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/loop.h"
#include "base/stream.h"
#include "base/task.h"
#include "dist/carrier/connect.h"
#include "dist/epmd_format.h"

namespace noded::dist {

// A node registered with epmd for as long as this lives. Destroy it on its loop; a Lost() under way
// then ends by itself.
class EpmdRegistration {
 public:
  EpmdRegistration(std::shared_ptr<base::Stream> stream, uint32_t creation)
      : stream_(std::move(stream)), creation_(creation) {}
  ~EpmdRegistration() { Release(); }
  EpmdRegistration(const EpmdRegistration&) = delete;
  EpmdRegistration& operator=(const EpmdRegistration&) = delete;

  // What epmd gave: of 32 bits, or 1..3 from an epmd older than OTP 23.
  uint32_t creation() const { return creation_; }

  // Waits until the registration ends: Unavailable, reason epmd_close when epmd went away, closed
  // after Release. Call it once.
  base::Task<absl::Status> Lost() { return WaitForEnd(stream_); }

  // Unregisters now.
  void Release() { stream_->Abort(); }

 private:
  static base::Task<absl::Status> WaitForEnd(std::shared_ptr<base::Stream> stream);

  std::shared_ptr<base::Stream> stream_;
  uint32_t creation_;
};

class EpmdClient {
 public:
  struct Options {
    uint16_t port = kEpmdPort;
    base::Limits limits;
  };

  EpmdClient(base::Loop& loop, Options options) : loop_(loop), options_(options) {}

  // The nodes registered at `host`.
  base::Task<absl::StatusOr<std::vector<EpmdName>>> Names(std::string host, AddressFamily family,
                                                          base::TimePoint deadline);
  // Where the node `name` (the part before '@') of `host` listens.
  base::Task<absl::StatusOr<EpmdNode>> LookUp(std::string name, std::string host,
                                              AddressFamily family, base::TimePoint deadline);
  // At the loopback address of `family`: epmd takes registrations from its own machine only.
  base::Task<absl::StatusOr<std::unique_ptr<EpmdRegistration>>> Register(EpmdNode node,
                                                                         AddressFamily family,
                                                                         base::TimePoint deadline);

 private:
  base::Loop& loop_;
  Options options_;
};

}  // namespace noded::dist
