// nodectl info NODE: what it is, its links, and the link to it.
#include <iostream>

#include "fmt/format.h"

#include "base/stream.h"
#include "cli/verb.h"
#include "dist/term_text.h"

namespace noded::cli {
namespace {

using dist::Term;

// Texts as they are, a list of texts with commas, anything else as a term.
std::string Shown(const Term& value) {
  if (value.is_binary()) return value.AsText().value_or(dist::PrintTerm(value));
  if (value.is_nil() || !value.is_proper_list()) return dist::PrintTerm(value);
  std::string shown;
  for (const Term& element : value.list()) {
    if (!element.is_binary()) return dist::PrintTerm(value);
    shown += (shown.empty() ? "" : ", ") + Shown(element);
  }
  return shown;
}

// A map as indented lines.
void PrintTree(const Term& term, int indent) {
  for (const auto& [key, value] : term.map()) {
    const std::string label = std::string(key.atom());
    const std::string space(static_cast<size_t>(indent), ' ');
    const bool is_rows = value.is_list() && !value.list().empty() && value.list().front().is_map();
    if (value.is_map()) {
      std::cout << space << label << ":\n";
      PrintTree(value, indent + 2);
    } else if (is_rows) {
      std::cout << space << label << ":\n";
      for (const Term& row : value.list()) {
        std::cout << space << "  -\n";
        PrintTree(row, indent + 4);
      }
    } else {
      std::cout << space << label << ": " << Shown(value) << "\n";
    }
  }
}

// What a BEAM says of itself.
absl::StatusOr<Term> BeamInfo(VerbContext& context) {
  std::vector<dist::MapEntry> entries{{Term::Atom("node"), Term::Atom(context.arguments().node)}};
  const auto ask = [&](const char* key, const char* function,
                       std::vector<Term> args) -> absl::Status {
    auto outcome = context.Call("erlang", function, std::move(args));
    if (!outcome.ok()) return outcome.status();
    Term value = outcome->value;
    if (auto text = value.AsText(); text && !value.is_nil()) value = Term::Binary(*text);
    if (outcome->is_return()) entries.push_back({Term::Atom(key), std::move(value)});
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ask("otp_release", "system_info", {Term::Atom("otp_release")}));
  RETURN_IF_ERROR(ask("erts", "system_info", {Term::Atom("version")}));
  RETURN_IF_ERROR(ask("processes", "system_info", {Term::Atom("process_count")}));
  RETURN_IF_ERROR(ask("nodes", "nodes", {}));
  RETURN_IF_ERROR(ask("hidden_nodes", "nodes", {Term::Atom("hidden")}));
  return Term::Map(std::move(entries));
}

// The link between nodectl and the node, as this side sees it.
Term LinkTo(const node::Node& self, const dist::AtomName& name) {
  std::vector<dist::MapEntry> entries;
  for (const node::PeerInfo& peer : self.Peers()) {
    if (!(peer.name == name)) continue;
    entries.push_back({Term::Atom("carrier"), Term::Atom(peer.carrier)});
    entries.push_back({Term::Atom("address"), Term::Binary(base::AddressText(peer.identity))});
    entries.push_back({Term::Atom("handshake"), Term::Int(peer.handshake_version)});
    if (const auto& tls = peer.identity.tls) {
      entries.push_back({Term::Atom("tls_version"), Term::Binary(tls->version)});
      entries.push_back({Term::Atom("cipher_suite"), Term::Binary(tls->cipher_suite)});
      entries.push_back({Term::Atom("peer_subject"), Term::Binary(tls->peer_subject)});
      entries.push_back({Term::Atom("peer_issuer"), Term::Binary(tls->peer_issuer)});
      entries.push_back(
          {Term::Atom("peer_fingerprint_sha256"), Term::Binary(tls->peer_fingerprint_sha256)});
    }
  }
  return Term::Map(std::move(entries));
}

}  // namespace

int Info(VerbContext& context) {
  auto outcome = context.Call("noded", "info", {});
  if (!outcome.ok()) return context.Report(outcome);
  Term info = outcome->value;
  if (!outcome->is_return()) {
    absl::StatusOr<Term> beam = BeamInfo(context);
    if (!beam.ok()) return context.Fail(beam.status());
    info = *std::move(beam);
  }
  absl::StatusOr<node::Node*> self = context.Join();
  if (!self.ok()) return context.Fail(self.status());
  std::vector<dist::MapEntry> entries(info.map().begin(), info.map().end());
  entries.push_back({Term::Atom("this_link"), LinkTo(**self, context.arguments().node)});
  info = Term::Map(std::move(entries));
  if (context.arguments().is_json) {
    context.Print(info);
  } else {
    PrintTree(info, 0);
  }
  return kAnswered;
}

}  // namespace noded::cli
