#include "dist/carrier/tls_options.h"

#include <any>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "fmt/format.h"

#include "base/nearest_name.h"
#include "base/status.h"
#include "dist/carrier/tls_option_apply.h"
#include "dist/carrier/tls_option_table.h"
#include "dist/term_scan.h"
#include "dist/term_text.h"
#include "dist/utf8.h"
#include "tls/function_registry.h"
#include "tls/refused.h"
#include "tls/sqlite_session_cache.h"

namespace noded::dist {
namespace {

absl::Status Refuse(std::string_view what, std::string_view mend) {
  return base::Error(absl::StatusCode::kInvalidArgument, what, mend, "options");
}

bool IsOneOf(std::string_view word, std::string_view words) {
  while (!words.empty()) {
    const size_t end = words.find(' ');
    if (words.substr(0, end) == word) return true;
    words = end == std::string_view::npos ? "" : words.substr(end + 1);
  }
  return false;
}

bool IsFor(const TlsOptionEntry& entry, tls::Role role) {
  return role == tls::Role::kServer ? entry.is_for_server : entry.is_for_client;
}

// `prefix`: what stands before the name where it is written.
absl::Status RefuseUnknown(const TlsOptionCall& call, std::string_view prefix = "") {
  std::vector<std::string> names;
  for (const TlsOptionEntry& entry : AllTlsOptions()) {
    if (IsFor(entry, call.role)) names.push_back(fmt::format("{}{}", prefix, entry.name));
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  return Refuse(fmt::format("{}: unknown option{}", call.Where(),
                            base::DidYouMean(fmt::format("{}{}", prefix, call.name), known)),
                "docs/flags.md lists the options");
}

absl::Status RefuseRole(const TlsOptionCall& call) {
  const tls::Role other = call.role == tls::Role::kServer ? tls::Role::kClient : tls::Role::kServer;
  return Refuse(fmt::format("{}: is an option of {}s", call.Where(), tls::RoleName(other)),
                fmt::format("remove it, or write it for the {}", tls::RoleName(other)));
}

std::vector<Term> Atoms(std::string_view text) {
  std::vector<Term> atoms;
  for (;;) {
    const size_t end = text.find(',');
    atoms.push_back(Term::Atom(text.substr(0, end)));
    if (end == std::string_view::npos) return atoms;
    text.remove_prefix(end + 1);
  }
}

// A word of the command line as the term that OTP makes of it.
absl::StatusOr<Term> PairTerm(const TlsOptionCall& call, PairForm form, std::string_view value) {
  switch (form) {
    case PairForm::kText:
      if (call.name == "server_name_indication" && value == "disable") return Term::Atom(value);
      return Term::String(value);
    case PairForm::kAtom:
      return Term::Atom(value);
    case PairForm::kInteger: {
      int64_t number = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error != std::errc() || end != value.data() + value.size()) {
        return call.WrongValue(Term::String(value), "a whole number");
      }
      return Term::Int(number);
    }
    case PairForm::kAtomList:
      if (!value.starts_with('[')) return Term::List(Atoms(value));
      break;
    case PairForm::kTerm:
      break;
  }
  auto term = ParseTerm(value);
  if (!term.ok()) return base::Annotate(term.status(), call.Where());
  return term;
}

absl::Status Apply(const TlsOptionCall& call, const Term& value, TlsOptions& options) {
  const TlsOptionEntry* entry = FindTlsOption(call.name);
  if (entry == nullptr) return RefuseUnknown(call);
  if (!IsFor(*entry, call.role)) return RefuseRole(call);
  switch (entry->use) {
    case TlsOptionUse::kApplied:
      return entry->apply(call, value);
    case TlsOptionUse::kNoEffect:
      options.ignored.push_back(
          fmt::format("{}_{} ({})", tls::RoleName(call.role), call.name, call.origin));
      return absl::OkStatus();
    case TlsOptionUse::kRefused:
      if (IsOneOf(PrintTerm(value), entry->off)) return absl::OkStatus();
      if (const tls::Refusal* refusal = tls::RefusedOption(entry->name);
          entry->why.empty() && refusal != nullptr) {
        return tls::RefusedError(*refusal, call.Where());
      }
      return Refuse(fmt::format("{}: is not taken", call.Where()), entry->why);
  }
  return absl::OkStatus();
}

// Finds the lines of the options in a file that parses, in the order in which they stand there.
class LineFinder {
 public:
  explicit LineFinder(std::string_view text) : text_(text), in_(text) {}

  // Of the next atom `name`; that of the end when there is none.
  size_t LineOf(std::string_view name) {
    while (!in_.failed()) {
      in_.SkipBlank();
      if (in_.at_end()) break;
      const size_t start = in_.position();
      if (TakeAtom() == name) return Line(start);
    }
    return Line(text_.size());
  }

 private:
  // The next token, if it is an atom; else empty, and the token is passed.
  std::string TakeAtom() {
    const char c = in_.Peek();
    if (c == '"') {
      in_.ReadQuoted('"');
    } else if (c == '$') {
      in_.ReadCharacter();
    } else if (c == '\'') {
      std::string atom;
      for (char32_t point : in_.ReadQuoted('\'')) AppendUtf8(point, atom);
      return atom;
    } else if (c >= '0' && c <= '9') {
      in_.ReadNumber(false);
    } else if (std::string_view word = in_.ReadWord(); !word.empty()) {
      return std::string(word);
    } else {
      in_.Take(text_.substr(in_.position(), 1));
    }
    return "";
  }

  size_t Line(size_t position) {
    for (; counted_ < position; ++counted_) line_ += text_[counted_] == '\n' ? 1 : 0;
    return line_;
  }

  const std::string_view text_;
  TermScanner in_;
  size_t counted_ = 0, line_ = 1;
};

// {Name, Value}, or Name alone for {Name, true}.
absl::Status ApplyProperty(tls::Role role, const Term& property, std::string_view path,
                           LineFinder& lines, TlsOptions& options) {
  const Term& name = property.IsTuple(2) ? property.tuple()[0] : property;
  const std::string origin =
      name.is_atom() ? fmt::format("{}:{}", path, lines.LineOf(name.atom())) : std::string(path);
  if (property.is_atom()) {
    return ApplyTlsOption(role, property.atom(), Term::Bool(true), origin, options);
  }
  if (!property.IsTuple(2) || !property.tuple()[0].is_atom()) {
    return Refuse(fmt::format("-ssl_dist_optfile {}: an entry of {} is not {{Option, Value}}", path,
                              tls::RoleName(role)),
                  "write entries as in {certfile, \"/etc/noded/node.pem\"}");
  }
  return ApplyTlsOption(role, name.atom(), property.tuple()[1], origin, options);
}

// The folder of [{folder, "..."}].
std::string FolderOf(const Term& init_args) {
  std::string folder;
  for (const Term& argument : init_args.list()) {
    if (argument.IsTagged("folder", 2)) folder = argument.tuple()[1].AsText().value_or("");
  }
  return folder;
}

absl::StatusOr<tls::SessionCacheFactory> SessionFactory(const SessionCb& chosen, size_t max) {
  if (chosen.name == kSqliteSessions) {
    const std::string folder = FolderOf(chosen.init_args);
    if (!folder.empty()) return tls::SqliteSessionCache::Factory(folder, max);
    return Refuse("-ssl session_cb sqlite: has no folder",
                  "add -ssl session_cb_init_args '[{folder, \"/var/lib/noded\"}]'");
  }
  ASSIGN_OR_RETURN(tls::SessionCb make, tls::FunctionRegistry::Shared().FindSessionCb(chosen.name));
  return tls::SessionCacheFactory([make = std::move(make), state = std::any(chosen.init_args)](
                                      tls::Role role) { return make(role, state); });
}

// Of each role its own, when -ssl session_cb asks for one.
absl::Status MakeSessionCaches(TlsOptions& options) {
  const SessionCb& chosen = options.session_cb;
  if (chosen.name == kMemorySessions) {
    if (chosen.init_args.is_nil()) return absl::OkStatus();
    return Refuse("-ssl session_cb_init_args: is for a session_cb, and sessions are kept in memory",
                  "add -ssl session_cb sqlite, or remove it");
  }
  for (tls::Role role : {tls::Role::kServer, tls::Role::kClient}) {
    tls::Sessions& sessions =
        role == tls::Role::kServer ? options.server.sessions : options.client.sessions;
    ASSIGN_OR_RETURN(tls::SessionCacheFactory factory, SessionFactory(chosen, sessions.cache_max));
    auto cache = tls::MakeSessionCache(factory, role);
    if (!cache.ok()) {
      return base::Annotate(cache.status(), fmt::format("-ssl session_cb {}", chosen.name));
    }
    sessions.cache = *std::move(cache);
  }
  return absl::OkStatus();
}

bool IsIdentityOption(std::string_view name) {
  return name == "certfile" || name == "cert" || name == "certs_keys";
}

// The server's own options with what the host changes.
absl::StatusOr<std::shared_ptr<const tls::Options>> MakeHostOptions(const TlsHostOptions& host,
                                                                    TlsOptions& options) {
  TlsOptions one;
  one.server = options.server;
  one.server.server_names = {};
  const auto properties = host.options.list();
  const std::string origin = fmt::format("sni_hosts of {}, {}", host.host, host.origin);
  for (const Term& property : properties) {
    if (!property.IsTuple(2) || !property.tuple()[0].is_atom()) {
      return Refuse(
          fmt::format("option server_sni_hosts ({}): an entry is not {{Option, Value}}", origin),
          "write entries as in {certfile, \"/etc/noded/a.pem\"}");
    }
    // A certificate of its own has a key of its own.
    if (IsIdentityOption(property.tuple()[0].atom())) {
      one.server.identity = {};
      one.server.certs_keys.clear();
    }
  }
  for (const Term& property : properties) {
    const std::string_view name = property.tuple()[0].atom();
    RETURN_IF_ERROR(ApplyTlsOption(tls::Role::kServer, name, property.tuple()[1], origin, one));
    if (!one.sni_hosts.empty() || one.server.server_names.fun || one.verify_client) {
      return Refuse(
          fmt::format("option server_{} ({}): is for the server as a whole", name, origin),
          "move it out of sni_hosts");
    }
  }
  options.ignored.insert(options.ignored.end(), one.ignored.begin(), one.ignored.end());
  return std::make_shared<const tls::Options>(std::move(one.server));
}

// `prefix`: what was written before `name`.
absl::Status ApplyWord(tls::Role role, std::string_view prefix, std::string_view name,
                       std::string_view value, std::string_view origin, TlsOptions& options) {
  tls::Options& target = role == tls::Role::kServer ? options.server : options.client;
  const TlsOptionCall call{role, name, origin, target, options};
  const TlsOptionEntry* entry = FindTlsOption(call.name);
  if (entry == nullptr) return RefuseUnknown(call, prefix);
  if (!IsFor(*entry, role)) return RefuseRole(call);
  // What will not be used need not be a term either.
  if (entry->use != TlsOptionUse::kApplied) return Apply(call, Term::Atom(value), options);
  ASSIGN_OR_RETURN(Term term, PairTerm(call, entry->pair_form, value));
  return Apply(call, term, options);
}

}  // namespace

absl::Status ApplyTlsOption(tls::Role role, std::string_view name, const Term& value,
                            std::string_view origin, TlsOptions& options) {
  options.is_given = true;
  tls::Options& target = role == tls::Role::kServer ? options.server : options.client;
  return Apply({role, name, origin, target, options}, value, options);
}

absl::Status ApplyTlsPair(std::string_view name, std::string_view value, std::string_view origin,
                          TlsOptions& options) {
  options.is_given = true;
  const bool is_server = name.starts_with("server_"), is_client = name.starts_with("client_");
  if (!is_server && !is_client) {
    const bool is_known = FindTlsOption(name) != nullptr;
    return Refuse(
        fmt::format("-ssl_dist_opt {} ({}): does not say whose option it is", name, origin),
        is_known ? fmt::format("write server_{0} or client_{0}", name)
                 : "options begin with server_ or client_");
  }
  return ApplyWord(is_server ? tls::Role::kServer : tls::Role::kClient, name.substr(0, 7),
                   name.substr(7), value, origin, options);
}

absl::Status ApplyTlsWord(tls::Role role, std::string_view name, std::string_view value,
                          std::string_view origin, TlsOptions& options) {
  options.is_given = true;
  return ApplyWord(role, "", name, value, origin, options);
}

absl::Status ApplyTlsFile(std::string_view text, std::string_view path, TlsOptions& options) {
  options.is_given = true;
  const std::string where = fmt::format("-ssl_dist_optfile {}", path);
  constexpr std::string_view kForm = "write [{server, [...]}, {client, [...]}].";
  auto terms = ParseTerms(text);
  if (!terms.ok()) {
    return Refuse(
        fmt::format("{}: {}", where, base::CauseOf(terms.status())),
        "look for a comma, bracket or quote that is missing before that place; the form is "
        "[{server, [...]}, {client, [...]}].");
  }
  if (terms->size() != 1 || !(*terms)[0].is_proper_list()) {
    return Refuse(
        fmt::format("{}: holds {}", where,
                    terms->size() == 1 ? "no list" : fmt::format("{} terms", terms->size())),
        kForm);
  }
  LineFinder lines(text);
  for (const Term& part : (*terms)[0].list()) {
    const bool is_server = part.IsTagged("server", 2), is_client = part.IsTagged("client", 2);
    if (!(is_server || is_client) || !part.tuple()[1].is_proper_list()) {
      return Refuse(
          fmt::format("{}: an entry is neither {{server, List}} nor {{client, List}}", where),
          kForm);
    }
    for (const Term& property : part.tuple()[1].list()) {
      RETURN_IF_ERROR(ApplyProperty(is_server ? tls::Role::kServer : tls::Role::kClient, property,
                                    path, lines, options));
    }
  }
  return absl::OkStatus();
}

absl::Status FinishTlsOptions(TlsOptions& options) {
  RETURN_IF_ERROR(MakeSessionCaches(options));
  std::map<std::string, std::shared_ptr<const tls::Options>> hosts;
  for (const TlsHostOptions& host : options.sni_hosts) {
    ASSIGN_OR_RETURN(hosts[host.host], MakeHostOptions(host, options));
  }
  options.server.server_names.hosts = std::move(hosts);
  return absl::OkStatus();
}

absl::Status ValidateTlsOptions(const TlsOptions& options, bool is_listening) {
  if (is_listening) RETURN_IF_ERROR(tls::Validate(options.server, tls::Role::kServer));
  return tls::Validate(options.client, tls::Role::kClient);
}

}  // namespace noded::dist
