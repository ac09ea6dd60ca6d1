#include "tls/psk.h"

namespace noded::tls {
namespace {

// Empty: none.
Secret Ask(const PskLookup& lookup, std::string_view identity_or_hint) {
  try {
    const std::optional<Secret> key = lookup(identity_or_hint);
    return key ? *key : Secret();
  } catch (...) {
    // The user's function; below us is C, which nothing may be thrown through.
    return Secret();
  }
}

}  // namespace

std::optional<Secret> LookUpPsk(const Psk& psk, std::string_view identity_or_hint) {
  const Secret key = Ask(psk.lookup, identity_or_hint);
  if (key.empty() || key.view().size() > kMaxPskBytes) return std::nullopt;
  return key;
}

}  // namespace noded::tls
