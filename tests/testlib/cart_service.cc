#include "tests/testlib/cart_service.h"

#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace noded::testlib {
namespace {

using dist::Term;
using node::CallOutcome;
using node::Destination;

std::chrono::milliseconds Milliseconds(const Term& term) {
  return std::chrono::milliseconds(term.AsInt().value_or(0));
}

class Cart {
 public:
  explicit Cart(node::Node& node) : node_(node) {}

  void Begin(const node::Service& self) { self_ = self; }

  std::optional<CallOutcome> Call(const node::ServiceCall& call, const Term& request) {
    const auto words = request.tuple();
    if (request.IsAtom("items")) return CallOutcome::Return(Items());
    if (request.IsAtom("size")) {
      return CallOutcome::Return(Term::Int(static_cast<int64_t>(items_.size())));
    }
    if (request.IsTagged("fail", 2)) return CallOutcome::Exit(words[1]);
    if (request.IsTagged("later", 3)) {
      AnswerLater(call.from, Milliseconds(words[1]), words[2]);
      return std::nullopt;
    }
    if (request.IsTagged("stop", 3)) {
      self_.Stop(words[1]);
      return CallOutcome::Return(words[2]);
    }
    if (request.IsTagged("wait", 2)) std::this_thread::sleep_for(Milliseconds(words[1]));
    if (request.IsTagged("watch", 2))
      node_.Monitor(self_.pid(), Destination::OfPid(words[1].pid()));
    if (request.IsTagged("link", 2)) node_.Link(self_.pid(), words[1].pid());
    Add(request);
    return CallOutcome::Return(Term::Atom("ok"));
  }

  void Add(const Term& request) {
    if (request.IsTagged("add", 2)) items_.push_back(request.tuple()[1]);
  }

  void Hear(const Term& message) {
    if (message.IsTagged("timeout", 3)) {
      auto late = late_.extract(message.tuple()[1].reference());
      if (!late.empty()) self_.Reply(late.mapped(), message.tuple()[2]);
    } else if (message.IsTagged("DOWN", 5) || message.IsTagged("EXIT", 3)) {
      items_.push_back(message);
    } else {
      Add(message);
    }
  }

  Term Items() const { return Term::List(items_); }

 private:
  void AnswerLater(const node::GenFrom& from, std::chrono::milliseconds delay, const Term& reply) {
    late_.emplace(node_.StartTimer(delay, Destination::OfPid(self_.pid()), reply), from);
  }

  node::Node& node_;
  node::Service self_;
  std::vector<Term> items_;
  std::unordered_map<dist::Reference, node::GenFrom, dist::IdentifierHash> late_;
};

}  // namespace

node::GenServer CartService(node::Node& node) {
  auto cart = std::make_shared<Cart>(node);
  node::GenServer server;
  server.init = [cart](const node::Service& self) {
    cart->Begin(self);
    return absl::OkStatus();
  };
  server.call = [cart](const node::ServiceCall& call, const Term& request) {
    return cart->Call(call, request);
  };
  server.cast = [cart](const Term& request) { cart->Add(request); };
  server.info = [cart](const Term& message) { cart->Hear(message); };
  server.state = [cart] { return cart->Items(); };
  server.traps_exits = true;
  return server;
}

}  // namespace noded::testlib
