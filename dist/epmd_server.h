// An epmd inside this process, for machines on which none runs.
//
//   auto server = EpmdServer::Start(loop, {.port = 4369});
//   if (server.status().code() == absl::StatusCode::kAlreadyExists) ...   // one runs: use it
//
// It answers every request of OTP's epmd, to OTP nodes and tools as well as to ours, over IPv4 and
// IPv6. What it knows goes with it: when this process ends, nodes that registered here are not
// found until they have registered with another (OTP nodes try every two seconds); where several
// nodes share a machine, a standing epmd is the better choice.
//
// Anyone who reaches the port may look names up; only clients of this machine may register, dump,
// stop or kill. A kill (epmd -kill), which is refused while nodes are registered unless command
// checks are relaxed, ends the service and not the process. Clients are bounded in number
// (limits.max_epmd_clients; the oldest that is not a registered node makes room), in request size
// and in time.
// Start and destroy it on any thread while the loop runs; its work is done on the loop.
// Errors of Start: AlreadyExists (eaddrinuse), InvalidArgument (an address that is none, or is not
// of this machine).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/loop.h"
#include "dist/epmd_format.h"

namespace noded::dist {

class EpmdServer {
 public:
  struct Options {
    // 0: the kernel chooses (for tests).
    uint16_t port = kEpmdPort;
    // Numeric addresses to listen at, as in ERL_EPMD_ADDRESS; loopback is always added. Empty:
    // every interface.
    std::vector<std::string> addresses;
    // Lets local clients unregister others, and kill the server while nodes are registered, as
    // epmd -relaxed_command_check.
    bool relaxed_command_check = false;
    // For a client to send its request and to take the reply.
    base::Duration client_timeout = std::chrono::seconds(60);
    base::Limits limits;
    // Called on the loop when a client's kill was obeyed: nothing listens any more, and registered
    // nodes are being cut off.
    std::function<void()> killed;
  };

  static absl::StatusOr<std::unique_ptr<EpmdServer>> Start(base::Loop& loop, Options options);
  // Closes every connection. Returns at once; the ports are free when the loop got to it.
  ~EpmdServer();
  EpmdServer(const EpmdServer&) = delete;
  EpmdServer& operator=(const EpmdServer&) = delete;

  uint16_t port() const { return port_; }

 private:
  class Service;
  EpmdServer(base::Loop& loop, std::shared_ptr<Service> service, uint16_t port);

  base::Loop& loop_;
  std::shared_ptr<Service> service_;
  uint16_t port_;
};

}  // namespace noded::dist
