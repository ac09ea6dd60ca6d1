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

}  // namespace

absl::Status ApplyCiphers(const Call& call, const Term& value) {
  return TakeCiphers(call, value, call.options.ciphers.suites);
}
absl::Status ApplyHonorCipherOrder(const Call& call, const Term& value) {
  return TakeBool(call, value, call.options.ciphers.honor_cipher_order);
}
absl::Status ApplyGroups(const Call& call, const Term& value) {
  return TakeGroups(call, value, call.options.ciphers.groups);
}
absl::Status ApplySignatureAlgorithms(const Call& call, const Term& value) {
  return TakeSignatureAlgorithms(call, value, call.options.ciphers.signature_algorithms);
}
absl::Status ApplyCertificateSignatureAlgorithms(const Call& call, const Term& value) {
  return TakeSignatureAlgorithms(call, value,
                                 call.options.ciphers.certificate_signature_algorithms);
}

absl::Status ApplyDhfile(const Call& call, const Term& value) {
  return TakePath(call, value, call.options.ciphers.dhfile);
}
absl::Status ApplyDh(const Call& call, const Term& value) {
  if (!value.is_binary() || value.binary().empty()) {
    return call.WrongValue(value, "DH parameters as a binary of DER");
  }
  call.options.ciphers.dh = value.binary();
  return absl::OkStatus();
}

absl::Status ApplyAlpn(const Call& call, const Term& value) {
  std::vector<std::string> protocols;
  for (const Term& element : value.list()) {
    const std::optional<std::string> protocol = element.AsText();
    if (!protocol || protocol->empty() || protocol->size() > 255) {
      return call.WrongValue(element, "the name of a protocol, 1 to 255 bytes, as in <<\"h2\">>");
    }
    protocols.push_back(*protocol);
  }
  if (!value.is_proper_list() || protocols.empty()) {
    return call.WrongValue(value, "a list of protocols such as [<<\"h2\">>]");
  }
  call.options.alpn.protocols = std::move(protocols);
  return absl::OkStatus();
}

absl::Status ApplySecureRenegotiate(const Call& call, const Term& value) {
  return TakeBool(call, value, call.options.renegotiation.secure_renegotiate);
}
absl::Status ApplyClientRenegotiation(const Call& call, const Term& value) {
  return TakeBool(call, value, call.options.renegotiation.client_renegotiation);
}
// [{"host", [Option]}]: kept until all options of the server are known, whose copy a host's begin
// with (FinishTlsOptions).
absl::Status ApplySniHosts(const Call& call, const Term& value) {
  constexpr std::string_view kExpected =
      "a list of hosts with options such as [{\"a.example\", [{certfile, \"a.pem\"}]}]";
  if (!value.is_proper_list()) return call.WrongValue(value, kExpected);
  std::vector<TlsHostOptions> hosts;
  for (const Term& element : value.list()) {
    if (!element.IsTuple(2) || !element.tuple()[1].is_proper_list()) {
      return call.WrongValue(element, kExpected);
    }
    std::optional<std::string> host = element.tuple()[0].AsText();
    if (!host || host->empty()) return call.WrongValue(element.tuple()[0], "a host name");
    hosts.push_back({*std::move(host), element.tuple()[1], std::string(call.origin)});
  }
  call.all.sni_hosts = std::move(hosts);
  return absl::OkStatus();
}

absl::Status ApplySniFun(const Call& call, const Term& value) {
  if (value.IsAtom("undefined")) return absl::OkStatus();
  FunctionName name;
  RETURN_IF_ERROR(TakeFunction(call, value, {.arity = 1, .has_state = false}, name));
  auto fun = tls::FunctionRegistry::Shared().FindSniFun(name.text);
  if (!fun.ok()) return base::Annotate(fun.status(), call.Where());
  call.options.server_names.fun = *std::move(fun);
  return absl::OkStatus();
}

}  // namespace noded::dist
