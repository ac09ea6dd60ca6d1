// nodectl names [HOST]: what the epmd of a host knows. Joins nothing.
#include <future>
#include <iostream>

#include "fmt/format.h"

#include "base/loop.h"
#include "base/status.h"
#include "base/task.h"
#include "cli/verb.h"
#include "dist/epmd_client.h"
#include "dist/term_json.h"

namespace noded::cli {

using dist::Term;
using NamesResult = absl::StatusOr<std::vector<dist::EpmdName>>;

int Names(VerbContext& context) {
  absl::StatusOr<node::NodeConfig> config = context.Config();
  if (!config.ok()) return context.Fail(config.status());
  std::string host = context.arguments().host;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  // A literal address says its family; a name is looked up as the carrier wants it.
  const bool is_v6 = host.find(':') != std::string::npos || config->carrier.starts_with("inet6");
  const auto family = is_v6 ? dist::AddressFamily::kV6 : dist::AddressFamily::kV4;
  if (host.empty()) host = is_v6 ? "::1" : "127.0.0.1";

  base::LoopGroup loops(1);
  base::Loop& loop = loops.home();
  dist::EpmdClient::Options options;
  options.port = config->epmd.port;
  dist::EpmdClient client(loop, options);
  std::promise<NamesResult> promise;
  base::Spawn(loop, "names", client.Names(host, family, loop.Now() + context.timeout()),
              [&promise](NamesResult result) { promise.set_value(std::move(result)); });
  NamesResult names = promise.get_future().get();
  if (!names.ok()) return context.Fail(names.status());
  if (context.arguments().is_json) {
    std::vector<Term> list;
    for (const dist::EpmdName& name : *names) {
      list.push_back(Term::Map({{Term::Atom("name"), Term::Binary(name.name)},
                                {Term::Atom("port"), Term::Int(name.port)}}));
    }
    context.Print(Term::List(std::move(list)));
    return kAnswered;
  }
  for (const dist::EpmdName& name : *names) {
    std::cout << fmt::format("{} at port {}\n", name.name, name.port);
  }
  return kAnswered;
}

}  // namespace noded::cli
