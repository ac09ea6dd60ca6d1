#include "cli/verbs/certificate_text.h"

#include <chrono>

#include "fmt/chrono.h"
#include "fmt/format.h"

namespace noded::cli {
namespace {

using tls::CertificateDescription;
using tls::CertificateInfo;
using tls::KeyMatch;

// "2026-01-31 23:59:59 UTC", as CertificateInfo has it: such times compare as texts.
std::string NowText() {
  return fmt::format(
      "{:%F %T} UTC",
      fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

const char* StateOf(const CertificateInfo& info, const std::string& now) {
  if (info.not_after < now) return "expired";
  if (info.not_before > now) return "not yet valid";
  return "valid";
}

const char* KeyText(KeyMatch match) {
  switch (match) {
    case KeyMatch::kNoKey:
      return "none in this file";
    case KeyMatch::kMatches:
      return "in this file";
    case KeyMatch::kDiffers:
      return "not the one in this file";
    case KeyMatch::kUnknown:
      return "one in this file, which cannot be read (encrypted?)";
  }
  return "";
}

std::string NamesText(const CertificateInfo& info) {
  std::vector<std::string> names;
  for (const std::string& name : info.dns_names) names.push_back("DNS:" + name);
  for (const std::string& name : info.ip_addresses) names.push_back("IP:" + name);
  for (const std::string& name : info.uris) names.push_back("URI:" + name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string CertificatesText(const std::vector<CertificateDescription>& all, bool has_keys) {
  const std::string now = NowText();
  std::string text;
  for (size_t i = 0; i < all.size(); ++i) {
    const CertificateDescription& one = all[i];
    const CertificateInfo& info = one.info;
    text += fmt::format("{}certificate {} of {}\n", i == 0 ? "" : "\n", i + 1, all.size());
    auto line = [&text](const char* name, const std::string& value) {
      text += fmt::format("  {:<12} {}\n", name, value);
    };
    line("subject", info.subject);
    line("issuer", info.issuer + (info.issuer == info.subject ? " (itself)" : ""));
    line("serial", info.serial);
    line("from", info.not_before);
    line("until", fmt::format("{} ({})", info.not_after, StateOf(info, now)));
    line("names", NamesText(info));
    line("authority", info.is_ca ? "yes" : "no");
    line("key", info.key);
    if (has_keys) line("private key", KeyText(one.key_match));
    line("signature", one.signature);
    line("SHA-256", info.fingerprint_sha256);
  }
  return text;
}

nlohmann::ordered_json CertificatesJson(const std::vector<CertificateDescription>& all,
                                        bool has_keys) {
  const std::string now = NowText();
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  // "2026-01-31T23:59:59Z"
  auto iso = [](std::string time) {
    if (time.size() > 19) {
      time[10] = 'T';
      time.replace(19, std::string::npos, "Z");
    }
    return time;
  };
  for (const CertificateDescription& one : all) {
    const CertificateInfo& info = one.info;
    nlohmann::ordered_json object = {
        {"subject", info.subject},
        {"issuer", info.issuer},
        {"serial", info.serial},
        {"not_before", iso(info.not_before)},
        {"not_after", iso(info.not_after)},
        {"state", StateOf(info, now)},
        {"dns_names", info.dns_names},
        {"ip_addresses", info.ip_addresses},
        {"uris", info.uris},
        {"is_ca", info.is_ca},
        {"key", info.key},
        {"signature", one.signature},
        {"fingerprint_sha256", info.fingerprint_sha256},
    };
    if (has_keys) object["key_matches"] = nullptr;
    if (one.key_match == KeyMatch::kMatches) object["key_matches"] = true;
    if (one.key_match == KeyMatch::kDiffers) object["key_matches"] = false;
    array.push_back(std::move(object));
  }
  return array;
}

std::string JsonText(const nlohmann::ordered_json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace noded::cli
