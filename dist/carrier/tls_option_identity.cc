#include <any>
#include <optional>
#include <utility>
#include <vector>

#include "base/status.h"
#include "dist/carrier/tls_option_apply.h"
#include "dist/carrier/tls_option_values.h"
#include "tls/function_registry.h"

namespace noded::dist {

using Call = TlsOptionCall;

absl::Status ApplyCertfile(const Call& call, const Term& value) {
  return TakePath(call, value, call.options.identity.certfile);
}
absl::Status ApplyKeyfile(const Call& call, const Term& value) {
  return TakePath(call, value, call.options.identity.keyfile);
}

absl::Status ApplyPassword(const Call& call, const Term& value) {
  std::optional<std::string> text = value.AsText();
  if (!text) {
    FunctionName name;
    if (!TakeFunction(call, value, {.arity = 0, .has_state = false}, name).ok()) {
      return call.WrongValue(value, "text, or a function as in fun Module:Function/0");
    }
    auto fun = tls::FunctionRegistry::Shared().FindPassword(name.text);
    if (!fun.ok()) return base::Annotate(fun.status(), call.Where());
    call.options.identity.password_fun = *std::move(fun);
    return absl::OkStatus();
  }
  call.options.identity.password = base::Secret(*text);
  call.options.identity.password_fun = nullptr;
  base::Wipe(text->data(), text->size());
  return absl::OkStatus();
}

absl::Status ApplyCert(const Call& call, const Term& value) {
  return TakeCertificates(call, value, call.options.identity.certs);
}
absl::Status ApplyKey(const Call& call, const Term& value) {
  return TakeKey(call, value, call.options.identity.key);
}

// A list of maps, each with certificate and key.
absl::Status ApplyCertsKeys(const Call& call, const Term& value) {
  constexpr const char* kExpected = "a list of maps such as #{certfile => \"node.pem\"}";
  const auto maps = value.list();
  if (!value.is_proper_list() || maps.empty()) return call.WrongValue(value, kExpected);
  std::vector<tls::Identity> identities;
  for (const Term& map : maps) {
    if (!map.is_map()) return call.WrongValue(value, kExpected);
    tls::Options one;
    for (const MapEntry& entry : map.map()) {
      const std::string_view key = entry.key.is_atom() ? entry.key.atom() : "";
      const Call part{call.role, key, call.origin, one, call.all};
      TlsOptionFunction* apply = key == "cert"       ? ApplyCert
                                 : key == "key"      ? ApplyKey
                                 : key == "certfile" ? ApplyCertfile
                                 : key == "keyfile"  ? ApplyKeyfile
                                 : key == "password" ? ApplyPassword
                                                     : nullptr;
      if (apply == nullptr) {
        return call.WrongValue(entry.key, "one of the keys cert, key, certfile, keyfile, password");
      }
      RETURN_IF_ERROR(apply(part, entry.value));
    }
    identities.push_back(std::move(one.identity));
  }
  call.options.certs_keys = std::move(identities);
  return absl::OkStatus();
}

absl::Status ApplyPskIdentity(const Call& call, const Term& value) {
  std::optional<std::string> identity = value.AsText();
  if (!identity || identity->empty() || identity->size() > tls::kMaxPskIdentityBytes) {
    return call.WrongValue(value, "text of 1 to 1024 bytes");
  }
  call.options.psk.identity = *std::move(identity);
  return absl::OkStatus();
}

namespace {

// Built in, for trials and small fabrics: {noded, psk, Hex} is one key for everybody.
constexpr std::string_view kOneKey = "noded:psk";

absl::Status TakeOneKey(const Call& call, const Term& state) {
  std::optional<std::string> hex = state.AsText();
  std::vector<uint8_t> key = base::FromHex(hex.value_or(""));
  if (key.empty() || key.size() > tls::kMaxPskBytes) {
    return call.WrongValue(state,
                           "{noded, psk, Hex} with a key of 1 to 64 bytes, as in "
                           "{noded, psk, \"00112233445566778899aabbccddeeff\"}");
  }
  call.options.psk.lookup = tls::SamePskForAll(base::Secret(base::AsText(key)));
  base::Wipe(hex->data(), hex->size());
  base::Wipe(key.data(), key.size());
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyUserLookupFun(const Call& call, const Term& value) {
  FunctionName name;
  RETURN_IF_ERROR(TakeFunction(call, value, {.arity = 3, .has_state = true}, name));
  if (name.text == kOneKey) return TakeOneKey(call, name.state);
  auto fun = tls::FunctionRegistry::Shared().FindUserLookupFun(name.text);
  if (!fun.ok()) return base::Annotate(fun.status(), call.Where());
  call.options.psk.lookup = [fun = *std::move(fun), state = std::any(std::move(name.state))](
                                std::string_view identity) { return fun(identity, state); };
  return absl::OkStatus();
}

}  // namespace noded::dist
