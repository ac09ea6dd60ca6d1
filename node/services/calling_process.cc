#include "node/services/calling_process.h"

#include "asio/redirect_error.hpp"
#include "asio/steady_timer.hpp"
#include "asio/use_awaitable.hpp"

#include "node/services/gen_protocol.h"

namespace noded::node {

using dist::AtomName;
using dist::Reference;
using dist::Term;

base::Task<CallingProcess::Answers> CallingProcess::MultiCall(std::vector<AtomName> nodes,
                                                              AtomName server, Term request) {
  auto round = std::make_shared<Round>(home_);
  round->open = 1;  // until all are asked: a server of this node answers at once
  for (const AtomName& node : nodes) {
    const Destination to = Destination::OfName(server, node);
    // One that is not here would be told before the call is known.
    const bool is_local = node == signals_.identity().name();
    if (is_local && !signals_.processes().WhereIs(server)) continue;
    const Reference ref = signals_.Monitor(self_, to);
    calls_[ref] = Call{node, round};
    ++round->open;
    signals_.Send(self_, to, MakeGenCall(self_, Term::FromReference(ref), request));
  }
  if (--round->open > 0) {
    auto answered = round->all_answered.Get();
    co_await std::move(answered);
  }
  co_return std::move(round->answers);
}

void CallingProcess::Answered(const Reference& ref, const Term* answer) {
  auto call = calls_.extract(ref);
  if (call.empty()) return;
  Round& round = *call.mapped().round;
  if (answer != nullptr) round.answers.emplace_back(call.mapped().node, *answer);
  if (--round.open == 0) round.all_answered.Set(true);
}

void CallingProcess::Deliver(Term message) {
  if (!message.IsTuple(2) || !message.tuple()[0].is_reference()) return;
  const Reference ref = message.tuple()[0].reference();
  if (!calls_.contains(ref)) return;
  signals_.Demonitor(self_, ref);
  Answered(ref, &message.tuple()[1]);
}

void CallingProcess::MonitorDown(const Reference& monitor, const Term&, const Term&) {
  Answered(monitor, nullptr);
}

base::Task<bool> CallingProcess::Sleep(base::Duration time) {
  asio::steady_timer timer(home_.io(), time);
  asio::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return true;
}

}  // namespace noded::node
