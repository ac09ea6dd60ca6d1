#include "dist/carrier/tls_option_values.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "fmt/format.h"

#include "base/nearest_name.h"
#include "base/status.h"
#include "dist/carrier/tls_option_apply.h"
#include "tls/ciphers.h"
#include "tls/refused.h"

namespace noded::dist {
namespace {

using Call = TlsOptionCall;

absl::Status Refuse(const Call& call, std::string_view what, std::string_view mend) {
  return base::Error(absl::StatusCode::kInvalidArgument, fmt::format("{}: {}", call.Where(), what),
                     mend, "options");
}

std::string Known(std::span<const tls::NamedNumber> all) {
  std::string names;
  for (const tls::NamedNumber& entry : all) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", entry.name);
  }
  return names;
}

std::string Nearest(std::string_view name, std::span<const tls::NamedNumber> all) {
  std::vector<std::string_view> known;
  for (const tls::NamedNumber& entry : all) known.push_back(entry.name);
  return base::DidYouMean(name, known);
}

// OTP's older names of curves.
std::string_view GroupName(std::string_view name) {
  if (name == "prime256v1") return "secp256r1";
  return name;
}

// What {Hash, Signature} of TLS 1.2 is called since TLS 1.3; empty when it is unknown.
std::string SchemeName(const Term& scheme) {
  if (scheme.is_atom()) {
    const std::string_view name = scheme.atom();
    if (name.starts_with("eddsa_")) return std::string(name.substr(6));
    return std::string(name);
  }
  if (!scheme.IsTuple(2)) return "";
  const std::string_view hash = scheme.tuple()[0].atom(), signature = scheme.tuple()[1].atom();
  if (hash == "sha256" && signature == "ecdsa") return "ecdsa_secp256r1_sha256";
  if (hash == "sha384" && signature == "ecdsa") return "ecdsa_secp384r1_sha384";
  if (hash == "sha512" && signature == "ecdsa") return "ecdsa_secp521r1_sha512";
  if (signature == "rsa") return fmt::format("rsa_pkcs1_{}", hash);
  return fmt::format("{}_{}", signature, hash);
}

}  // namespace

absl::Status TakeFunction(const Call& call, const Term& value, FunctionForm form,
                          FunctionName& name) {
  const bool is_fun_with_state = form.has_state && value.IsTuple(2);
  const Term& function = is_fun_with_state ? value.tuple()[0] : value;
  const size_t words = form.has_state ? 3 : 2;
  if (function.kind() == Kind::kExport && is_fun_with_state == form.has_state &&
      function.export_fun().arity == form.arity) {
    const Export& fun = function.export_fun();
    name.text = fmt::format("{}:{}", fun.module.view(), fun.function.view());
    if (form.has_state) name.state = value.tuple()[1];
    return absl::OkStatus();
  }
  if (value.IsTuple(words) && value.tuple()[0].is_atom() && value.tuple()[1].is_atom()) {
    name.text = fmt::format("{}:{}", value.tuple()[0].atom(), value.tuple()[1].atom());
    if (form.has_state) name.state = value.tuple()[2];
    return absl::OkStatus();
  }
  return call.WrongValue(
      value, form.has_state
                 ? fmt::format("{{Module, Function, State}} or {{fun Module:Function/{}, State}}",
                               form.arity)
                 : fmt::format("{{Module, Function}} or fun Module:Function/{}", form.arity));
}

absl::Status TakeBool(const Call& call, const Term& value, bool& field) {
  const std::optional<bool> is_on = value.AsBool();
  if (!is_on) return call.WrongValue(value, "true or false");
  field = *is_on;
  return absl::OkStatus();
}

absl::Status TakePath(const Call& call, const Term& value, std::string& field) {
  std::optional<std::string> path = value.AsText();
  if (!path || path->empty() || path->find('\0') != std::string::npos) {
    return call.WrongValue(value, "the path of a PEM file");
  }
  field = *std::move(path);
  return absl::OkStatus();
}

absl::Status TakeCertificates(const Call& call, const Term& value,
                              std::vector<base::Slice>& field) {
  constexpr std::string_view kExpected = "a certificate as a binary of DER, or a list of them";
  std::vector<base::Slice> certificates;
  if (value.is_binary()) {
    certificates.push_back(value.binary());
  } else {
    if (!value.is_proper_list() || value.is_nil()) return call.WrongValue(value, kExpected);
    for (const Term& element : value.list()) {
      if (!element.is_binary()) return call.WrongValue(element, kExpected);
      certificates.push_back(element.binary());
    }
  }
  field = std::move(certificates);
  return absl::OkStatus();
}

absl::Status TakeKey(const Call& call, const Term& value, base::Secret& field) {
  constexpr std::array<std::string_view, 3> kTypes = {"RSAPrivateKey", "ECPrivateKey",
                                                      "PrivateKeyInfo"};
  if (value.is_map()) {
    return Refuse(call, "a key in an engine or hardware is not supported yet",
                  "give {KeyType, Der} or a keyfile");
  }
  const bool is_pair = value.IsTuple(2) && value.tuple()[1].is_binary();
  if (!is_pair ||
      std::find(kTypes.begin(), kTypes.end(), value.tuple()[0].atom()) == kTypes.end()) {
    return call.WrongValue(
        value, "{Type, Der} with the type 'RSAPrivateKey', 'ECPrivateKey' or 'PrivateKeyInfo'");
  }
  field = base::Secret(base::AsText(value.tuple()[1].binary()));
  return absl::OkStatus();
}

absl::Status TakeCiphers(const Call& call, const Term& value, std::vector<std::string>& field) {
  std::vector<std::string> suites;
  const auto take = [&](const Term& element) -> absl::Status {
    const std::optional<std::string> text = element.AsText();
    if (!text || text->empty()) {
      return call.WrongValue(element,
                             "names such as \"ECDHE-RSA-AES256-GCM-SHA384\"; other forms of ssl(3) "
                             "are to be written as names");
    }
    auto parsed = tls::ParseCipherSuites(*text);
    if (!parsed.ok()) return base::Annotate(parsed.status(), call.Where());
    suites.insert(suites.end(), parsed->begin(), parsed->end());
    return absl::OkStatus();
  };
  // "abc" is a list of integers, ["abc"] one of texts.
  const bool is_text = value.is_binary() || (value.AsText() && !value.is_nil());
  if (is_text) {
    RETURN_IF_ERROR(take(value));
  } else {
    if (!value.is_proper_list() || value.is_nil()) {
      return call.WrongValue(value, "a list of names of cipher suites");
    }
    for (const Term& element : value.list()) RETURN_IF_ERROR(take(element));
  }
  field = std::move(suites);
  return absl::OkStatus();
}

absl::Status TakeGroups(const Call& call, const Term& value, std::vector<std::string>& field) {
  if (!value.is_proper_list() || value.is_nil()) {
    return call.WrongValue(value, "a list of groups such as [x25519, secp256r1]");
  }
  std::vector<std::string> groups;
  for (const Term& element : value.list()) {
    const std::string_view name = GroupName(element.atom());
    if (!element.is_atom() || !tls::FindGroup(name)) {
      return Refuse(call, fmt::format("unknown group {}{}", name, Nearest(name, tls::AllGroups())),
                    fmt::format("known are {}", Known(tls::AllGroups())));
    }
    groups.emplace_back(name);
  }
  field = std::move(groups);
  return absl::OkStatus();
}

absl::Status TakeSignatureAlgorithms(const Call& call, const Term& value,
                                     std::vector<std::string>& field) {
  if (!value.is_proper_list() || value.is_nil()) {
    return call.WrongValue(value, "a list such as [ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256]");
  }
  std::vector<std::string> schemes;
  for (const Term& element : value.list()) {
    const std::string name = SchemeName(element);
    if (!tls::FindSignatureAlgorithm(name)) {
      return Refuse(call,
                    fmt::format("unknown signature scheme {}{}", name,
                                Nearest(name, tls::AllSignatureAlgorithms())),
                    fmt::format("known are {}", Known(tls::AllSignatureAlgorithms())));
    }
    schemes.push_back(name);
  }
  field = std::move(schemes);
  return absl::OkStatus();
}

absl::Status ApplyVersions(const Call& call, const Term& value) {
  constexpr std::string_view kExpected = "a list of 'tlsv1.2' and 'tlsv1.3'";
  tls::Versions versions{false, false};
  for (const Term& element : value.is_atom() ? std::span(&value, 1) : value.list()) {
    if (element.IsAtom("tlsv1.2")) {
      versions.tls12 = true;
    } else if (element.IsAtom("tlsv1.3")) {
      versions.tls13 = true;
    } else if (const tls::Refusal* refusal =
                   element.is_atom() ? tls::RefusedVersion(element.atom()) : nullptr) {
      return tls::RefusedError(*refusal, fmt::format("{}: '{}'", call.Where(), element.atom()));
    } else {
      return call.WrongValue(element, kExpected);
    }
  }
  if (!versions.tls12 && !versions.tls13) return call.WrongValue(value, kExpected);
  call.options.versions = versions;
  return absl::OkStatus();
}

}  // namespace noded::dist
