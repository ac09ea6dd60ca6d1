#include "base/peer_identity.h"

#include "fmt/format.h"

namespace noded::base {

std::string AddressText(const PeerIdentity& peer) {
  if (peer.address.find(':') != std::string::npos) {
    return fmt::format("[{}]:{}", peer.address, peer.port);
  }
  return fmt::format("{}:{}", peer.address, peer.port);
}

}  // namespace noded::base
