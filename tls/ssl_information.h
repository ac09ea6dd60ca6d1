// connection_information/1 and /2: all there is, and the items by their names. For tls/ssl_*.cc
// alone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "tls/ssl_socket.h"

namespace noded::tls {

ConnectionInformation Information(const ConnectionInfo& agreed, const Context& context,
                                  const SocketOptions& socket);

// In the order of `items`. InvalidArgument (einval) names an item that there is not.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> SelectInformation(
    const ConnectionInformation& all, const std::vector<std::string>& items);

}  // namespace noded::tls
