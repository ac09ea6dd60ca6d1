// A node with what programs put on libnode: functions, services and a mailbox. Takes noded's flags,
// ends at SIGTERM. Others do:
//
//   erpc:call(Node, test, throw | exit | error, [Term])       to raise
//   erpc:call(Node, test, sleep, [Milliseconds])              to wait
//   erpc:call(Node, test, round_trip, [Other, Bytes])         true: Other's noded:echo/1 gave them
//                                                             back
//   erpc:call(Node, test, in_order, [Other, Count])           true: so did {echo, Other}, in order
//   erpc:call(Node, test, watch, [Name, Other])               the reason with which {Name, Other}
//                                                             ends
//   erpc:call(Node, test, name_a_process, [Name])            a new one, registered here and globally
//   erpc:call(Node, test, lock, [Resource, Wait, Hold])      true: it held the global lock
//   erpc:call(Node, test, node_event, [Other])               its next coming or going
//   erpc:call(Node, test, monitor_node, [Other])             what a monitor of that node brings
//   erpc:call(Node, test, begin_call, [Other, M, F, Args])    ok, while the call is under way
//   erpc:call(Node, test, cancel_call, [])                    how that call ended when it was
//                                                             cancelled: the reason
//   erpc:call(Node, test, serve, [Name])                      the pid of one more service like cart
//   gen_server:call({cart, Node}, Request)                    see tests/testlib/cart_service.h
//   {echo, Node} ! {self(), Message}                          to get Message back
//   {echo, Node} ! {link | unlink, Pid} | {exit, Pid, Reason} signals to a process there
#include <signal.h>

#include <future>
#include <memory>
#include <thread>

#include "base/log.h"
#include "base/status.h"
#include "cli/start.h"
#include "tests/testlib/cart_service.h"

namespace noded::testlib {
namespace {

using dist::Term;
using node::CallContext;
using node::CallOutcome;
using node::Destination;
using Args = std::span<const Term>;

constexpr std::chrono::seconds kPatience{60};

void Sleep(const Term& milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds.AsInt().value_or(0)));
}

void ExportTest(node::Node& node) {
  node.Export("test", "throw", 1,
              [](const CallContext&, Args args) { return CallOutcome::Throw(args[0]); });
  node.Export("test", "exit", 1,
              [](const CallContext&, Args args) { return CallOutcome::Exit(args[0]); });
  node.Export("test", "error", 1,
              [](const CallContext&, Args args) { return CallOutcome::Error(args[0]); });
  node.Export("test", "sleep", 1, [](const CallContext&, Args args) {
    Sleep(args[0]);
    return CallOutcome::Return(Term::Atom("ok"));
  });
}

CallOutcome RoundTrip(node::Node& node, Args args) {
  std::string bytes(static_cast<size_t>(args[1].AsInt().value_or(0)), '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 + (i >> 10));
  node::CallRequest request;
  request.node = args[0].atom_name();
  request.module = "noded";
  request.function = "echo";
  request.args = Term::List({Term::Binary(bytes)});
  request.timeout = kPatience;
  const auto answer = node.Call(std::move(request));
  return CallOutcome::Return(
      Term::Bool(answer.ok() && answer->is_return() && answer->value == Term::Binary(bytes)));
}

CallOutcome InOrder(node::Node& node, Args args) {
  const auto mailbox = node.OpenMailbox();
  const int64_t count = args[1].AsInt().value_or(0);
  if (!mailbox.ok() || count == 0) return CallOutcome::Error(Term::Atom("badarg"));
  const Destination echo = Destination::OfName("echo", args[0].atom_name());
  const Term self = Term::FromPid((*mailbox)->pid());
  for (int64_t i = 0; i < count; ++i) {
    node.Send((*mailbox)->pid(), echo, Term::Tuple({self, Term::Int(i)}));
  }
  for (int64_t i = 0; i < count; ++i) {
    const auto message = (*mailbox)->Receive(kPatience);
    if (!message || message->AsInt() != i) return CallOutcome::Return(Term::Int(i));
  }
  return CallOutcome::Return(Term::Bool(true));
}

CallOutcome Watch(node::Node& node, Args args) {
  const auto mailbox = node.OpenMailbox();
  if (!mailbox.ok()) return CallOutcome::Error(Term::Atom("badarg"));
  node.Monitor((*mailbox)->pid(), Destination::OfName(args[0].atom_name(), args[1].atom_name()));
  const auto down = (*mailbox)->Receive(kPatience);
  if (!down || !down->IsTagged("DOWN", 5)) return CallOutcome::Return(Term::Atom("silence"));
  return CallOutcome::Return(down->tuple()[4]);
}

// A process with this name, here and in the cluster.
CallOutcome NameAProcess(node::Node& node, Args args) {
  const auto pid = node.Serve(args[0].atom_name(), {});
  if (!pid.ok()) return CallOutcome::Error(Term::Atom("badarg"));
  const absl::Status done = node.Global().Register(args[0], *pid);
  return CallOutcome::Return(Term::Atom(done.ok() ? "yes" : "no"));
}

// {Resource, WaitMilliseconds, HoldMilliseconds}: whether it was to be had.
CallOutcome Lock(node::Node& node, Args args) {
  const auto wait = std::chrono::milliseconds(args[1].AsInt().value_or(0));
  const auto lock = node.Global().Lock(args[0], wait);
  if (lock.ok()) Sleep(args[2]);
  return CallOutcome::Return(Term::Bool(lock.ok()));
}

void ExportTalks(node::Node& node) {
  node::Node* self = &node;
  node.Export("test", "round_trip", 2,
              [self](const CallContext&, Args args) { return RoundTrip(*self, args); });
  node.Export("test", "in_order", 2,
              [self](const CallContext&, Args args) { return InOrder(*self, args); });
  node.Export("test", "name_a_process", 1,
              [self](const CallContext&, Args args) { return NameAProcess(*self, args); });
  node.Export("test", "lock", 3,
              [self](const CallContext&, Args args) { return Lock(*self, args); });
  node.Export("test", "watch", 2,
              [self](const CallContext&, Args args) { return Watch(*self, args); });
}

// Of nodes of both types, with all that there is to say of them.
node::NodeMonitorOptions EverythingOfNodes() {
  node::NodeMonitorOptions options;
  options.info = node::NodeMonitorOptions::Info::kMap;
  options.type = node::NodeType::kAll;
  options.node_type = options.nodedown_reason = true;
  return options;
}

void ExportNodeEvents(node::Node& node, node::Mailbox& events) {
  node::Node* self = &node;
  node::Mailbox* mailbox = &events;
  node.MonitorNodes(events.pid(), EverythingOfNodes());
  node.Export("test", "node_event", 1, [mailbox](const CallContext&, Args args) {
    const auto is_of_it = [&](const Term& event) { return event.tuple()[1] == args[0]; };
    const auto event = mailbox->ReceiveMatching(is_of_it, kPatience);
    return CallOutcome::Return(event.value_or(Term::Atom("silence")));
  });
  node.Export("test", "monitor_node", 1, [self](const CallContext&, Args args) {
    const auto watcher = self->OpenMailbox();
    if (!watcher.ok()) return CallOutcome::Error(Term::Atom("badarg"));
    self->MonitorNode((*watcher)->pid(), args[0].atom_name());
    return CallOutcome::Return((*watcher)->Receive(kPatience).value_or(Term::Atom("silence")));
  });
}

// One call at a time.
struct CallUnderWay {
  node::CallHandle handle;
  std::promise<absl::Status> ended;
};

void ExportCancelling(node::Node& node) {
  auto call = std::make_shared<CallUnderWay>();
  node.Export("test", "begin_call", 4, [self = &node, call](const CallContext&, Args args) {
    *call = {};
    node::CallRequest request{.node = args[0].atom_name(),
                              .module = args[1].atom_name(),
                              .function = args[2].atom_name(),
                              .args = args[3],
                              .timeout = kPatience};
    call->handle = self->CallAsync(std::move(request), [call](absl::StatusOr<CallOutcome> outcome) {
      call->ended.set_value(outcome.status());
    });
    return CallOutcome::Return(Term::Atom("ok"));
  });
  node.Export("test", "cancel_call", 0, [call](const CallContext&, Args) {
    call->handle.Cancel();
    return CallOutcome::Return(Term::Atom(base::ReasonOf(call->ended.get_future().get())));
  });
}

void HandleEcho(node::Node& node, const node::Mailbox& mailbox, const Term& message) {
  if (!message.is_tuple() || message.tuple().size() < 2) return;
  const auto words = message.tuple();
  if (words[0].is_pid()) {
    node.Send(mailbox.pid(), Destination::OfPid(words[0].pid()), words[1]);
  } else if (words[1].is_pid() && message.IsTagged("link", 2)) {
    node.Link(mailbox.pid(), words[1].pid());
  } else if (words[1].is_pid() && message.IsTagged("unlink", 2)) {
    node.Unlink(mailbox.pid(), words[1].pid());
  } else if (words[1].is_pid() && message.IsTagged("exit", 3)) {
    node.SendExit(mailbox.pid(), words[1].pid(), words[2]);
  }
}

int Main(int argc, char** argv) {
  absl::StatusOr<node::RawFlags> flags = cli::ReadFlags(argc, argv, node::Grammar::kErl);
  if (!flags.ok()) return cli::Fail("test_node", flags.status());
  absl::StatusOr<node::NodeConfig> config = cli::ReadConfig(*flags, std::nullopt);
  if (!config.ok()) return cli::Fail("test_node", config.status());
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  absl::StatusOr<cli::RunningNode> running = cli::StartNode(*config);
  if (!running.ok()) return cli::Fail("test_node", running.status());
  node::Node& node = *running->node;
  ExportTest(node);
  ExportTalks(node);
  ExportCancelling(node);
  node.Export("test", "serve", node::Typed([&node](const dist::AtomName& name) {
                return node.Serve(name, CartService(node));
              }));
  const auto cart = node.Serve("cart", CartService(node));
  if (!cart.ok()) return cli::Fail("test_node", cart.status());
  auto echo = node.OpenMailbox("echo");
  if (!echo.ok()) return cli::Fail("test_node", echo.status());
  const auto events = node.OpenMailbox();
  if (!events.ok()) return cli::Fail("test_node", events.status());
  ExportNodeEvents(node, **events);
  // The main thread waits for the signal; the mailbox is read until its process ends.
  std::jthread reader([&node, &echo](std::stop_token stop) {
    while (!stop.stop_requested()) {
      const auto message = (*echo)->Receive(std::chrono::milliseconds(100));
      if (message) HandleEcho(node, **echo, *message);
    }
  });
  base::LogInfo("node_started")
      .Add("node", node.name().view())
      .Add("carrier", node.carriers().ToString())
      .Add("port", node.port());
  int signal = 0;
  sigwait(&signals, &signal);
  reader.request_stop();
  reader.join();
  node.Stop();
  return 0;
}

}  // namespace
}  // namespace noded::testlib

int main(int argc, char** argv) { return noded::testlib::Main(argc, argv); }
