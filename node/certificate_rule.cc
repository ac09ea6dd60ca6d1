#include "node/certificate_rule.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "fmt/format.h"

#include "base/ascii.h"
#include "base/nearest_name.h"
#include "base/status.h"
#include "node/name_pattern.h"

namespace noded::node {
namespace {

using Field = CertificateRule::Field;

struct FieldName {
  std::string_view text;
  Field field;
};
constexpr std::array<FieldName, 3> kFields = {
    {{"dns", Field::kDns}, {"uri", Field::kUri}, {"subject", Field::kSubject}}};

constexpr std::array<std::string_view, 3> kPlaceholders = {"{node}", "{name}", "{host}"};

std::string_view ValueOf(std::string_view placeholder, std::string_view node) {
  if (placeholder == "{node}") return node;
  const size_t at = node.find('@');
  const bool has_name = at != std::string_view::npos;
  if (placeholder == "{name}") return has_name ? node.substr(0, at) : std::string_view();
  return has_name ? node.substr(at + 1) : node;
}

// Placeholders are filled in piece by piece: a star in a node's name stands for itself.
NamePattern FilledIn(std::string_view pattern, std::string_view node) {
  std::vector<std::string> pieces(1);
  while (!pattern.empty()) {
    if (pattern[0] == '*') {
      pieces.emplace_back();
      pattern.remove_prefix(1);
      continue;
    }
    const auto found =
        std::find_if(kPlaceholders.begin(), kPlaceholders.end(),
                     [&](std::string_view text) { return pattern.starts_with(text); });
    if (found != kPlaceholders.end()) {
      pieces.back() += ValueOf(*found, node);
      pattern.remove_prefix(found->size());
      continue;
    }
    pieces.back() += pattern[0];
    pattern.remove_prefix(1);
  }
  return NamePattern(std::move(pieces));
}

}  // namespace

bool CertificateRule::Fits(std::string_view node, const base::TlsFacts& facts) const {
  if (!facts.is_peer_verified || !NamePattern(nodes).Fits(node)) return false;
  if (field == Field::kDns) {
    // Names of hosts have no case; those of nodes do, which their own pattern minds.
    const NamePattern wanted = FilledIn(base::Lower(certificate), base::Lower(node));
    return std::any_of(facts.peer_dns_names.begin(), facts.peer_dns_names.end(),
                       [&](const std::string& name) { return wanted.Fits(base::Lower(name)); });
  }
  const NamePattern wanted = FilledIn(certificate, node);
  if (field == Field::kSubject) return wanted.Fits(facts.peer_subject);
  return std::any_of(facts.peer_uris.begin(), facts.peer_uris.end(),
                     [&](const std::string& uri) { return wanted.Fits(uri); });
}

absl::StatusOr<CertificateRule> ParseCertificateRule(std::string_view certificate,
                                                     std::string_view nodes) {
  const auto refuse = [](std::string what, std::string_view mend) {
    return base::Error(absl::StatusCode::kInvalidArgument, std::move(what), mend, "badarg");
  };
  const size_t colon = certificate.find(':');
  const std::string_view name = certificate.substr(0, colon);
  const auto found = std::find_if(kFields.begin(), kFields.end(),
                                  [&](const FieldName& field) { return field.text == name; });
  if (colon == std::string_view::npos || found == kFields.end()) {
    constexpr std::array<std::string_view, 3> kNames = {"dns", "uri", "subject"};
    return refuse(fmt::format("'{}' names no field of a certificate{}", certificate,
                              base::DidYouMean(name, kNames)),
                  "begin it with dns:, uri: or subject:, as in dns:*.example.net");
  }
  CertificateRule rule{found->field, std::string(certificate.substr(colon + 1)),
                       std::string(nodes)};
  if (rule.certificate.empty()) {
    return refuse(fmt::format("'{}' has no pattern", certificate),
                  fmt::format("write {}:PATTERN, in which * stands for any text", name));
  }
  RETURN_IF_ERROR(CheckNodePattern(nodes));
  if (nodes.find_first_of("{}") != std::string_view::npos) {
    return refuse(fmt::format("'{}' has a placeholder, which stands for the node's name", nodes),
                  "placeholders belong into the pattern for the certificate: dns:{host} '*'");
  }
  return rule;
}

}  // namespace noded::node
