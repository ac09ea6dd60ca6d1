#include "node/services/sys_protocol.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dist/term_text.h"

namespace noded::node {
namespace {

using dist::Pid;
using dist::Term;

const Pid kSelf{.node = "here@host", .id = 7, .serial = 0, .creation = 9};
const Pid kCaller{.node = "shop@host", .id = 5, .serial = 0, .creation = 3};

Term Parse(const char* text) { return dist::ParseTerm(text).value(); }

TEST(SysProtocolTest, ASystemMessageHasACallerAndARequest) {
  const Term from = Term::Tuple({Term::FromPid(kCaller), Term::Atom("tag")});
  const auto system =
      ParseSystemMessage(Term::Tuple({Term::Atom("system"), from, Term::Atom("get_state")}));
  ASSERT_TRUE(system);
  EXPECT_EQ(system->from.pid, kCaller);
  EXPECT_EQ(system->from.tag, Term::Atom("tag"));
  EXPECT_EQ(system->request, Term::Atom("get_state"));
  for (const char* other : {"{system, tag, get_state}", "{system, {tag, tag}, get_state}",
                            "{system, x}", "{'$gen_call', {a, b}, c}", "system"}) {
    EXPECT_FALSE(ParseSystemMessage(Parse(other))) << other;
  }
}

// Compared with what sys:get_status/1 gives for a gen_server that was started without a link.
TEST(SysProtocolTest, TheStatusIsThatOfAGenServer) {
  const auto status = [](bool is_suspended, dist::AtomName name) {
    return SystemAnswer({kSelf, std::move(name), Parse("[{tea, 2}]"), is_suspended},
                        Term::Atom("get_status"));
  };
  const Term self = Term::FromPid(kSelf);
  const auto expected = [&](const char* how, const std::string& name) {
    const Term header =
        Term::Tuple({Term::Atom("header"), Term::String("Status for generic server " + name)});
    const Term facts =
        Term::Tuple({Term::Atom("data"),
                     Term::List({Term::Tuple({Term::String("Status"), Term::Atom(how)}),
                                 Term::Tuple({Term::String("Parent"), self}),
                                 Term::Tuple({Term::String("Logged events"), Term::Nil()})})});
    const Term misc = Term::List({header, facts, Parse("{data, [{\"State\", [{tea, 2}]}]}")});
    return Term::Tuple({Term::Atom("status"), self, Parse("{module, gen_server}"),
                        Term::List({Term::Nil(), Term::Atom(how), self, Term::Nil(), misc})});
  };
  EXPECT_EQ(status(false, "cart"), expected("running", "cart"));
  EXPECT_EQ(status(true, ""), expected("suspended", dist::PrintTerm(self)));
}

TEST(SysProtocolTest, EveryRequestHasAnAnswer) {
  const std::vector<std::pair<const char*, const char*>> answers{
      {"get_state", "undefined"},
      {"{debug, no_debug}", "ok"},
      {"{debug, {trace, false}}", "ok"},
      {"{debug, {log_to_file, false}}", "ok"},
      {"{debug, {remove, counter}}", "ok"},
      {"{debug, {log, get}}", "{ok, []}"},
      {"{debug, {statistics, get}}", "{ok, no_statistics}"},
      {"{debug, {trace, true}}", "unknown_debug"},
      {"{debug, {install, {f, state}}}", "unknown_debug"},
      {"{replace_state, f}", "{error, {unknown_system_msg, {replace_state, f}}}"},
      {"{change_code, m, undefined, []}",
       "{error, {unknown_system_msg, {change_code, m, undefined, []}}}"},
      {"suspend", "{error, {unknown_system_msg, suspend}}"},
      {"{terminate, normal}", "{error, {unknown_system_msg, {terminate, normal}}}"},
      {"rubbish", "{error, {unknown_system_msg, rubbish}}"},
  };
  for (const auto& [request, answer] : answers) {
    EXPECT_EQ(SystemAnswer({kSelf}, Parse(request)), Parse(answer)) << request;
  }
}

struct KeptOutbound : Outbound {
  void SendTo(const dist::AtomName&, dist::Control control, std::optional<Term> payload) override {
    controls.push_back(std::move(control));
    payloads.push_back(payload.value_or(Term::Nil()));
  }
  std::vector<dist::Control> controls;
  std::vector<Term> payloads;
};

TEST(SysProtocolTest, AnAnswerTakesTheWayThatTheTagNames) {
  Identity identity("here@host", 9);
  KeptOutbound outbound;
  Signals signals(identity, outbound);
  const dist::Reference ref("shop@host", 3, {1, 2, 3});
  const Term alias = Term::List({Term::Atom("alias")}, Term::FromReference(ref));
  const Term wrapped = Term::List({alias}, Term::Atom("label"));
  const auto ask = [&](const Term& tag) {
    outbound.controls.clear();
    outbound.payloads.clear();
    const Term from = Term::Tuple({Term::FromPid(kCaller), tag});
    const Term message = Term::Tuple({Term::Atom("system"), from, Term::Atom("get_state")});
    EXPECT_TRUE(AnswerSystemMessage(signals, {kSelf, "rex"}, message));
    EXPECT_EQ(outbound.payloads, std::vector<Term>{Term::Tuple({tag, Term::Atom("undefined")})});
    return outbound.controls.empty() ? dist::Control() : outbound.controls[0];
  };
  EXPECT_EQ(ask(Term::FromReference(ref)), dist::Control(dist::SendSender{kSelf, kCaller, {}}));
  EXPECT_EQ(ask(alias), dist::Control(dist::AliasSend{kSelf, ref, {}}));
  EXPECT_EQ(ask(wrapped), dist::Control(dist::AliasSend{kSelf, ref, {}}));
  EXPECT_FALSE(AnswerSystemMessage(signals, {kSelf, "rex"}, Term::Atom("hello")));
}

}  // namespace
}  // namespace noded::node
