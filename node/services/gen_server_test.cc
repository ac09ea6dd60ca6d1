// A service and an Erlang-like client of it, on one loop, without a network.
#include "node/services/gen_server.h"

#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/status.h"
#include "node/mailbox.h"

namespace noded::node {
namespace {

using dist::Pid;
using dist::Reference;
using dist::Term;

constexpr std::chrono::seconds kSoon{30};
constexpr size_t kMaxWaiting = 100;

struct NoPeers : Outbound {
  void SendTo(const dist::AtomName&, dist::Control, std::optional<Term>) override {}
};

// Keeps what it is given, in order.
struct Cart {
  std::vector<Term> items;
  Service self;
  std::vector<GenFrom> waiting;
  std::promise<Term> ended;

  GenServer Server() {
    GenServer server;
    server.init = [this](const Service& service) {
      self = service;
      return absl::OkStatus();
    };
    server.call = [this](const ServiceCall& call,
                         const Term& request) -> std::optional<CallOutcome> {
      if (request.IsAtom("items")) return CallOutcome::Return(Term::List(items));
      if (request.IsAtom("crash")) return CallOutcome::Exit(Term::Atom("asked"));
      if (request.IsAtom("fall")) throw std::runtime_error("lost");
      if (request.IsAtom("stop")) self.Stop(Term::Atom("enough"));
      if (request.IsAtom("later")) {
        waiting.push_back(call.from);
        return std::nullopt;
      }
      return CallOutcome::Return(request);
    };
    server.cast = [this](const Term& request) {
      if (request.IsAtom("fall")) throw std::runtime_error("lost");
      items.push_back(request);
    };
    server.info = [this](const Term& message) { items.push_back(message); };
    server.state = [this] { return Term::List(items); };
    server.terminate = [this](const Term& reason) { ended.set_value(reason); };
    return server;
  }
};

class GenServerTest : public testing::Test {
 protected:
  ~GenServerTest() override {
    workers_.Stop();
    one_worker_.Stop();
    loops_.Stop();
  }

  Pid Serve(GenServer server, const dist::AtomName& name = "cart") {
    auto pid = StartGenServer(place_, name, std::move(server));
    EXPECT_TRUE(pid.ok()) << pid.status();
    return pid.value_or(Pid{});
  }
  void Send(const Pid& to, Term message) {
    home_.Post([this, to, message = std::move(message)] {
      signals_.Send(client_, Destination::OfPid(to), message);
    });
  }
  void Cast(const Pid& to, Term request) { Send(to, MakeGenCast(std::move(request))); }
  Reference Ask(const Pid& to, const char* label, const Term& request) {
    return home_.Run([&] {
      const Reference ref = signals_.Monitor(client_, Destination::OfPid(to));
      const Term from = Term::Tuple({Term::FromPid(client_), Term::FromReference(ref)});
      signals_.Send(client_, Destination::OfPid(to),
                    Term::Tuple({Term::Atom(label), from, request}));
      return ref;
    });
  }
  // The reply, or {'DOWN', Reason}.
  Term Await(const Reference& ref) {
    const Term tag = Term::FromReference(ref);
    const auto answer = mailbox_.ReceiveMatching(
        [&](const Term& message) {
          const auto words = message.tuple();
          return words.size() >= 2 && (words[0] == tag || words[1] == tag);
        },
        kSoon);
    if (!answer) return Term::Atom("silence");
    if (answer->IsTagged("DOWN", 5)) return Term::Tuple({Term::Atom("DOWN"), answer->tuple()[4]});
    return answer->tuple()[1];
  }
  Term Call(const Pid& to, const Term& request) { return Await(Ask(to, "$gen_call", request)); }
  Term Sys(const Pid& to, const Term& request) { return Await(Ask(to, "system", request)); }
  static Term Down(const char* reason) {
    return Term::Tuple({Term::Atom("DOWN"), Term::Atom(reason)});
  }
  bool IsRegistered(const char* name) {
    return home_.Run([&] { return signals_.processes().WhereIs(name).has_value(); });
  }

  Workers workers_{2, 10'000};
  Workers one_worker_{1, 1000};
  base::LoopGroup loops_{1};
  base::Loop& home_ = loops_.home();
  NoPeers peers_;
  Identity identity_{"here@host", 7};
  Signals signals_{identity_, peers_};
  const ServicePlace place_{home_, signals_, workers_, kMaxWaiting};
  std::shared_ptr<Mailbox::Queue> queue_ = std::make_shared<Mailbox::Queue>(base::Limits());
  const Pid client_ = home_.Run([this] { return signals_.Start(queue_); });
  Mailbox mailbox_{client_, queue_, [] {}};
};

const Term kTea = Term::Atom("tea"), kMilk = Term::Atom("milk"), kOk = Term::Atom("ok");

Term Items(std::vector<Term> items) { return Term::List(std::move(items)); }

TEST_F(GenServerTest, CallsCastsAndMessagesAreHandledInTheirOrder) {
  Cart cart;
  const Pid pid = Serve(cart.Server());
  Cast(pid, kTea);
  Send(pid, kMilk);
  EXPECT_EQ(Call(pid, Term::Atom("items")), Items({kTea, kMilk}));
  EXPECT_EQ(Call(pid, Term::Int(7)), Term::Int(7));
}

TEST_F(GenServerTest, ACallMayBeAnsweredLaterFromAnyThread) {
  Cart cart;
  const Pid pid = Serve(cart.Server());
  const Reference first = Ask(pid, "$gen_call", Term::Atom("later"));
  const Reference second = Ask(pid, "$gen_call", Term::Atom("later"));
  EXPECT_EQ(Call(pid, Term::Int(1)), Term::Int(1)) << "nobody is in its way";
  std::thread([&] {
    cart.self.Reply(cart.waiting.at(1), kMilk);
    cart.self.Reply(cart.waiting.at(0), kTea);
  }).join();
  EXPECT_EQ(Await(first), kTea);
  EXPECT_EQ(Await(second), kMilk);
}

TEST_F(GenServerTest, AServiceThatStopsAnswersFirst) {
  Cart cart;
  const Pid pid = Serve(cart.Server());
  const Reference stopping = Ask(pid, "$gen_call", Term::Atom("stop"));
  EXPECT_EQ(Await(stopping), Term::Atom("stop"));
  EXPECT_EQ(Await(stopping), Down("enough"));
  EXPECT_EQ(cart.ended.get_future().get(), Term::Atom("enough"));
  EXPECT_FALSE(IsRegistered("cart"));
  EXPECT_EQ(Call(pid, kTea), Down("noproc"));
  cart.self.Stop(kTea);  // long gone
}

TEST_F(GenServerTest, AnybodyWithItsHandleMayStopIt) {
  Cart cart;
  const Pid pid = Serve(cart.Server());
  const Reference waiting = Ask(pid, "$gen_call", Term::Atom("later"));
  Call(pid, kTea);  // it has got the other one, too
  cart.self.Stop(Term::Atom("closing"));
  cart.self.Stop(Term::Atom("too_late"));
  EXPECT_EQ(Await(waiting), Down("closing"));
}

TEST_F(GenServerTest, ACrashEndsItWithTheReason) {
  for (const auto& [request, is_cast] :
       {std::pair("crash", false), std::pair("fall", false), std::pair("fall", true)}) {
    Cart cart;
    const Pid pid = Serve(cart.Server());
    const Term lost = Term::Tuple({Term::Atom("cxx_exception"), Term::Binary("lost")});
    const Term reason = std::string_view(request) == "crash" ? Term::Atom("asked")
                                                             : Term::Tuple({lost, Term::Nil()});
    if (is_cast) Cast(pid, Term::Atom(request));
    const Term answer = is_cast ? Call(pid, kTea) : Call(pid, Term::Atom(request));
    EXPECT_EQ(answer, Term::Tuple({Term::Atom("DOWN"), reason})) << request;
    EXPECT_EQ(cart.ended.get_future().get(), reason) << request;
  }
}

TEST_F(GenServerTest, WhileItIsSuspendedMessagesWait) {
  Cart cart;
  const Pid pid = Serve(cart.Server());
  EXPECT_EQ(Sys(pid, Term::Atom("suspend")), kOk);
  Cast(pid, kTea);
  const Reference waiting = Ask(pid, "$gen_call", Term::Atom("items"));
  Cast(pid, kMilk);
  EXPECT_EQ(Sys(pid, Term::Atom("get_state")), Items({})) << "sys is answered, and nothing done";
  const Term status = Sys(pid, Term::Atom("get_status"));
  ASSERT_TRUE(status.IsTagged("status", 4));
  EXPECT_EQ(status.tuple()[1], Term::FromPid(pid));
  EXPECT_EQ(status.tuple()[3].list()[1], Term::Atom("suspended"));
  EXPECT_EQ(Sys(pid, Term::Atom("suspend")), kOk);
  EXPECT_EQ(Sys(pid, Term::Atom("resume")), kOk);
  EXPECT_EQ(Await(waiting), Items({kTea}));
  EXPECT_EQ(Call(pid, Term::Atom("items")), Items({kTea, kMilk}));
  EXPECT_EQ(Sys(pid, Term::Atom("get_status")).tuple()[3].list()[1], Term::Atom("running"));
}

TEST_F(GenServerTest, ItMayBeStoppedWhileItIsSuspended) {
  Cart cart;
  const Pid pid = Serve(cart.Server());
  EXPECT_EQ(Sys(pid, Term::Atom("suspend")), kOk);
  Cast(pid, kTea);
  const Reference stop =
      Ask(pid, "system", Term::Tuple({Term::Atom("terminate"), Term::Atom("shutdown")}));
  EXPECT_EQ(Await(stop), kOk);
  EXPECT_EQ(Await(stop), Down("shutdown"));
  EXPECT_EQ(cart.ended.get_future().get(), Term::Atom("shutdown"));
  EXPECT_TRUE(cart.items.empty());
}

TEST_F(GenServerTest, WhatWaitsForASuspendedOneIsBounded) {
  Cart cart;
  const Pid pid = Serve(cart.Server());
  EXPECT_EQ(Sys(pid, Term::Atom("suspend")), kOk);
  for (size_t i = 0; i < kMaxWaiting; ++i) Cast(pid, kTea);
  EXPECT_EQ(Sys(pid, Term::Atom("get_state")), Items({}));
  EXPECT_EQ(Call(pid, Term::Atom("items")), Down("system_limit"));
}

TEST_F(GenServerTest, WhatItCannotDoForSysIsAnswered) {
  Cart cart;
  const Pid pid = Serve(cart.Server());
  const Term replace = Term::Tuple({Term::Atom("replace_state"), kTea});
  EXPECT_EQ(
      Sys(pid, replace),
      Term::Tuple({Term::Atom("error"), Term::Tuple({Term::Atom("unknown_system_msg"), replace})}));
  GenServer frail;
  frail.state = []() -> Term { throw std::runtime_error("lost"); };
  const Pid other = Serve(std::move(frail), "frail");
  const Term state = Sys(other, Term::Atom("get_state"));
  ASSERT_TRUE(state.IsTagged("error", 2));
  EXPECT_TRUE(state.tuple()[1].IsTagged("callback_failed", 3));
  EXPECT_EQ(Sys(Serve({}, "plain"), Term::Atom("get_state")), Term::Atom("undefined"));
}

TEST_F(GenServerTest, WhatItWatchesAndIsLinkedToIsAMessage) {
  Cart cart;
  GenServer server = cart.Server();
  server.traps_exits = true;
  const Pid pid = Serve(std::move(server));
  auto other = std::make_shared<Mailbox::Queue>(base::Limits());
  const auto [watched, monitor] = home_.Run([&] {
    const Pid started = signals_.Start(other);
    signals_.Link(pid, started);
    const Reference ref = signals_.Monitor(pid, Destination::OfPid(started));
    signals_.Exit(started, Term::Atom("broken"));
    return std::pair(started, ref);
  });
  const Term broken = Term::Atom("broken"), whom = Term::FromPid(watched);
  EXPECT_EQ(Call(pid, Term::Atom("items")),
            Items({Term::Tuple({Term::Atom("EXIT"), whom, broken}),
                   Term::Tuple({Term::Atom("DOWN"), Term::FromReference(monitor),
                                Term::Atom("process"), whom, broken})}));
}

TEST_F(GenServerTest, AnExitSignalEndsOneThatDoesNotTrap) {
  Cart cart;
  const Pid pid = Serve(cart.Server());
  const Reference waiting = Ask(pid, "$gen_call", Term::Atom("later"));
  home_.Run([&] {
    signals_.SendExit(client_, pid, Term::Atom("broken"));
    return true;
  });
  EXPECT_EQ(Await(waiting), Down("broken"));
  EXPECT_FALSE(IsRegistered("cart"));
}

TEST_F(GenServerTest, WhatWaitsWhenItIsKilledIsNotHandled) {
  std::promise<void> entered, release;
  int casts = 0;
  GenServer server;
  server.call = [&](const CallContext&, const Term&) {
    entered.set_value();
    release.get_future().wait();
    return CallOutcome::Return(kOk);
  };
  server.cast = [&](const Term&) { ++casts; };
  const ServicePlace place{home_, signals_, one_worker_, kMaxWaiting};
  const Pid pid = StartGenServer(place, "slow", std::move(server)).value();
  const Reference call = Ask(pid, "$gen_call", kTea);
  entered.get_future().wait();
  for (int i = 0; i < 10; ++i) Cast(pid, kTea);
  home_.Run([&] {
    signals_.SendExit(client_, pid, Term::Atom("kill"));
    return true;
  });
  EXPECT_EQ(Await(call), Down("killed"));
  release.set_value();
  // Handled by the same thread, behind all that.
  const Pid next = StartGenServer(place, "next", {}).value();
  EXPECT_EQ(Sys(next, Term::Atom("get_state")), Term::Atom("undefined"));
  EXPECT_EQ(casts, 0);
}

TEST_F(GenServerTest, NothingIsHandledBeforeInitIsDone) {
  Cart cart;
  Reference early;
  GenServer server = cart.Server();
  server.init = [&](const Service& self) {
    EXPECT_TRUE(IsRegistered("cart"));
    Cast(self.pid(), kTea);
    early = Ask(self.pid(), "system", Term::Atom("get_state"));
    cart.items.push_back(kMilk);
    return absl::OkStatus();
  };
  const Pid pid = Serve(std::move(server));
  EXPECT_EQ(Await(early), Items({kMilk, kTea})) << "sys waits, too";
  EXPECT_EQ(Call(pid, Term::Atom("items")), Items({kMilk, kTea}));
}

TEST_F(GenServerTest, AnInitThatFailsLeavesNothing) {
  const auto serve = [&](std::function<absl::Status(const Service&)> init) {
    GenServer server;
    server.init = std::move(init);
    return StartGenServer(place_, "cart", std::move(server)).status();
  };
  const absl::Status full = serve([](const Service&) {
    return base::Error(absl::StatusCode::kUnavailable, "no cart is free", "", "full");
  });
  EXPECT_EQ(base::ReasonOf(full), "full");
  EXPECT_FALSE(IsRegistered("cart"));
  const absl::Status lost =
      serve([](const Service&) -> absl::Status { throw std::runtime_error("lost"); });
  EXPECT_EQ(lost.code(), absl::StatusCode::kInternal) << lost;
  // Stopped from within, it has been there.
  Cart cart;
  GenServer server = cart.Server();
  server.init = [](const Service& self) {
    self.Stop(Term::Atom("enough"));
    return absl::OkStatus();
  };
  const Term answer = Call(Serve(std::move(server)), kTea);
  EXPECT_TRUE(answer == Down("enough") || answer == Down("noproc"));
  EXPECT_EQ(cart.ended.get_future().get(), Term::Atom("enough"));
}

TEST_F(GenServerTest, ANameIsGivenOnceAndIsNotNeeded) {
  Cart cart, other;
  Serve(cart.Server());
  EXPECT_EQ(StartGenServer(place_, "cart", other.Server()).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(
      Call(Serve({.call = [](const CallContext&, const Term&) { return CallOutcome::Return(kOk); }},
                 ""),
           kTea),
      kOk);
}

}  // namespace
}  // namespace noded::node
