// nodectl: one question to a node, as a hidden node of the cluster.
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"

#include "base/nearest_name.h"
#include "base/status.h"
#include "cli/start.h"
#include "cli/verb.h"
#include "cli/verbs/certs.h"
#include "cli/verbs/tls.h"
#include "node/version.h"

namespace noded::cli {
namespace {

constexpr const char* kFooter =
    "\nFlags are those of noded, in the spelling of erl, also from ERL_FLAGS and the like:\n"
    "-setcookie, -proto_dist, -ssl_dist_opt, -ssl_dist_optfile, ... (noded -help lists them).\n"
    "Exit codes: 0 answered, 1 the remote side raised, 2 usage, 3 could not connect, 4 timed "
    "out.\n";

// The verbs, and what each takes. `chosen` gets the function of the verb that was given.
class Grammar {
 public:
  explicit Grammar(VerbArguments& arguments) : arguments_(arguments) {
    app_.footer(kFooter);
    app_.require_subcommand(1);
    AddOptions(&app_);
    AddNodeVerb("ping", "Is the node there? Prints pong.", Ping)
        ->add_option("--wait", arguments_.wait_seconds, "Try again for so many seconds")
        ->check(Seconds(0));
    AddCallVerb("call", "Call MODULE:FUNCTION(ARGUMENTS...) and print the result.", Call);
    AddCallVerb("cast", "The same without waiting for a result.", Cast);
    AddWords(AddNodeVerb("eval", "Evaluate Erlang source on a BEAM node.", Eval), "EXPRESSION", 1);
    CLI::App* names = AddVerb("names", "The nodes that a host's epmd knows.", Names);
    names->add_option("host", arguments_.host, "Host; this machine when left out");
    AddNodeVerb("nodes", "The nodes that a node is connected to.", Nodes);
    AddNodeVerb("info", "What a node is, its links, and the link to it.", Info);
    AddCerts();
    AddTls();
  }

  CLI::App& app() { return app_; }
  const std::function<int(VerbContext&)>& chosen() const { return chosen_; }

 private:
  CLI::App* AddVerb(const char* name, const char* help, std::function<int(VerbContext&)> run) {
    CLI::App* verb = app_.add_subcommand(name, help);
    AddOptions(verb);
    verb->callback([this, run = std::move(run)] { chosen_ = run; });
    return verb;
  }

  CLI::App* AddNodeVerb(const char* name, const char* help, std::function<int(VerbContext&)> run) {
    CLI::App* verb = AddVerb(name, help, std::move(run));
    verb->add_option("node", arguments_.node, "NAME@HOST")->required();
    return verb;
  }

  void AddCallVerb(const char* name, const char* help, std::function<int(VerbContext&)> run) {
    AddWords(AddNodeVerb(name, help, std::move(run)), "MODULE FUNCTION [ARGUMENT ...]", 2);
  }

  // Words as they were written: an option of CLI11's would take [a,b] apart.
  void AddWords(CLI::App* verb, const char* names, size_t least) {
    verb->allow_extras();
    if (verb->get_footer() == kFooter) {
      verb->footer(std::string("\nThen come ") + names + ".\n" + kFooter);
    }
    verb->parse_complete_callback([this, verb, names, least] {
      arguments_.words = verb->remaining();
      if (arguments_.words.size() < least) throw CLI::RequiredError(names);
    });
  }

  void AddOptions(CLI::App* verb) {
    verb->add_flag("--json", arguments_.is_json, "Print JSON (docs/json.md) instead of terms");
    verb->add_option("--timeout", arguments_.timeout_seconds,
                     "Seconds to wait for a connection, and then for an answer")
        ->check(Seconds(0.001))
        ->capture_default_str();
  }

  static CLI::Validator Seconds(double least) {
    return CLI::Validator(
        [least](const std::string& text) {
          constexpr double kMost = 100 * 365 * 24 * 3600.0;
          char* end = nullptr;
          const double seconds = std::strtod(text.c_str(), &end);
          const bool is_number = !text.empty() && *end == '\0';
          if (is_number && seconds >= least && seconds <= kMost) return std::string();
          return "'" + text + "' is no number of seconds" + (least > 0 ? " above 0" : " from 0 on");
        },
        "SECONDS");
  }

  void AddCerts() {
    CLI::App* certs = app_.add_subcommand("certs", "Certificates for development.");
    certs->require_subcommand(1);
    CLI::App* init = certs->add_subcommand("init", "An authority and a certificate a node.");
    init->add_option("folder", arguments_.folder, "Where to write")->required();
    init->add_option("--nodes", arguments_.nodes, "a@host,b@host")->required()->delimiter(',');
    init->callback([this] {
      chosen_ = [](VerbContext& context) {
        const VerbArguments& given = context.arguments();
        const absl::Status made = CertsInit(given.folder, given.nodes, std::cout);
        return made.ok() ? kAnswered : FailedFile(made);
      };
    });
    CLI::App* show = certs->add_subcommand("show", "What the certificates of a file say.");
    show->add_option("file", arguments_.file, "PEM or DER")->required();
    show->add_flag("--json", arguments_.is_json, "Print JSON");
    show->callback([this] {
      chosen_ = [](VerbContext& context) {
        const VerbArguments& given = context.arguments();
        const absl::Status shown = CertsShow(given.file, given.is_json, std::cout);
        return shown.ok() ? kAnswered : FailedFile(shown);
      };
    });
  }

  void AddTls() {
    CLI::App* tls = app_.add_subcommand("tls", "TLS alone: a server or a client to try it with.");
    tls->require_subcommand(1);
    CLI::App* serve = AddTlsVerb(tls, "serve", "A server that sends back what it gets.",
                                 "[HOST:]PORT [OPTION VALUE ...]", TlsServe);
    serve->add_flag("--www", tls_.is_www, "Answer HTTP with a page about the connection");
    serve->add_flag("--discard", tls_.is_discard, "Send nothing back");
    serve->add_flag("--once", tls_.is_once, "End after one connection");
    CLI::App* connect = AddTlsVerb(tls, "connect", "Standard input to a server, and back.",
                                   "HOST:PORT [OPTION VALUE ...]", TlsConnect);
    connect->add_flag("--info", tls_.is_info, "Print what was agreed, and close");
    connect->add_flag("--close", tls_.closes_early, "Read no more when the input has ended");
  }

  CLI::App* AddTlsVerb(CLI::App* tls, const char* name, const char* help, const char* words,
                       absl::Status (*run)(const TlsArguments&)) {
    CLI::App* verb = tls->add_subcommand(name, help);
    verb->footer(
        std::string("\nIt takes ") + words +
        ".\nOptions are those of -ssl_dist_opt without server_ or client_: certfile, cacertfile,\n"
        "verify, versions, ciphers, ... (docs/flags.md).\n");
    AddOptions(verb);
    AddWords(verb, words, 1);
    verb->callback([this, run] {
      chosen_ = [this, run](VerbContext& context) {
        tls_.words = context.arguments().words;
        tls_.is_json = context.arguments().is_json;
        tls_.timeout = context.timeout();
        const absl::Status status = run(tls_);
        return status.ok() ? kAnswered : context.Fail(status);
      };
    });
    return verb;
  }

  static ExitCode FailedFile(const absl::Status& status) {
    cli::Fail("nodectl", status);
    return kUsage;
  }

  VerbArguments& arguments_;
  TlsArguments tls_;
  CLI::App app_{"nodectl asks a node of an Erlang cluster one question.", "nodectl"};
  std::function<int(VerbContext&)> chosen_;
};

// What CLI11 does not say of a first word that is no verb; empty when it is one.
std::string UnknownVerb(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands({})) names.push_back(verb->get_name());
  const std::vector<std::string_view> known(names.begin(), names.end());
  if (word.starts_with("-") || std::find(known.begin(), known.end(), word) != known.end()) {
    return "";
  }
  return "unknown verb '" + word + "'" + base::DidYouMean(word, known);
}

// The first option that the verb does not have; CLI11 lists what is left over from its end. Empty:
// all are known.
std::string UnknownOption(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* verb = &app;
  std::vector<std::string> names = {"--help"};
  const auto add_options = [&names](const CLI::App& of) {
    for (const CLI::Option* option : of.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  };
  add_options(app);
  for (const std::string& word : words) {
    if (!word.starts_with("--")) {
      for (const CLI::App* below : verb->get_subcommands({})) {
        if (below->get_name() != word) continue;
        verb = below;
        add_options(*verb);
        break;
      }
      continue;
    }
    const std::string name = word.substr(0, word.find('='));
    const std::vector<std::string_view> known(names.begin(), names.end());
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return "unknown option '" + name + "'" + base::DidYouMean(name, known);
  }
  return "";
}

// An answer that did not get out is none.
int Finish(int code) {
  errno = 0;
  std::cout.flush();
  if (std::cout.good()) return code;
  const int error = errno == 0 ? EIO : errno;  // an earlier flush failed
  return Fail(
      "nodectl",
      base::Error(absl::StatusCode::kInvalidArgument, "standard output: " + base::ErrnoText(error),
                  "give the answer a place to go, and ask again", base::ErrnoAtom(error)));
}

int Main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  absl::StatusOr<node::RawFlags> flags = ReadFlags(argc, argv, node::Grammar::kVerbs);
  if (!flags.ok()) return Fail("nodectl", flags.status());
  if (flags->wants_version) {
    std::cout << "nodectl " << node::kVersion << "\n";
    return Finish(kAnswered);
  }
  VerbArguments arguments;
  Grammar grammar(arguments);
  std::vector<std::string> words;  // CLI11 takes them from the back
  for (auto word = flags->plain.rbegin(); word != flags->plain.rend(); ++word) {
    words.push_back(word->text);
  }
  if (!words.empty() && words.back() == "help") {
    words.pop_back();
    flags->wants_help = true;
  }
  const std::string verb = words.empty() ? "-" : words.back();
  const std::vector<std::string> in_order(words.rbegin(), words.rend());
  if (flags->wants_help) words.insert(words.begin(), "--help");
  try {
    grammar.app().parse(words);
  } catch (const CLI::CallForHelp&) {
    std::cout << grammar.app().help("", CLI::AppFormatMode::Normal);
    return Finish(kAnswered);
  } catch (const CLI::ParseError& error) {
    std::string unknown = UnknownVerb(grammar.app(), verb);
    if (unknown.empty()) unknown = UnknownOption(grammar.app(), in_order);
    std::cerr << "nodectl: " << (unknown.empty() ? error.what() : unknown) << "; see nodectl --help"
              << std::endl;
    return kUsage;
  }
  VerbContext context(*flags, std::move(arguments));
  return Finish(grammar.chosen()(context));
}

}  // namespace
}  // namespace noded::cli

int main(int argc, char** argv) { return noded::cli::Main(argc, argv); }
