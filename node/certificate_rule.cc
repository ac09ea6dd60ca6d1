#include "node/certificate_rule.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "fmt/format.h"

#include "base/ascii.h"
#include "base/nearest_name.h"
#include "base/status.h"

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

// A pattern as what stands between its stars: one star between two of them, in order.
using Pieces = std::vector<std::string>;

std::string_view ValueOf(std::string_view placeholder, std::string_view node) {
  if (placeholder == "{node}") return node;
  const size_t at = node.find('@');
  const bool has_name = at != std::string_view::npos;
  if (placeholder == "{name}") return has_name ? node.substr(0, at) : std::string_view();
  return has_name ? node.substr(at + 1) : node;
}

// Placeholders are filled in piece by piece: a star in a node's name stands for itself.
Pieces Split(std::string_view pattern, std::string_view node) {
  Pieces pieces(1);
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
  return pieces;
}

// The first and the last piece stand at the ends; those between are looked for in turn, each as far
// to the front as it can be, which leaves the most for the rest.
bool Match(const Pieces& pieces, std::string_view text) {
  if (pieces.size() == 1) return text == pieces[0];
  if (!text.starts_with(pieces.front())) return false;
  text.remove_prefix(pieces.front().size());
  if (!text.ends_with(pieces.back())) return false;
  text.remove_suffix(pieces.back().size());
  for (size_t i = 1; i + 1 < pieces.size(); ++i) {
    const size_t found = text.find(pieces[i]);
    if (found == std::string_view::npos) return false;
    text.remove_prefix(found + pieces[i].size());
  }
  return true;
}

}  // namespace

bool CertificateRule::Fits(std::string_view node, const base::TlsFacts& facts) const {
  if (!facts.is_peer_verified || !Match(Split(nodes, ""), node)) return false;
  if (field == Field::kDns) {
    // Names of hosts have no case; those of nodes do, which their own pattern minds.
    const Pieces wanted = Split(base::Lower(certificate), base::Lower(node));
    return std::any_of(facts.peer_dns_names.begin(), facts.peer_dns_names.end(),
                       [&](const std::string& name) { return Match(wanted, base::Lower(name)); });
  }
  const Pieces wanted = Split(certificate, node);
  if (field == Field::kSubject) return Match(wanted, facts.peer_subject);
  return std::any_of(facts.peer_uris.begin(), facts.peer_uris.end(),
                     [&](const std::string& uri) { return Match(wanted, uri); });
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
  if (nodes.find_first_of("@*") == std::string_view::npos) {
    return refuse(fmt::format("'{}' fits no node's name", nodes),
                  "write it as name@host, with * for any text: 'shop*@*'");
  }
  if (nodes.find_first_of("{}") != std::string_view::npos) {
    return refuse(fmt::format("'{}' has a placeholder, which stands for the node's name", nodes),
                  "placeholders belong into the pattern for the certificate: dns:{host} '*'");
  }
  return rule;
}

}  // namespace noded::node
