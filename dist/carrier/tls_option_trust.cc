#include <optional>
#include <utility>
#include <vector>

#include "fmt/format.h"

#include "base/status.h"
#include "dist/carrier/tls_option_apply.h"
#include "dist/carrier/tls_option_values.h"
#include "tls/function_registry.h"

namespace noded::dist {
namespace {

using Call = TlsOptionCall;

constexpr std::string_view kVerifyClient = "inet_tls_dist:verify_client";

// OTP's own check of a node that connects (tls_peer_check.h). The state names the hosts that are
// allowed besides the peer's address; OTP keeps those elsewhere and takes any state.
absl::Status TakeVerifyClient(const Call& call, const Term& state) {
  if (call.role == tls::Role::kClient) {
    return base::Error(
        absl::StatusCode::kInvalidArgument,
        fmt::format("{}: {} is about nodes that connect to this one", call.Where(), kVerifyClient),
        "write it for the server; a client checks server_name_indication", "options");
  }
  std::vector<std::string> hosts;
  if (state.is_proper_list() && !state.AsText()) {
    for (const Term& element : state.list()) {
      std::optional<std::string> host =
          element.is_atom() ? std::string(element.atom()) : element.AsText();
      if (!host || host->empty()) return call.WrongValue(element, "a host or a node's name");
      hosts.push_back(*std::move(host));
    }
  } else if (!state.is_nil() && !state.IsAtom("undefined")) {
    return call.WrongValue(state,
                           "a list of the hosts that are allowed besides, as in [] or "
                           "[\"shop.example\"]");
  }
  call.all.verify_client = std::move(hosts);
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyCacertfile(const Call& call, const Term& value) {
  return TakePath(call, value, call.options.trust.cacertfile);
}
absl::Status ApplyCacerts(const Call& call, const Term& value) {
  return TakeCertificates(call, value, call.options.trust.cacerts);
}

absl::Status ApplyVerify(const Call& call, const Term& value) {
  if (value.IsAtom("verify_peer")) {
    call.options.trust.verify = tls::Verify::kPeer;
  } else if (value.IsAtom("verify_none")) {
    call.options.trust.verify = tls::Verify::kNone;
  } else {
    return call.WrongValue(value, "verify_peer or verify_none");
  }
  return absl::OkStatus();
}

absl::Status ApplyFailIfNoPeerCert(const Call& call, const Term& value) {
  return TakeBool(call, value, call.options.trust.fail_if_no_peer_cert);
}

absl::Status ApplyDepth(const Call& call, const Term& value) {
  const std::optional<int64_t> depth = value.AsInt();
  if (!depth || *depth < 0 || *depth > 255) {
    return call.WrongValue(value, "the number of intermediate certificates allowed, 0 to 255");
  }
  call.options.trust.depth = static_cast<int>(*depth);
  return absl::OkStatus();
}

absl::Status ApplyServerNameIndication(const Call& call, const Term& value) {
  tls::Trust& trust = call.options.trust;
  if (value.IsAtom("disable")) {
    trust.name_check = tls::NameCheck::kDisabled;
    trust.server_name.clear();
    return absl::OkStatus();
  }
  const std::optional<std::string> name = value.AsText();
  if (!name || name->empty()) return call.WrongValue(value, "a host name or disable");
  trust.name_check = tls::NameCheck::kGiven;
  trust.server_name = *name;
  return absl::OkStatus();
}

absl::Status ApplyVerifyFun(const Call& call, const Term& value) {
  if (value.IsAtom("undefined")) return absl::OkStatus();
  FunctionName name;
  RETURN_IF_ERROR(TakeFunction(call, value, {.arity = 3, .has_state = true}, name));
  if (name.text == kVerifyClient) return TakeVerifyClient(call, name.state);
  auto fun = tls::FunctionRegistry::Shared().FindVerifyFun(name.text);
  if (!fun.ok()) return base::Annotate(fun.status(), call.Where());
  call.options.trust.verify_fun = *std::move(fun);
  call.options.trust.verify_state = std::move(name.state);
  return absl::OkStatus();
}

}  // namespace noded::dist
