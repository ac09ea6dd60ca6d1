#include "tls/alert_log.h"

#include <string>

#include "base/log.h"
#include "base/status.h"
#include "tls/alert.h"

namespace noded::tls {
namespace {

bool IsAlert(const std::string& reason) {
  for (int number = 0; number <= UINT8_MAX; ++number) {
    if (AlertName(static_cast<uint8_t>(number)) == reason) return true;
  }
  return false;
}

}  // namespace

void LogAlert(const Context& context, const base::PeerIdentity& peer, const absl::Status& status) {
  const std::string reason = base::ReasonOf(status);
  if (!context.options().traffic.log_alert || !IsAlert(reason)) return;
  base::LogInfo("tls_alert")
      .Add("peer", base::AddressText(peer))
      .Add("role", RoleName(context.role()))
      .Add("reason", reason)
      .Add("cause", base::CauseOf(status));
}

}  // namespace noded::tls
