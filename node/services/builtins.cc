#include "node/services/builtins.h"

#include <unistd.h>

#include <chrono>

#include "fmt/format.h"

#include "base/stream.h"
#include "dist/convert.h"
#include "dist/flags.h"
#include "node/version.h"

namespace noded::node {
namespace {

using dist::Term;

Term Text(std::string_view text) { return Term::Binary(text); }

Term PeerTerm(const PeerInfo& peer) {
  std::vector<dist::MapEntry> entries{
      {Term::Atom("node"), Term::Atom(peer.name)},
      {Term::Atom("address"), Text(base::AddressText(peer.identity))},
      {Term::Atom("carrier"), Term::Atom(peer.carrier)},
      {Term::Atom("direction"), Term::Atom(peer.is_incoming ? "in" : "out")},
      {Term::Atom("hidden"), Term::Bool(peer.is_hidden)},
      {Term::Atom("handshake"), Term::Int(peer.handshake_version)},
      {Term::Atom("bytes_in"), Term::Int(static_cast<int64_t>(peer.counters.bytes_in))},
      {Term::Atom("bytes_out"), Term::Int(static_cast<int64_t>(peer.counters.bytes_out))},
      {Term::Atom("messages_in"), Term::Int(static_cast<int64_t>(peer.counters.messages_in))},
      {Term::Atom("messages_out"), Term::Int(static_cast<int64_t>(peer.counters.messages_out))},
  };
  if (const auto& tls = peer.identity.tls) {
    std::vector<dist::MapEntry> facts{
        {Term::Atom("version"), Term::Atom(tls->version)},
        {Term::Atom("cipher_suite"), Text(tls->cipher_suite)},
        {Term::Atom("peer_subject"), Text(tls->peer_subject)},
        {Term::Atom("peer_issuer"), Text(tls->peer_issuer)},
        {Term::Atom("peer_fingerprint_sha256"), Text(tls->peer_fingerprint_sha256)},
    };
    entries.push_back({Term::Atom("tls"), Term::Map(std::move(facts))});
  }
  return Term::Map(std::move(entries));
}

Term NodeList(const Node& node, bool with_visible, bool with_hidden) {
  std::vector<Term> names;
  for (const PeerInfo& peer : node.Peers()) {
    if (peer.is_hidden ? with_hidden : with_visible) names.push_back(Term::Atom(peer.name));
  }
  return Term::List(std::move(names));
}

CallOutcome BadArg() { return CallOutcome::Error(Term::Atom("badarg")); }

CallOutcome Nodes(const Node& node, const Term& which) {
  if (which.IsAtom("connected")) return CallOutcome::Return(NodeList(node, true, true));
  if (which.IsAtom("visible")) return CallOutcome::Return(NodeList(node, true, false));
  if (which.IsAtom("hidden")) return CallOutcome::Return(NodeList(node, false, true));
  if (which.IsAtom("this")) return CallOutcome::Return(Term::List({Term::Atom(node.name())}));
  if (which.IsAtom("known")) {
    std::vector<Term> names{Term::Atom(node.name())};
    for (const PeerInfo& peer : node.Peers()) names.push_back(Term::Atom(peer.name));
    return CallOutcome::Return(Term::List(std::move(names)));
  }
  return BadArg();
}

}  // namespace

Term InfoTerm(const Node& node) {
  std::vector<Term> peers, functions, carriers;
  const dist::CarrierSet& set = node.carriers();
  for (const dist::Carrier* carrier : set.all()) carriers.push_back(Term::Atom(carrier->name()));
  for (const PeerInfo& peer : node.Peers()) peers.push_back(PeerTerm(peer));
  for (const std::string& name : node.ExportedFunctions()) functions.push_back(Text(name));
  return Term::Map({
      {Term::Atom("node"), Term::Atom(node.name())},
      {Term::Atom("version"), Text(kVersion)},
      {Term::Atom("carrier"), Term::Atom(set.preferred().name())},
      {Term::Atom("carriers"), Term::List(std::move(carriers))},
      {Term::Atom("secure"), Term::Bool(set.Find(/*is_secure=*/false) == nullptr)},
      {Term::Atom("port"), Term::Int(node.port())},
      {Term::Atom("creation"), Term::Int(node.creation())},
      {Term::Atom("os_pid"), Term::Int(getpid())},
      {Term::Atom("peers"), Term::List(std::move(peers))},
      {Term::Atom("functions"), Term::List(std::move(functions))},
  });
}

void AddBuiltins(Node& node) {
  using Args = std::span<const Term>;
  Node* self = &node;
  node.Export("erlang", "node", 0, [self](const CallContext&, Args) {
    return CallOutcome::Return(Term::Atom(self->name()));
  });
  node.Export("erlang", "nodes", 0, [self](const CallContext&, Args) {
    return CallOutcome::Return(NodeList(*self, true, false));
  });
  node.Export("erlang", "nodes", 1,
              [self](const CallContext&, Args args) { return Nodes(*self, args[0]); });
  node.Export("erlang", "whereis", Typed([self](const dist::AtomName& name) {
                return self->WhereIs(name);  // or undefined
              }));
  node.Export("erlang", "registered", Typed([self] { return self->RegisteredNames(); }));
  node.Export("erlang", "is_alive", 0,
              [](const CallContext&, Args) { return CallOutcome::Return(Term::Bool(true)); });
  node.Export("erlang", "system_time", 0, [](const CallContext&, Args) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return CallOutcome::Return(
        Term::Int(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()));
  });
  node.Export("net_kernel", "allow", 1, [self](const CallContext&, Args args) {
    const auto nodes = dist::FromTerm<std::vector<dist::AtomName>>(args[0]);
    if (!nodes.ok()) return CallOutcome::Return(Term::Atom("error"));
    self->Allow(*nodes);
    return CallOutcome::Return(Term::Atom("ok"));
  });
  node.Export("net_kernel", "allowed", 0, [self](const CallContext&, Args) {
    return CallOutcome::Return(Term::Tuple({Term::Atom("ok"), dist::ToTerm(self->Allowed())}));
  });
  node.Export("os", "getpid", 0, [](const CallContext&, Args) {
    return CallOutcome::Return(Term::String(std::to_string(getpid())));
  });
  node.Export("noded", "info", 0,
              [self](const CallContext&, Args) { return CallOutcome::Return(InfoTerm(*self)); });
  node.Export("noded", "echo", 1,
              [](const CallContext&, Args args) { return CallOutcome::Return(args[0]); });
}

}  // namespace noded::node
