// Parameters of OTP's application ssl: `-ssl KEY VALUE`, for both roles.
#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "fmt/format.h"

#include "base/nearest_name.h"
#include "base/status.h"
#include "dist/carrier/tls_option_apply.h"
#include "dist/carrier/tls_options.h"
#include "dist/term_text.h"
#include "tls/function_registry.h"
#include "tls/timeout.h"

namespace noded::dist {
namespace {

struct ParameterCall {
  std::string_view key;
  std::string_view origin;
  TlsOptions& options;

  absl::Status Wrong(const Term& value, std::string_view expected) const {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("-ssl {} ({}): found {}", key, origin, PrintTerm(value)),
                       fmt::format("expected is {}", expected), "options");
  }
};

absl::StatusOr<int64_t> Number(const ParameterCall& call, const Term& value, int64_t least,
                               int64_t most, std::string_view unit) {
  const std::optional<int64_t> number = value.AsInt();
  if (!number || *number < least || *number > most) {
    return call.Wrong(value, fmt::format("{} from {} to {}", unit, least, most));
  }
  return *number;
}

absl::Status ApplyProtocolVersion(const ParameterCall& call, const Term& value) {
  for (tls::Role role : {tls::Role::kServer, tls::Role::kClient}) {
    tls::Options& target = role == tls::Role::kServer ? call.options.server : call.options.client;
    RETURN_IF_ERROR(ApplyVersions(
        {role, "versions", fmt::format("-ssl {}, {}", call.key, call.origin), target, call.options},
        value));
  }
  return absl::OkStatus();
}

absl::Status ApplyPemCacheClean(const ParameterCall& call, const Term& value) {
  ASSIGN_OR_RETURN(const int64_t interval,
                   Number(call, value, 0, std::numeric_limits<int32_t>::max(), "milliseconds"));
  call.options.pem_cache_clean = std::chrono::milliseconds(interval);
  return absl::OkStatus();
}

absl::Status ApplySessionLifetime(const ParameterCall& call, const Term& value) {
  ASSIGN_OR_RETURN(const int64_t lifetime, Number(call, value, 1, 604800, "seconds"));
  call.options.server.sessions.lifetime = std::chrono::seconds(lifetime);
  call.options.client.sessions.lifetime = std::chrono::seconds(lifetime);
  return absl::OkStatus();
}

constexpr int64_t kMostSessions = 10'000'000;

absl::Status ApplyClientMax(const ParameterCall& call, const Term& value) {
  ASSIGN_OR_RETURN(const int64_t max, Number(call, value, 1, kMostSessions, "sessions"));
  call.options.client.sessions.cache_max = static_cast<size_t>(max);
  return absl::OkStatus();
}
absl::Status ApplyServerMax(const ParameterCall& call, const Term& value) {
  ASSIGN_OR_RETURN(const int64_t max, Number(call, value, 1, kMostSessions, "sessions"));
  call.options.server.sessions.cache_max = static_cast<size_t>(max);
  return absl::OkStatus();
}

absl::Status ApplySessionCb(const ParameterCall& call, const Term& value) {
  if (!value.is_atom()) return call.Wrong(value, "memory, sqlite or a registered name");
  const std::string_view name = value.atom();
  if (name != kMemorySessions && name != kSqliteSessions) {
    auto registered = tls::FunctionRegistry::Shared().FindSessionCb(name);
    if (!registered.ok()) {
      return base::Annotate(registered.status(),
                            fmt::format("-ssl {} ({}): is memory, sqlite or a registered name",
                                        call.key, call.origin));
    }
  }
  call.options.session_cb.name = std::string(name);
  return absl::OkStatus();
}
absl::Status ApplySessionCbInitArgs(const ParameterCall& call, const Term& value) {
  if (!value.is_proper_list() || value.AsText().value_or("").size() > 0) {
    return call.Wrong(value, "a list, as in [{folder, \"/var/lib/noded\"}] for session_cb sqlite");
  }
  call.options.session_cb.init_args = value;
  return absl::OkStatus();
}

absl::Status ApplyAlertTimeout(const ParameterCall& call, const Term& value) {
  std::chrono::milliseconds timeout = tls::kInfinity;
  if (!value.IsAtom("infinity")) {
    ASSIGN_OR_RETURN(const int64_t number,
                     Number(call, value, 0, std::numeric_limits<int32_t>::max(), "milliseconds"));
    timeout = std::chrono::milliseconds(number);
  }
  call.options.server.traffic.alert_timeout = timeout;
  call.options.client.traffic.alert_timeout = timeout;
  return absl::OkStatus();
}

struct Parameter {
  std::string_view key;
  absl::Status (*apply)(const ParameterCall& call, const Term& value);  // null: without effect
};
constexpr Parameter kParameters[] = {
    {"alert_timeout", ApplyAlertTimeout},
    {"protocol_version", ApplyProtocolVersion},
    {"session_cache_client_max", ApplyClientMax},
    {"session_cache_server_max", ApplyServerMax},
    {"session_cb", ApplySessionCb},
    {"session_cb_init_args", ApplySessionCbInitArgs},
    {"session_lifetime", ApplySessionLifetime},
    {"ssl_pem_cache_clean", ApplyPemCacheClean},
    {"bypass_pem_cache", nullptr},
    {"client_session_ticket_lifetime", nullptr},
    {"client_session_ticket_store_size", nullptr},
    {"dtls_protocol_version", nullptr},
    {"internal_active_n", nullptr},
    {"server_session_ticket_lifetime", nullptr},
    {"server_session_ticket_max_early_data", nullptr},
    {"server_session_ticket_store_size", nullptr},
    {"session_delay_cleanup_time", nullptr},
};

}  // namespace

bool IsSslParameter(std::string_view key) {
  return std::any_of(std::begin(kParameters), std::end(kParameters),
                     [key](const Parameter& parameter) { return parameter.key == key; });
}

absl::Status ApplySslParameter(std::string_view key, const Term& value, std::string_view origin,
                               TlsOptions& options) {
  std::vector<std::string_view> known;
  for (const Parameter& parameter : kParameters) {
    if (parameter.key == key && parameter.apply != nullptr) {
      return parameter.apply({key, origin, options}, value);
    }
    if (parameter.key == key) {
      options.ignored.push_back(fmt::format("-ssl {} ({})", key, origin));
      return absl::OkStatus();
    }
    known.push_back(parameter.key);
  }
  return base::Error(
      absl::StatusCode::kInvalidArgument,
      fmt::format("-ssl {} ({}): unknown parameter{}", key, origin, base::DidYouMean(key, known)),
      "docs/flags.md lists the parameters; certificates and keys go to -ssl_dist_opt", "options");
}

}  // namespace noded::dist
