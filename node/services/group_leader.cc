#include "node/services/group_leader.h"

#include <cstdio>
#include <string>

#include "node/services/io_format.h"
#include "node/services/sys_protocol.h"

namespace noded::node {
namespace {

using dist::Term;

Term ErrorReply(std::string_view reason) {
  return Term::Tuple({Term::Atom("error"), Term::Atom(reason)});
}

}  // namespace

GroupLeader::GroupLeader(Signals& signals)
    : signals_(signals), write_([](std::string_view text) {
        std::fwrite(text.data(), 1, text.size(), stdout);
        std::fflush(stdout);
      }) {}

void GroupLeader::Deliver(Term message) {
  if (AnswerSystemMessage(signals_, {self_, "user"}, message)) return;
  if (!message.IsTagged("io_request", 4) || !message.tuple()[1].is_pid()) return;
  const auto words = message.tuple();
  signals_.Send(self_, Destination::OfPid(words[1].pid()),
                Term::Tuple({Term::Atom("io_reply"), words[2], Answer(words[3])}));
}

Term GroupLeader::PutChars(const Term& chars) {
  const std::optional<std::string> text = CharsToText(chars);
  if (!text) return ErrorReply("put_chars");
  write_(*text);
  return Term::Atom("ok");
}

Term GroupLeader::Answer(const Term& request) {
  if (request.IsAtom("getopts")) {
    return Term::List({Term::Tuple({Term::Atom("encoding"), Term::Atom("unicode")})});
  }
  if (request.IsTagged("setopts", 2)) return Term::Atom("ok");
  if (request.IsTagged("put_chars", 3)) return PutChars(request.tuple()[2]);
  if (request.IsTagged("put_chars", 2)) return PutChars(request.tuple()[1]);
  const auto words = request.tuple();
  // {put_chars, Encoding, Module, Function, Arguments}; older ones leave the encoding out.
  if (request.IsTagged("put_chars", 5) || request.IsTagged("put_chars", 4)) {
    const auto call = words.last(3);
    const std::optional<std::string> text = ApplyFormat(call[0], call[1], call[2]);
    if (!text) return ErrorReply("put_chars");
    write_(*text);
    return Term::Atom("ok");
  }
  if (request.IsTagged("requests", 2)) {
    Term answer = Term::Atom("ok");
    for (const Term& one : words[1].list()) {
      answer = Answer(one);
      if (answer.IsTagged("error", 2)) break;
    }
    return answer;
  }
  if (request.IsTagged("get_geometry", 2)) return ErrorReply("enotsup");
  if (!words.empty() && words[0].is_atom() && words[0].atom().starts_with("get_")) {
    return Term::Atom("eof");
  }
  return ErrorReply("request");
}

}  // namespace noded::node
