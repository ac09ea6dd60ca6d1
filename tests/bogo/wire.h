// A blocking socket to the runner.
//
//   ASSIGN_OR_RETURN(auto wire, Wire::Connect(port, /*is_ipv6=*/false, shim_id));
//   ASSIGN_OR_RETURN(auto bytes, wire->Read(1024));       // empty: the end
//   RETURN_IF_ERROR(wire->Write(engine.TakeOutput()));
//
// The destructor ends our side and reads the peer's to its end, so that nothing we sent is lost to
// a reset. One thread. Errors: Unavailable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/buffer.h"

namespace noded::bogo {

class Wire {
 public:
  // To a port of this machine; says `shim_id` first, as 8 bytes in little-endian order.
  static absl::StatusOr<std::unique_ptr<Wire>> Connect(uint16_t port, bool is_ipv6,
                                                       uint64_t shim_id);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // One byte or more, at most `most`; none at the peer's end, orderly or not.
  absl::StatusOr<std::vector<uint8_t>> Read(size_t most);
  absl::Status Write(base::Buffer bytes);

 private:
  explicit Wire(int socket) : socket_(socket) {}

  const int socket_;
};

}  // namespace noded::bogo
