#include "tls/psk.h"

namespace noded::tls {

std::optional<Secret> LookUpPsk(const Psk& psk, std::string_view identity_or_hint) {
  std::optional<Secret> key;
  try {
    key = psk.lookup(identity_or_hint);
  } catch (...) {
    // The user's function; below us is C, which nothing may be thrown through.
    return std::nullopt;
  }
  if (key && (key->empty() || key->view().size() > kMaxPskBytes)) key.reset();
  return key;
}

}  // namespace noded::tls
